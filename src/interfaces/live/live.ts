// /v1/live on one path: SSE where the client accepts it, else the long poll; the upgrade to WebSocket happens outside
// Fastify, so admission, limits and closing are done here for it.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { newRequestId } from '../../calls.ts';
import { live, splitTopics } from '../../domains/log/index.ts';
import type { Logger } from '../../platform/logger.ts';
import type { BoundOperation } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { readInput } from '../http/input.ts';
import { invalidInput, requestIdOf, toAppError } from '../http/problem.ts';
import { refuseSocket } from '../http/raw-answer.ts';
import { admitFirst, answer, type RouteOptions } from '../http/routes.ts';
import { serveEventStream } from './sse.ts';
import { type Asked, serveWebSocket } from './websocket.ts';

const LARGEST_FRAME = 64 * 1024;
const LIVE_PATH = '/v1/live';
// RFC 6455 §7.4.1 and its registry.
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;

export interface LiveServer {
  /** Ends every stream: 1001 for WebSocket, the end of the response for SSE. */
  close(): void;
}

export function serveLive(
  server: FastifyInstance,
  bound: BoundOperation,
  options: RouteOptions,
  logger: Logger,
): LiveServer {
  const { app, gate } = options;
  const streams = new Set<{ end(): void }>();

  server.get(LIVE_PATH, { exposeHeadRoute: false, onRequest: admitFirst(live, gate) }, async (request, reply) => {
    if (!(request.headers.accept ?? '').includes('text/event-stream')) return answer(bound, request, reply, options);
    const { caller } = request;
    const input = readInput(live, request) as { topics?: string; after?: string };
    const last = request.headers['last-event-id'];
    const after = typeof last === 'string' && last !== '' ? last : input.after;
    const call = app.call(caller, { requestId: requestIdOf(request) });
    const response = reply.raw;
    // Whoever left while being admitted would never be heard to leave again.
    if (response.destroyed) return reply.hijack();
    streams.add(response);
    response.once('close', () => streams.delete(response));
    const stillValid = () => gate.admit(live, request.raw);
    serveEventStream({ app, call, response, topics: input.topics, after, stillValid });
    return reply.hijack();
  });

  const sockets = new WebSocketServer({ noServer: true, maxPayload: LARGEST_FRAME, perMessageDeflate: false });
  (server.server as Server).on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    const requestId = newRequestId();
    // Never parsed as a URL: an address like // is none, and an exception here would end the process.
    if (request.url?.split('?', 1)[0] !== LIVE_PATH || options.closing.aborted) {
      refuseSocket(socket, platformErrors.not_found(), requestId);
      return;
    }
    const stillValid = () => gate.admit(live, request, true);
    stillValid()
      .then((caller) => {
        const asked = askedFor(request);
        sockets.handleUpgrade(request, socket, head, (ws) =>
          serveWebSocket({ app, socket: ws, request, caller, stillValid, wire: socket, asked }),
        );
      })
      .catch((error: unknown) => refuseSocket(socket, toAppError(error, logger, requestId), requestId));
  });

  const endStreams = (code: number, reason: string) => {
    for (const stream of streams) stream.end();
    for (const ws of sockets.clients) ws.close(code, reason);
  };
  // Heartbeats would go on saying that all is well while nothing can be read: the reader is to know, and comes again.
  app.db.availability.onChange((change) => {
    if (change.is === 'away') endStreams(TRY_AGAIN_LATER, 'the database does not answer');
  });

  return {
    close() {
      endStreams(GOING_AWAY, 'server going away');
      sockets.close();
    },
  };
}

const asked = z.strictObject({ topics: live.input.shape.topics, after: live.input.shape.after });

// `/v1/live?topics=…&after=…` subscribes by the address; without either, the client sends its subscriptions.
function askedFor(request: IncomingMessage): Asked | undefined {
  const query = new URLSearchParams(request.url?.split('?')[1] ?? '');
  if (query.size === 0) return undefined;
  const parsed = asked.safeParse(Object.fromEntries(query));
  if (!parsed.success) throw invalidInput(parsed.error);
  return { topics: splitTopics(parsed.data.topics), after: parsed.data.after };
}
