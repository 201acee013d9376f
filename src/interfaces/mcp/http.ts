// /mcp on the api: the streamable HTTP transport of MCP, for clients of both protocol generations. Admission, body limits
// and the scan of the JSON text are those of every other route; the credential is a bearer token, never a cookie.
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type AppError, isAppError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { problem, requestIdOf, retryAfter } from '../http/problem.ts';
import type { RouteOptions } from '../http/routes.ts';
import { makeServer } from './server.ts';
import { Session } from './session.ts';
import { makeToolbox } from './tools.ts';

const MCP_PATH = '/mcp';
const LARGEST_BODY = 4 * 1024 * 1024;
const REQUESTS_PER_MINUTE = 600;
const RATE_LIMITED = -32_000;

export function serveMcp(server: FastifyInstance, options: RouteOptions, logger: Logger): void {
  const { app, gate, closing } = options;
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
  server.addHook('onClose', () => handler.close());

  server.route({
    method: ['GET', 'POST', 'DELETE'],
    url: MCP_PATH,
    bodyLimit: LARGEST_BODY,
    exposeHeadRoute: false,
    onRequest: async (request) => {
      request.caller = await gate.admitBearer(request.raw);
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      try {
        // Each message of a batch counts.
        for (const _ of Array.isArray(body) ? body : [body]) gate.limit(MCP_PATH, caller, REQUESTS_PER_MINUTE);
      } catch (error) {
        if (isAppError(error)) return refuse(request, reply, error);
        throw error;
      }
      const signal = AbortSignal.any([gone(reply), closing]);
      const asked = webRequest(request, signal);
      sessions.set(asked, new Session({ app, tools, caller, requestId: requestIdOf(request), signal, logger }));
      return reply.send(await handler.fetch(asked, body === undefined ? {} : { parsedBody: body }));
    },
  });
}

// The status is for HTTP clients, the body for those that read only JSON-RPC.
function refuse(request: FastifyRequest, reply: FastifyReply, error: AppError): FastifyReply {
  const id = (request.body as { id?: unknown } | undefined)?.id;
  return reply
    .status(error.status)
    .header('retry-after', String(retryAfter(error)))
    .send({
      jsonrpc: '2.0',
      id: typeof id === 'string' || typeof id === 'number' ? id : null,
      error: { code: RATE_LIMITED, message: error.message, data: problem(error, requestIdOf(request)) },
    });
}

// The body was read already and is handed over beside it.
function webRequest(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string' && name !== 'content-length') headers.set(name, value);
  }
  return new Request(`http://${request.headers.host}${MCP_PATH}`, { method: request.method, headers, signal });
}

function gone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort();
  });
  return controller.signal;
}
