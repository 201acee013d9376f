// What WebSocket and SSE share: a bounded way out to one reader, and the end of the stream when its credential ends.
import type { App } from '../../app.ts';
import type { EventItem } from '../../domains/log/index.ts';
import type { Caller } from '../../platform/call.ts';
import { isAppError } from '../../platform/errors.ts';
import { wireId } from '../../platform/ids.ts';

/** Bytes that may wait for a slow reader; above it the stream is closed and the reader resumes by its cursor. */
export const MOST_UNSENT = 1024 * 1024;
export const HEARTBEAT_MS = 15_000;

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
