// One route an operation: admit the caller, read the input, run, answer what the output schema lets through.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../app.ts';
import type { BrowserSession, Call, Caller } from '../../platform/call.ts';
import { type AnyOperation, type BoundOperation, takesIdempotencyKey } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import type { Gate } from './authenticate.ts';
import { readInput } from './input.ts';
import { requestIdOf } from './problem.ts';
import { sessionCookie } from './session-cookie.ts';

export interface RouteOptions {
  readonly app: App;
  readonly gate: Gate;
  /** Ends when the server stops: waiting polls then answer what they have. */
  readonly closing: AbortSignal;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set by `admitFirst`. */
    caller: Caller;
  }
}

const KEY = /^[\x21-\x7e]{1,200}$/;

export function addRoute(server: FastifyInstance, bound: BoundOperation, options: RouteOptions): void {
  const { operation } = bound;
  server.route({
    method: operation.method,
    url: operation.path.replace(/\{(\w+)\}/g, ':$1'),
    bodyLimit: operation.bodyLimit,
    exposeHeadRoute: false,
    onRequest: admitFirst(operation, options.gate),
    handler: (request, reply) => answer(bound, request, reply, options),
  });
}

/**
 * A path without parameters is nobody's id: where another operation's pattern would take it for one under a method that
 * the path itself does not have (`PATCH /v1/jobs/claims`), the answer is what it is for any wrong method.
 */
export function keepLiteralPaths(server: FastifyInstance, operations: readonly AnyOperation[]): void {
  for (const path of new Set(operations.map((operation) => operation.path))) {
    if (path.includes('{')) continue;
    const own = new Set(operations.filter((operation) => operation.path === path).map(({ method }) => method));
    const taken = operations.filter(
      (operation) => operation.path !== path && !own.has(operation.method) && matches(operation.path, path),
    );
    for (const method of new Set(taken.map((operation) => operation.method))) {
      server.route({ method, url: path, exposeHeadRoute: false, handler: (_, reply) => reply.callNotFound() });
    }
  }
}

function matches(pattern: string, path: string): boolean {
  const [wanted, parts] = [pattern.split('/'), path.split('/')];
  return wanted.length === parts.length && wanted.every((part, i) => part.startsWith('{') || part === parts[i]);
}

/** Admits the caller before the body is read: whoever may not ask is not listened to. */
export function admitFirst(operation: AnyOperation, gate: Gate): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    request.caller = await gate.admit(operation, request.raw);
  };
}

/** Runs a unary or poll operation for a request. */
export async function answer(
  bound: BoundOperation,
  request: FastifyRequest,
  reply: FastifyReply,
  options: RouteOptions,
): Promise<FastifyReply> {
  const { operation } = bound;
  const { caller } = request;
  const input = readInput(operation, request);
  // An agent that asks for something lives; with a job's token it is still the agent that asks.
  if (caller.kind === 'agent' || caller.kind === 'job') options.app.fleet.seen(caller.id);
  const call = options.app.call(caller, {
    requestId: requestIdOf(request),
    signal: operation.kind === 'poll' || operation.kind === 'stream' ? whileWaiting(reply, options.closing) : never,
    correlationId: correlationOf(request),
    traceparent: firstOf(request.headers['traceparent']),
    browser: browserOf(request, reply, options.gate),
    idempotency: idempotencyOf(operation, request, input),
  });
  const output = operation.output.parse(await run(bound, call, input));
  return reply.status(operation.status).send(output);
}

async function run(bound: BoundOperation, call: Call, input: unknown): Promise<unknown> {
  return bound.run(call, input);
}

// Only what waits can be given up: a unary change is made or not made, whether or not somebody still listens.
const never = new AbortController().signal;

// Ends when the client closes its connection before it has its answer, or when the server stops.
function whileWaiting(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  // It may have left while it was being admitted; then nothing tells of it any more.
  if (reply.raw.destroyed) gone.abort();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort();
  });
  return AbortSignal.any([gone.signal, closing]);
}

function idempotencyOf(operation: AnyOperation, request: FastifyRequest, input: unknown) {
  const key = request.headers['idempotency-key'];
  if (key === undefined || !takesIdempotencyKey(operation)) return undefined;
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw platformErrors.bad_request({ problem: 'Idempotency-Key must be 1 to 200 printable characters' });
  }
  return { key, operation: operation.name, input, showsSecret: operation.secretOutput.length > 0 };
}

// Twice is none, as §4.2 of Trace Context has it.
function firstOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

function correlationOf(request: FastifyRequest): string | undefined {
  const id = request.headers['x-correlation-id'];
  if (id === undefined) return undefined;
  if (typeof id !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(id)) {
    throw platformErrors.bad_request({ problem: 'X-Correlation-Id must be 1 to 64 printable characters' });
  }
  return id;
}

function browserOf(request: FastifyRequest, reply: FastifyReply, gate: Gate): BrowserSession {
  const userAgent = request.headers['user-agent'];
  return {
    facts: { ...(userAgent === undefined ? {} : { userAgent }), address: request.ip },
    setSession: (secret, expires) => reply.header('set-cookie', sessionCookie(secret, expires, gate.isSecure)),
    clearSession: () => reply.header('set-cookie', sessionCookie('', undefined, gate.isSecure)),
  };
}
