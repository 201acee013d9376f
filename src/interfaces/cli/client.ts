// Speaks to the api, and says what its refusals mean for the exit code. Which server that is stands in connection.ts.
import { type AnyOperation, pathParameters } from '../../platform/operation.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { escapeControl } from './plain-text.ts';
import { watchReach } from './reach.ts';

export interface Connection {
  readonly url: string;
  readonly token: string | undefined;
}

/** A command that could not be done: what to print and how to exit. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly problem: Record<string, unknown> | undefined;
  constructor(message: string, exitCode: number, hint?: string, problem?: Record<string, unknown>) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
    this.problem = problem;
  }
}

/** Path with its parameters filled in and the rest as query, or as body for methods that have one. */
export function requestOf(
  operation: AnyOperation,
  input: Readonly<Record<string, unknown>>,
): { readonly path: string; readonly body: Record<string, unknown> | undefined } {
  const inPath = pathParameters(operation.path);
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => pathSegment(name, String(input[name])));
  const rest = Object.entries(input).filter(([name]) => !inPath.includes(name));
  if (operation.method === 'GET' || operation.method === 'DELETE') {
    const query = new URLSearchParams(rest.map(([name, value]) => [name, String(value)])).toString();
    return { path: query === '' ? path : `${path}?${query}`, body: undefined };
  }
  return { path, body: Object.fromEntries(rest) };
}

// A dot segment would be taken out of the address on the way, and another thing be asked for.
function pathSegment(name: string, value: string): string {
  if (value === '' || value === '.' || value === '..') {
    throw new CliFailure(`${name} cannot be "${value}"`, exitCodes.usage);
  }
  return encodeURIComponent(value);
}

export async function callOperation(
  connection: Connection,
  operation: AnyOperation,
  input: Readonly<Record<string, unknown>>,
  timeoutMs: number,
): Promise<unknown> {
  const { path, body } = requestOf(operation, input);
  const waitMs = typeof input['wait'] === 'number' ? input['wait'] * 1000 : 0;
  const response = await send(connection, path, {
    method: operation.method,
    signal: AbortSignal.timeout(timeoutMs + waitMs),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return readAnswer(response);
}

/** Opens a response; throws CliFailure when the server cannot be reached or the time is up. */
export async function send(
  connection: Connection,
  path: string,
  init: Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> },
): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json', ...init.headers };
  if (connection.token !== undefined) headers['authorization'] = `Bearer ${connection.token}`;
  const reach = watchReach(connection.url);
  const signal = AbortSignal.any([reach.unreached, ...(init.signal ? [init.signal] : [])]);
  try {
    return checkRedirect(await fetch(connection.url + path, { ...init, signal, headers, redirect: 'manual' }));
  } catch (error) {
    if (error instanceof CliFailure || (error as Error).name === 'AbortError') throw error;
    if ((error as Error).name === 'TimeoutError') throw tooLate();
    throw new CliFailure(
      `No server answers at ${connection.url}${causeOf(error)}`,
      exitCodes.unreachable,
      'Start it with `bin/up`, or check --url, --context and QUARTERDECK_URL.',
    );
  } finally {
    reach.end();
  }
}

// The token is for the server that was named, so it is not carried on to another.
function checkRedirect(response: Response): Response {
  if (response.status < 300 || response.status > 399) return response;
  const target = escapeControl(response.headers.get('location') ?? 'nowhere');
  throw new CliFailure(
    `The server at ${response.url} sends on to ${target} (status ${response.status})`,
    exitCodes.failed,
    'Give that address, when it is Quarterdeck.',
  );
}

function tooLate(): CliFailure {
  return new CliFailure('The server did not answer in time', exitCodes.timedOut, 'Try again, or give --timeout.');
}

// ECONNREFUSED, ENOTFOUND, what is wrong with a certificate: the operator's next step depends on it.
function causeOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } };
  const code = cause?.code ?? (error as { code?: unknown }).code;
  return typeof code === 'string' ? ` (${escapeControl(code)})` : '';
}

/** The JSON of an answer; throws CliFailure for a refusal, and for what is no answer of ours. */
export async function readAnswer(response: Response): Promise<unknown> {
  const body = parseAnswer(await readText(response), response);
  if (response.ok) return body;
  const { detail, code, hint } = body as Record<string, unknown>;
  throw new CliFailure(
    `${detail ?? response.statusText} (${code ?? response.status})`,
    exitCodeOf(response.status),
    typeof hint === 'string' ? hint : undefined,
    body as Record<string, unknown>,
  );
}

/** All of a body; throws CliFailure when it breaks off. */
export async function readText(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') throw tooLate();
    throw new CliFailure('The connection broke off in the middle of the answer', exitCodes.failed, 'Try again.');
  }
}

function parseAnswer(text: string, response: Response): unknown {
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  try {
    const value: unknown = isJson ? JSON.parse(text) : undefined;
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below, in words.
  }
  throw new CliFailure(
    `The server at ${response.url} answered something that is not JSON (status ${response.status})`,
    exitCodes.failed,
    'Is it Quarterdeck? Check the address.',
  );
}
