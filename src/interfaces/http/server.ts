// The HTTP server of the api role: the operations as routes, the live feed, the page.
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import type { App } from '../../app.ts';
import { newRequestId } from '../../calls.ts';
import type { Logger } from '../../platform/logger.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { type LiveServer, serveLive } from '../live/live.ts';
import { serveMcp } from '../mcp/http.ts';
import { Gate } from './authenticate.ts';
import { acceptJsonOnly } from './body.ts';
import { addSecurityHeaders } from './headers.ts';
import { countRequests, type MetricsRoute, serveMetrics } from './metrics.ts';
import { serveOpenApi } from './openapi.ts';
import { checkHost, type OriginRules } from './origin.ts';
import { servePage } from './page.ts';
import { requestIdOf, sendProblem, toAppError } from './problem.ts';
import { RateLimit } from './rate-limit.ts';
import { parserRefusal, refuseSocket } from './raw-answer.ts';
import { addRoute, keepLiteralPaths, type RouteOptions } from './routes.ts';

export interface ApiServerOptions {
  readonly app: App;
  readonly host: string;
  /** 0 chooses a free one. */
  readonly port: number;
  readonly origins: OriginRules;
  /** The built page; when the directory is missing only the API is served. */
  readonly webDir: string;
  readonly logger: Logger;
  /** Where /metrics finds what is not in this process; default: nowhere. */
  readonly metrics?: MetricsRoute;
  /** Who guessed and flooded how often; default: nobody yet. */
  readonly limits?: RateLimit;
}

export interface ApiServer {
  listen(): Promise<{ readonly port: number }>;
  /** Ends streams and waiting polls, answers what is under way, then resolves. */
  close(): Promise<void>;
}

const URL_LIMIT = 8 * 1024;
const HEADER_LIMIT = 16 * 1024;
const CLOSE_IDLE_EVERY_MS = 25;
/** Below the time that the keeper gives a role to end. */
const LONGEST_ANSWER_AT_CLOSE_MS = 1_500;
const CONNECTIONS_PER_ADDRESS = 2_000;

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { app, logger, origins } = options;
  const server = fastify({
    logger: false,
    genReqId: newRequestId,
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: false },
    http: {
      maxHeaderSize: HEADER_LIMIT,
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 65_000,
      // A request without a host is answered by checkHost, in our words.
      requireHostHeader: false,
    },
    clientErrorHandler: (error, socket) => refuseSocket(socket, parserRefusal(error), newRequestId()),
    forceCloseConnections: 'idle',
    // Fastify's own refusal is no problem+json: what comes while the server closes is refused by a hook.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      void sendProblem(reply, toAppError(error, logger, requestIdOf(request)), requestIdOf(request));
    },
  });
  const closing = new AbortController();
  const gate = new Gate({ app, origins, limits: options.limits ?? new RateLimit() });
  const routes: RouteOptions = { app, gate, closing: closing.signal };

  server.decorateRequest('caller');
  acceptJsonOnly(server);
  addSecurityHeaders(server, gate.isSecure);
  server.addHook('onRequest', async (request, reply) => {
    if (closing.signal.aborted) {
      reply.header('connection', 'close');
      throw platformErrors.closing();
    }
    if (request.url.length > URL_LIMIT) throw platformErrors.uri_too_long({ limit: URL_LIMIT });
    // The absolute form is for proxies; its host would have to be believed instead of the header's.
    if (!request.url.startsWith('/')) throw platformErrors.bad_host();
    checkHost(request.raw, origins);
  });
  server.setErrorHandler((error, request, reply) =>
    sendProblem(
      reply,
      limitOf(toAppError(error, logger, requestIdOf(request)), request.routeOptions.bodyLimit),
      requestIdOf(request),
    ),
  );
  limitConnections(server);
  countRequests(server, routes);

  let live: LiveServer | undefined;
  for (const bound of app.operations) {
    if (bound.operation.listener !== 'api') continue;
    if (bound.operation.kind === 'stream') live = serveLive(server, bound, routes, logger);
    else addRoute(server, bound, routes);
  }
  keepLiteralPaths(
    server,
    app.operations.map(({ operation }) => operation),
  );
  serveMcp(server, routes, logger);
  serveMetrics(server, routes, options.metrics ?? { dataDir: undefined, neighbours: async () => [] });
  serveOpenApi(server);
  await servePage(server, options.webDir, app.operations);

  return {
    async listen() {
      await server.listen({ host: options.host, port: options.port });
      const address = server.server.address();
      return { port: typeof address === 'object' && address !== null ? address.port : options.port };
    },
    async close() {
      closing.abort();
      live?.close();
      // A connection that is kept open between requests would keep the server: each is closed once its answer is out.
      const idle = setInterval(() => server.server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
      const last = setTimeout(() => server.server.closeAllConnections(), LONGEST_ANSWER_AT_CLOSE_MS);
      await server.close().finally(() => {
        clearInterval(idle);
        clearTimeout(last);
      });
    },
  };
}

function limitOf(error: ReturnType<typeof toAppError>, limit: number | undefined) {
  return error.code === 'payload_too_large' && limit !== undefined
    ? platformErrors.payload_too_large({ limit })
    : error;
}

// One address cannot take all descriptors.
function limitConnections(server: FastifyInstance): void {
  const counts = new Map<string, number>();
  server.server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (counts.get(address) ?? 0) + 1;
    if (count > CONNECTIONS_PER_ADDRESS) {
      socket.destroy();
      return;
    }
    counts.set(address, count);
    socket.once('close', () => {
      const left = (counts.get(address) ?? 1) - 1;
      if (left === 0) counts.delete(address);
      else counts.set(address, left);
    });
  });
}
