// The live feed: every event once and in order, over any number of broken connections. Server-sent events by fetch, which
// every runtime has and which carries the token in a header; a browser's WebSocket cannot.
import { type Connection, open, timeLimit } from './connection.ts';
import { errorOf, objectOf, QuarterdeckError, unreachable } from './errors.ts';
import { streamMessages } from './event-stream.ts';
import type { EventListItem } from './operations.ts';
import { pause, pauseMs, retryAfterMs } from './retry.ts';
import { requestOf } from './wire.ts';

export interface LiveInput {
  /** `everything`, `agent:<name>`, `job:<id>`, `tenant:<slug>`, `type:<event type or prefix.*>`; default: everything. */
  readonly topics?: readonly string[] | undefined;
  /** Continue behind this cursor; without it from now on. */
  readonly after?: string | undefined;
  /** Ends the feed, quietly. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * `reset`: the log was restored, moved or archived, and what happened meanwhile cannot be told event by event. Read again what was
 * built from events; the feed goes on from `cursor`.
 */
export type LiveMessage =
  | { readonly type: 'event'; readonly cursor: string; readonly event: EventListItem }
  | { readonly type: 'reset'; readonly cursor: string };

/** The server says something at least every 15 s; a connection that is silent for this long is dead. */
const LONGEST_SILENCE_MS = 45_000;

/** Throws QuarterdeckError when the server refuses: the credential ended, a topic does not exist. */
export async function* followLive(
  connection: Pick<Connection, 'url' | 'token'>,
  { topics, after, signal }: LiveInput = {},
  longestSilenceMs = LONGEST_SILENCE_MS,
): AsyncGenerator<LiveMessage> {
  let place = after;
  for (let tries = 0; ; tries++) {
    const limit = timeLimit(longestSilenceMs, signal);
    let toldMs = 0;
    try {
      const query = topics === undefined ? {} : { topics: topics.join(',') };
      const { path } = requestOf({ method: 'GET', path: '/v1/live' }, { ...query, after: place });
      const headers = { accept: 'text/event-stream' };
      const response = await open(connection, path, { headers, signal: limit.signal });
      if (!isStream(response)) {
        toldMs = retryAfterMs(response.headers.get('retry-after'), Date.now());
        throw errorOf(response.status, await response.text());
      }
      for await (const { id, event, data } of streamMessages(response.body, limit.again)) {
        const value = objectOf(data);
        if (value === undefined) throw unreachable(connection.url, new Error('the stream was garbled'));
        tries = 0;
        place = id ?? place;
        if (event === 'event') {
          yield { type: 'event', cursor: String(value['cursor']), event: value as unknown as EventListItem };
        } else if (event === 'state' && value['state'] === 'reset') {
          yield { type: 'reset', cursor: String(value['cursor']) };
        }
      }
    } catch (error) {
      if (error instanceof QuarterdeckError && !error.retryable) throw error;
    } finally {
      limit.end();
    }
    if (signal?.aborted) return;
    await pause(pauseMs(tries, toldMs, Math.random()), signal).catch(() => undefined);
    if (signal?.aborted) return;
  }
}

function isStream(response: Response): response is Response & { readonly body: ReadableStream<Uint8Array> } {
  const type = response.headers.get('content-type') ?? '';
  return response.ok && response.body !== null && type.includes('text/event-stream');
}
