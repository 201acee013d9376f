// One call to the server: the tries it takes, each with its time limit, and the key by which they are one.
import { errorOf, objectOf, type QuarterdeckError, timedOut, unreachable } from './errors.ts';
import { pause, pauseMs, retryAfterMs } from './retry.ts';
import { type CallOptions, requestOf, type Wire } from './wire.ts';

export interface Connection {
  readonly url: string;
  readonly token: string;
  readonly timeoutMs: number;
  readonly retryForMs: number;
  /** The trace that every call belongs to. */
  readonly traceparent?: string | undefined;
}

/** Throws QuarterdeckError; or the reason of `options.signal`, when that ends the call. */
export async function sendCall<T>(
  connection: Connection,
  wire: Wire,
  input: object,
  options: CallOptions = {},
): Promise<T> {
  const { path, body } = requestOf(wire, input);
  const headers: Record<string, string> = {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(wire.keyed ? { 'idempotency-key': options.idempotencyKey ?? randomKey() } : {}),
  };
  const { wait } = input as { readonly wait?: unknown };
  const timeoutMs = (options.timeoutMs ?? connection.timeoutMs) + (typeof wait === 'number' ? wait * 1000 : 0);
  const lastTryAt = performance.now() + (options.retryForMs ?? connection.retryForMs);
  for (let tries = 0; ; tries++) {
    const init = { method: wire.method, headers, ...(body === undefined ? {} : { body }) };
    const outcome = await tryOnce<T>(connection, path, init, timeoutMs, options.signal);
    if ('value' in outcome) return outcome.value;
    const ms = pauseMs(tries, outcome.toldMs, Math.random());
    if (!outcome.error.retryable || performance.now() + ms > lastTryAt) throw outcome.error;
    await pause(ms, options.signal);
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: QuarterdeckError; readonly toldMs: number };

async function tryOnce<T>(
  connection: Connection,
  path: string,
  init: Parameters<typeof open>[2],
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Outcome<T>> {
  signal?.throwIfAborted();
  const limit = timeLimit(timeoutMs, signal);
  try {
    const response = await open(connection, path, { ...init, signal: limit.signal });
    const text = await response.text();
    const value = response.ok ? objectOf(text) : undefined;
    if (value !== undefined) return { value: value as T };
    const toldMs = retryAfterMs(response.headers.get('retry-after'), Date.now());
    return { error: errorOf(response.status, text), toldMs };
  } catch (error) {
    signal?.throwIfAborted();
    return { error: limit.isOver() ? timedOut(timeoutMs) : unreachable(connection.url, error), toldMs: 0 };
  } finally {
    limit.end();
  }
}

/** Sends one request with the credential. A redirect is not followed: the token is for this server alone. */
export function open(
  connection: Pick<Connection, 'url' | 'token' | 'traceparent'>,
  path: string,
  init: Omit<RequestInit, 'headers'> & { readonly headers: Readonly<Record<string, string>> },
): Promise<Response> {
  const { token, traceparent } = connection;
  const trace = traceparent === undefined ? {} : { traceparent };
  const headers = { ...init.headers, ...trace, authorization: `Bearer ${token}` };
  return fetch(connection.url + path, { ...init, headers, redirect: 'manual' });
}

export interface TimeLimit {
  readonly signal: AbortSignal;
  /** Whether it was the time that ran out. */
  isOver(): boolean;
  /** Starts the time anew. */
  again(): void;
  end(): void;
}

/** A signal that ends with `outer` or after `ms`. It leaves no listener behind, however long `outer` lives. */
export function timeLimit(ms: number, outer?: AbortSignal): TimeLimit {
  const controller = new AbortController();
  let over = false;
  const expire = () => {
    over = true;
    controller.abort();
  };
  const stop = () => controller.abort(outer?.reason);
  let timer = setTimeout(expire, ms);
  if (outer?.aborted) stop();
  outer?.addEventListener('abort', stop, { once: true });
  return {
    signal: controller.signal,
    isOver: () => over,
    again() {
      clearTimeout(timer);
      timer = setTimeout(expire, ms);
    },
    end() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', stop);
    },
  };
}

/** 128 bits of chance in text. Not `crypto.randomUUID`, which browsers have on https only. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
