// A request that was admitted, answered by the protocol's own library. Loaded with the first such request: the library
// takes 7 MB and a tenth of a second, which an installation that no model asks need not spend.
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { App } from '../../app.ts';
import type { Logger } from '../../platform/logger.ts';
import { makeServer } from './server.ts';
import { Session, type SessionOptions } from './session.ts';
import { makeToolbox } from './tools.ts';

export interface AdmittedRequest extends Pick<SessionOptions, 'caller' | 'requestId' | 'signal'> {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  /** Parsed; undefined when there was none. */
  readonly body: unknown;
}

export interface McpHandler {
  answer(request: AdmittedRequest): Promise<Response>;
  close(): Promise<void>;
}

export function makeHandler(app: App, logger: Logger): McpHandler {
  const tools = makeToolbox(app.operations);
  const sessions = new WeakMap<Request, Session>();
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const session = requestInfo === undefined ? undefined : sessions.get(requestInfo);
      if (session === undefined) throw new Error('a request of MCP without its session');
      return makeServer(session);
    },
    {
      legacy: 'stateless',
      // Lists do not change while a client looks, so there is nothing to subscribe to.
      maxSubscriptions: 0,
      onerror: (error) => logger.debug({ err: error }, 'MCP refused a message'),
    },
  );
  return {
    answer({ url, method, headers, body, ...known }) {
      const { signal } = known;
      const request = new Request(url, { method, headers, signal });
      sessions.set(request, new Session({ app, tools, logger, ...known }));
      return handler.fetch(request, body === undefined ? {} : { parsedBody: body });
    },
    close: () => handler.close(),
  };
}
