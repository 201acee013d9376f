// Official MCP clients of both majors and both protocol generations, behind one face; and requests by hand.
import { Client, StreamableHTTPClientTransport, type Tool } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdioTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as OldHttpTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** SDK 1 with the handshake; SDK 2 with the handshake; SDK 2 with an envelope in every request. */
export const generations = ['sdk 1', 'sdk 2, 2025-11-25', 'sdk 2, 2026-07-28'] as const;
export type Generation = (typeof generations)[number];

export interface ToolResult {
  readonly isError: boolean;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  readonly data: any;
}

export interface McpClient {
  tools(): Promise<Tool[]>;
  /** Rejects with the protocol's error when there is no result. */
  call(name: string, input?: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<ToolResult>;
  read(uri: string): Promise<string>;
  templates(): Promise<string[]>;
  prompt(name: string, input: Readonly<Record<string, string>>): Promise<string>;
  prompts(): Promise<string[]>;
  close(): Promise<void>;
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

type Target = { readonly url: string; readonly token: string } | Program;

const identity = { name: 'test', version: '1' };

/** Connects to `/mcp` of a server, or to a program on its stdin and stdout. */
export async function openMcpClient(target: Target, generation: Generation = 'sdk 2, 2026-07-28'): Promise<McpClient> {
  if (generation === 'sdk 1') {
    const client = new OldClient(identity);
    // The SDK's own types disagree where optional properties are exact.
    await client.connect(oldTransport(target) as Parameters<OldClient['connect']>[0]);
    return faceOf(client as unknown as Client);
  }
  const mode = generation === 'sdk 2, 2026-07-28' ? { pin: '2026-07-28' } : 'legacy';
  const client = new Client(identity, { versionNegotiation: { mode } });
  await client.connect(newTransport(target));
  return faceOf(client);
}

function newTransport(target: Target): StreamableHTTPClientTransport | StdioClientTransport {
  if ('url' in target)
    return new StreamableHTTPClientTransport(new URL(`${target.url}/mcp`), requestInit(target.token));
  const { command, args, env } = target;
  return new StdioClientTransport({ command, args: [...args], env: { ...env }, stderr: 'ignore' });
}

function oldTransport(target: Target): OldHttpTransport | OldStdioTransport {
  if ('url' in target) return new OldHttpTransport(new URL(`${target.url}/mcp`), requestInit(target.token));
  const { command, args, env } = target;
  return new OldStdioTransport({ command, args: [...args], env: { ...env }, stderr: 'ignore' });
}

function requestInit(token: string) {
  return { requestInit: { headers: { authorization: `Bearer ${token}` } } };
}

function faceOf(client: Client): McpClient {
  return {
    tools: async () => (await client.listTools()).tools,
    async call(name, input = {}, signal) {
      const params = { name, arguments: { ...input } };
      const result = await client.callTool(params, signal === undefined ? undefined : ({ signal } as never));
      const [first] = result.content;
      const text = first?.type === 'text' ? first.text : '';
      return { isError: result.isError === true, text, data: result.structuredContent };
    },
    async read(uri) {
      const [first] = (await client.readResource({ uri })).contents;
      return first !== undefined && 'text' in first ? first.text : '';
    },
    templates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    async prompt(name, input) {
      const [first] = (await client.getPrompt({ name, arguments: { ...input } })).messages;
      return first?.content.type === 'text' ? first.content.text : '';
    },
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    close: () => client.close(),
  };
}

/** A request of the generation without envelopes, as text. */
export function messageText(method: string, params: unknown = {}, id = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

/** Posts to `/mcp` what need not be a message. */
export function postMcp(
  url: string,
  token: string | undefined,
  body: string,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body,
    ...(signal === undefined ? {} : { signal }),
  });
}
