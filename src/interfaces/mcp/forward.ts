// One request of the protocol, handed on to /mcp of a server: so that stdio answers what HTTP answers.
import { CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY, ProtocolError } from '@modelcontextprotocol/server';
import { platformErrors } from '../../platform/platform-errors.ts';
import { type Connection, readAnswer, send } from '../cli/client.ts';
import { LARGEST_BODY } from './limits.ts';

/** The generation spoken between the two ends of ours, whatever the client speaks. */
const REVISION = '2026-07-28';

interface Answer {
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/**
 * Throws ProtocolError as the server did, CliFailure when the server refused the request or did not answer, and
 * `payload_too_large`.
 */
export async function forward(
  connection: Connection,
  method: string,
  params: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const { _meta: _, ...own } = params;
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method,
    params: { ...own, _meta: { [PROTOCOL_VERSION_META_KEY]: REVISION, [CLIENT_CAPABILITIES_META_KEY]: {} } },
  });
  // A server that refuses a body closes the connection under it, and why is not always heard.
  if (Buffer.byteLength(body) > LARGEST_BODY) throw platformErrors.payload_too_large({ limit: LARGEST_BODY });
  const response = await send(connection, '/mcp', {
    method: 'POST',
    signal,
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': REVISION,
      'mcp-method': method,
      ...nameHeader(own['name'] ?? own['uri']),
    },
    body,
  });
  const { result, error } = await answerOf(response);
  if (error !== undefined) throw new ProtocolError(error.code, error.message, error.data);
  // What belongs to the generation between us and not to the one that our client speaks.
  const { resultType: __, ttlMs: ___, cacheScope: ____, _meta: _____, ...rest } = result ?? {};
  return rest;
}

// The server compares the name with the body's, so that what stands between can route by it.
function nameHeader(name: unknown): Record<string, string> {
  return typeof name === 'string' ? { 'mcp-name': name } : {};
}

async function answerOf(response: Response): Promise<Answer> {
  if (response.ok || !isJsonRpc(response)) return (await readAnswer(response)) as Answer;
  return (await response.json()) as Answer;
}

// Our own refusals are problem+json; an error of the protocol comes with a status and plain JSON.
function isJsonRpc(response: Response): boolean {
  return (response.headers.get('content-type') ?? '').startsWith('application/json');
}
