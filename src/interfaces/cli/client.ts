// Speaks to the api: where it is, with which token, and what its refusals mean for the exit code.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AnyOperation, pathParameters } from '../../platform/operation.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';

export interface Connection {
  readonly url: string;
  readonly token: string | undefined;
}

export interface ConnectionFlags {
  readonly url?: string | undefined;
  readonly data: string;
  readonly timeoutMs: number;
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

/** Flag, then QUARTERDECK_URL and QUARTERDECK_TOKEN, then the installation in the data directory. */
export async function findConnection(flags: ConnectionFlags): Promise<Connection> {
  const url = flags.url ?? process.env['QUARTERDECK_URL'] ?? (await localUrl(flags.data));
  const token = process.env['QUARTERDECK_TOKEN'] ?? (await localToken(flags.data));
  return { url: url.replace(/\/$/, ''), token };
}

async function localUrl(data: string): Promise<string> {
  const facts = await readFile(join(data, 'run', 'api.json'), 'utf8').catch(() => undefined);
  const url: unknown = facts === undefined ? undefined : (JSON.parse(facts) as { url?: unknown }).url;
  if (typeof url === 'string') return url;
  throw new CliFailure(
    `Quarterdeck is not running from ${data}`,
    exitCodes.unreachable,
    'Start it with `bin/up`, or say where it is with --data or --url.',
  );
}

async function localToken(data: string): Promise<string | undefined> {
  return (await readFile(join(data, 'operator.token'), 'utf8').catch(() => undefined))?.trim();
}

/** Path with its parameters filled in and the rest as query, or as body for methods that have one. */
export function requestOf(
  operation: AnyOperation,
  input: Readonly<Record<string, unknown>>,
): { readonly path: string; readonly body: Record<string, unknown> | undefined } {
  const inPath = pathParameters(operation.path);
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(input[name])));
  const rest = Object.entries(input).filter(([name]) => !inPath.includes(name));
  if (operation.method === 'GET' || operation.method === 'DELETE') {
    const query = new URLSearchParams(rest.map(([name, value]) => [name, String(value)])).toString();
    return { path: query === '' ? path : `${path}?${query}`, body: undefined };
  }
  return { path, body: Object.fromEntries(rest) };
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
  try {
    return await fetch(connection.url + path, { ...init, headers, redirect: 'error' });
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') {
      throw new CliFailure('The server did not answer in time', exitCodes.timedOut, 'Try again, or give --timeout.');
    }
    throw new CliFailure(
      `No server answers at ${connection.url}`,
      exitCodes.unreachable,
      'Start it with `bin/up`, or check --url and QUARTERDECK_URL.',
    );
  }
}

export async function readAnswer(response: Response): Promise<unknown> {
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  if (!isJson) {
    throw new CliFailure(
      `The server at ${response.url} answered something that is not JSON (status ${response.status})`,
      exitCodes.failed,
      'Is it Quarterdeck? Check the address.',
    );
  }
  const body = JSON.parse(text) as Record<string, unknown>;
  if (response.ok) return body;
  throw new CliFailure(
    `${body['detail'] ?? response.statusText} (${body['code'] ?? response.status})`,
    exitCodeOf(response.status),
    typeof body['hint'] === 'string' ? body['hint'] : undefined,
    body,
  );
}
