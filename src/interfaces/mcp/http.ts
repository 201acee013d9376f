// /mcp on the api: the streamable HTTP transport of MCP, for clients of both protocol generations. Admission, body limits
// and the scan of the JSON text are those of every other route; the credential is a bearer token, never a cookie.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type AppError, isAppError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { problem, requestIdOf, retryAfter } from '../http/problem.ts';
import type { RouteOptions } from '../http/routes.ts';
import type { McpHandler } from './handler.ts';
import { LARGEST_BODY, MESSAGES_PER_MINUTE } from './limits.ts';

const MCP_PATH = '/mcp';
const RATE_LIMITED = -32_000;

export function serveMcp(server: FastifyInstance, options: RouteOptions, logger: Logger): void {
  const { app, gate, closing } = options;
  let loaded: Promise<McpHandler> | undefined;
  const load = () => {
    loaded ??= import('./handler.ts').then(({ makeHandler }) => makeHandler(app, logger));
    return loaded;
  };
  server.addHook('onClose', async () => (await loaded)?.close());

  server.route({
    method: ['GET', 'POST', 'DELETE'],
    url: MCP_PATH,
    bodyLimit: LARGEST_BODY,
    exposeHeadRoute: false,
    onRequest: async (request) => {
      request.caller = await gate.admitBearer(request.raw);
    },
    handler: async (request, reply) => {
      const { caller, body, method } = request;
      try {
        for (const _ of Array.isArray(body) ? body : [body]) gate.limit(MCP_PATH, caller, MESSAGES_PER_MINUTE);
      } catch (error) {
        if (isAppError(error)) return refuse(request, reply, error);
        throw error;
      }
      // Made before anything is waited for, or a client that leaves meanwhile would not be noticed.
      const signal = AbortSignal.any([gone(reply), closing]);
      const handler = await load();
      return reply.send(
        await handler.answer({
          url: `http://${request.headers.host}${MCP_PATH}`,
          method,
          headers: headersOf(request),
          body,
          caller,
          requestId: requestIdOf(request),
          signal,
        }),
      );
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

// Without the length: the body was read already and is handed over beside them.
function headersOf(request: FastifyRequest): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string' && name !== 'content-length') headers.set(name, value);
  }
  return headers;
}

function gone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort();
  });
  return controller.signal;
}
