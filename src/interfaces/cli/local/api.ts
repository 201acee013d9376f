// `quarterdeck api`: one request as it is typed, with the address and the token of every other command.
import { z } from 'zod';
import { CliFailure, type Connection, readAnswer, readText, send } from '../client.ts';
import { findConnection } from '../connection.ts';
import { exitCodeOf, exitCodes } from '../exit-codes.ts';
import { localOperation } from '../local-operation.ts';
import { escapeControl, escapeLines } from '../plain-text.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'] as const;
const LARGEST_BODY = 64 * 1024 * 1024;
const DEFAULT_TIMEOUT_S = 30;
/** What the server can be asked to wait for, beyond which the answer is late. */
const LONGEST_WAIT_S = 25;

export const api = localOperation({
  name: 'api',
  summary: 'Send one request to the API, with the token of this command line, and print the answer',
  input: z.strictObject({
    method: z
      .string()
      .transform((text) => text.toUpperCase())
      .pipe(z.enum(methods, `one of ${methods.join(', ')}`))
      .describe(methods.join(', ')),
    path: z
      .string()
      .regex(/^\/(?!\/)[\x21-\x7e]*$/, 'a path of the server, like /v1/agents')
      .describe('Path, like /v1/agents'),
    body: z.string().optional().describe('The body: text, @FILE, or - for stdin'),
    query: z.array(z.string()).default([]).describe('One name=value of the query; may be repeated'),
    header: z.array(z.string()).default([]).describe('One `Name: value`; may be repeated'),
    url: z.string().min(1).optional().describe('Address of the server (QUARTERDECK_URL)'),
    context: z.string().min(1).optional().describe('A server that was named with `context add`'),
    data: z.string().min(1).optional().describe('Data directory of the installation (QUARTERDECK_DATA)'),
    timeout: z.coerce.number().positive().default(DEFAULT_TIMEOUT_S).describe('Longest wait, in seconds'),
  }),
  cli: {
    words: 'api',
    positional: ['method', 'path'],
    short: { body: 'd', header: 'H' },
    repeated: ['query', 'header'],
    example: 'quarterdeck api GET /v1/agents --query limit=5',
  },
  async run({ method, path, body, query, header, timeout, ...place }, output) {
    const target = withQuery(path, query);
    const headers = headersOf(header);
    const sent = body === undefined ? undefined : await bodyOf(body);
    if (sent !== undefined) headers['content-type'] ??= 'application/json';
    const connection = await findConnection(place);
    const response = await send(connection, target, {
      method,
      headers,
      signal: AbortSignal.timeout((timeout + LONGEST_WAIT_S) * 1000),
      ...(sent === undefined ? {} : { body: sent }),
    });
    output.out(await answerOf(response, output.json, connection));
    return exitCodes.ok;
  },
});

function withQuery(path: string, pairs: readonly string[]): string {
  const query = new URLSearchParams();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new CliFailure(`--query: expected name=value, not "${escapeControl(pair)}"`, exitCodes.usage);
    query.append(pair.slice(0, at), pair.slice(at + 1));
  }
  const text = query.toString();
  return text === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

// The token of this command line is the only one: two would leave it open which one speaks.
function headersOf(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+):\s*([\x20-\x7e]*)$/.exec(line) ?? [];
    if (name === '') throw new CliFailure('--header: expected `Name: value`', exitCodes.usage);
    if (/^(authorization|cookie|host|content-length|transfer-encoding|connection)$/i.test(name)) {
      throw new CliFailure(`--header: ${name} is set by the command itself`, exitCodes.usage);
    }
    headers[name.toLowerCase()] = value;
  }
  return headers;
}

async function bodyOf(given: string): Promise<Uint8Array<ArrayBuffer> | string> {
  if (given !== '-' && !given.startsWith('@')) return given;
  const { createReadStream } = await import('node:fs');
  const stream = given === '-' ? process.stdin : createReadStream(given.slice(1));
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > LARGEST_BODY) throw new CliFailure('the body is larger than 64 MiB', exitCodes.usage);
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new CliFailure(`${escapeControl(given.slice(1))} cannot be read (${code})`, exitCodes.usage);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

async function answerOf(response: Response, asDocument: boolean, connection: Connection): Promise<string> {
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  if (isJson) {
    const value = await readAnswer(response);
    return asDocument ? escapeControl(JSON.stringify(value)) : escapeLines(JSON.stringify(value, null, 2));
  }
  const text = await readText(response);
  if (response.ok) return escapeLines(text).replace(/\n$/, '');
  throw new CliFailure(
    `${connection.url} answered ${response.status}${text === '' ? '' : `: ${escapeControl(text.slice(0, 200))}`}`,
    exitCodeOf(response.status),
  );
}
