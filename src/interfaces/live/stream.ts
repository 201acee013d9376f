// What WebSocket and SSE share: a bounded way out to one reader, and the end of the stream when its credential ends.
import type { App } from '../../app.ts';
import type { EventItem } from '../../domains/log/index.ts';
import type { Caller } from '../../platform/call.ts';
import { isAppError } from '../../platform/errors.ts';
import { wireId } from '../../platform/ids.ts';

/** Bytes that may wait for a slow reader; above it the stream is closed and the reader resumes by its cursor. */
export const MOST_UNSENT = 1024 * 1024;
export const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so long is gone. */
export const LONGEST_SILENCE_MS = 60_000;
const ENOUGH_UNSENT = 256 * 1024;

/** Makes whoever reads out history wait while much of it waits to be sent. */
export class Pace {
  readonly #unsent: () => number;
  #waiting: PromiseWithResolvers<void> | undefined;
  #since = 0;

  constructor(unsent: () => number) {
    this.#unsent = unsent;
  }

  /** Resolves when little waits to be sent; undefined: go on at once. */
  ready(): Promise<void> | undefined {
    if (this.#unsent() < ENOUGH_UNSENT) return undefined;
    if (this.#waiting === undefined) {
      this.#waiting = Promise.withResolvers();
      this.#since = performance.now();
    }
    return this.#waiting.promise;
  }

  /** To be called when something was sent. */
  sent(): void {
    if (this.#unsent() < ENOUGH_UNSENT) this.end();
    else this.#since = performance.now();
  }

  /** To be called when nothing will be sent any more. */
  end(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  get isStuck(): boolean {
    return this.#waiting !== undefined && performance.now() - this.#since > LONGEST_SILENCE_MS;
  }
}

/**
 * Calls `end` when the log tells that the credential ended, before any later event is handed on; what the log does not
 * tell (an expiry, a lease that ran out) is found by looking again once a heartbeat.
 */
export function watchCredential(
  app: App,
  caller: Caller,
  stillValid: () => Promise<unknown>,
  end: () => void,
): () => void {
  const stop = app.log.tail.listen({
    events: (batch) => {
      if (batch.some((event) => endsCredential(event.item, caller))) end();
    },
    reset: () => undefined,
  });
  const timer = setInterval(() => {
    stillValid().catch((error: unknown) => {
      // While the database is away nobody is judged, and nothing is delivered either.
      if (isAppError(error) && error.status === 401) end();
    });
  }, HEARTBEAT_MS);
  return () => {
    clearInterval(timer);
    stop();
  };
}

function endsCredential(event: EventItem, caller: Caller): boolean {
  const { credential } = caller;
  if (credential === undefined) return false;
  if (event.event_type === 'access.token.revoked') return event.payload['token_id'] === wireId('tok', credential.id);
  if (event.event_type === 'access.operator.signed_out') {
    return event.payload['session'] === wireId('ses', credential.id);
  }
  return false;
}
