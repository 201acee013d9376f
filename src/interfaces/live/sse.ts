// /v1/live by server-sent events: one subscription a connection; the browser resumes by Last-Event-ID.
import type { ServerResponse } from 'node:http';
import type { App } from '../../app.ts';
import { type FeedSink, type FeedSubscription, splitTopics } from '../../domains/log/index.ts';
import type { Call } from '../../platform/call.ts';
import { HEARTBEAT_MS, MOST_UNSENT, Pace, watchCredential } from './stream.ts';

export interface EventStreamOptions {
  readonly app: App;
  readonly call: Call;
  readonly response: ServerResponse;
  readonly topics: string | undefined;
  readonly after: string | undefined;
  readonly stillValid: () => Promise<unknown>;
}

/** Takes the response over; `end` it to stop. Throws `log.bad_topic`, `log.bad_cursor` before anything was written. */
export function serveEventStream(options: EventStreamOptions): void {
  const { app, call, response } = options;
  const pace = new Pace(() => (response.destroyed ? 0 : response.writableLength));
  const send = (text: string) => {
    if (response.writableEnded) return;
    if (response.writableLength > MOST_UNSENT) response.destroy();
    else response.write(text, () => pace.sent());
  };
  // Before the feed hears of a batch: it may hold the end of the credential and what came after it.
  const stopWatching = watchCredential(app, call.caller, options.stillValid, () => response.end());
  const feed = subscribe(options, stopWatching, {
    state: (state, cursor) => send(`event: state\nid: ${cursor}\ndata: ${JSON.stringify({ state, cursor })}\n\n`),
    // JSON holds no raw line break, so one event stays one event.
    event: (event) => send(`event: event\nid: ${event.cursor}\ndata: ${event.json}\n\n`),
    ready: () => pace.ready(),
  });
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  // Without this the client hears nothing until the first event.
  response.flushHeaders();
  send('retry: 2000\n\n');
  const heartbeat = setInterval(() => {
    if (pace.isStuck) response.destroy();
    else send(`: ${new Date().toISOString()}\n\n`);
  }, HEARTBEAT_MS);
  const stop = () => {
    clearInterval(heartbeat);
    stopWatching();
    feed.close();
    pace.end();
  };
  response.once('close', stop);
  feed.start().catch(() => response.end());
}

function subscribe(options: EventStreamOptions, stopWatching: () => void, sink: FeedSink): FeedSubscription {
  const { app, call, topics, after } = options;
  try {
    return app.log.subscribe(call, { topics: splitTopics(topics), after, sink });
  } catch (error) {
    stopWatching();
    throw error;
  }
}
