// /v1/live by WebSocket: several subscriptions on one connection, each event sent once with the ids it is for.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { App } from '../../app.ts';
import type { FeedItem, FeedSubscription } from '../../domains/log/index.ts';
import type { Caller } from '../../platform/call.ts';
import { isAppError } from '../../platform/errors.ts';
import { parseJsonText } from '../../platform/json-text.ts';
import { frames } from './frames.ts';
import { HEARTBEAT_MS, LONGEST_SILENCE_MS, MOST_UNSENT, Pace, watchCredential } from './stream.ts';

const clientMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('subscribe'),
    id: z.string().min(1).max(64),
    topics: z.array(z.string().min(1).max(250)).min(1).max(50),
    after: z.string().max(64).optional(),
  }),
  z.strictObject({ type: z.literal('unsubscribe'), id: z.string().min(1).max(64) }),
  z.strictObject({ type: z.literal('ping') }),
]);
type ClientMessage = z.output<typeof clientMessage>;

const MOST_SUBSCRIPTIONS = 100;

const corked = new WeakSet<Duplex>();
const MOST_HELD_BACK = 64 * 1024;

// A hundred readers times a batch of five events is five hundred writes; corked for the turn it is a hundred. Much is
// never held back: it would look as if the reader were slow.
function together(wire: Duplex): void {
  if (corked.has(wire)) {
    if (wire.writableLength > MOST_HELD_BACK) release(wire);
    return;
  }
  corked.add(wire);
  wire.cork();
  process.nextTick(() => release(wire));
}

function release(wire: Duplex): void {
  if (corked.delete(wire)) wire.uncork();
}

/** Close codes beyond the standard ones. */
const CREDENTIAL_ENDED = 4401;
const TOO_SLOW = 4008;

export interface LiveConnection {
  readonly app: App;
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  readonly caller: Caller;
  readonly stillValid: () => Promise<unknown>;
  /** What the socket writes to: held back while one batch of events is written, so that it leaves in one piece. */
  readonly wire: Duplex;
  /** A subscription that the address itself asks for; its id is `live`. */
  readonly asked: Asked | undefined;
}

export interface Asked {
  readonly topics: readonly string[];
  readonly after: string | undefined;
}

export function serveWebSocket({ app, socket, caller, stillValid, wire, asked }: LiveConnection): void {
  const call = app.call(caller);
  const subscriptions = new Map<string, FeedSubscription>();
  let heardAt = performance.now();
  // The log position that the last heartbeat may claim: what every subscription has been given.
  const stopWatching = watchCredential(app, caller, stillValid, () =>
    socket.close(CREDENTIAL_ENDED, 'credential ended'),
  );

  const pace = new Pace(() => (socket.readyState === socket.OPEN ? socket.bufferedAmount : 0));
  const send = (message: string | Buffer) => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MOST_UNSENT) socket.close(TOO_SLOW, 'too slow, resume');
    else {
      together(wire);
      socket.send(message, { binary: false }, () => pace.sent());
    }
  };
  const refuse = (code: string, detail: string) => send(JSON.stringify({ type: 'error', code, detail }));

  const subscribe = (message: Omit<Extract<ClientMessage, { type: 'subscribe' }>, 'type'>) => {
    if (!subscriptions.has(message.id) && subscriptions.size >= MOST_SUBSCRIPTIONS) {
      refuse('log.too_many_topics', `at most ${MOST_SUBSCRIPTIONS} subscriptions`);
      return;
    }
    const { id } = message;
    const idJson = JSON.stringify(id);
    const feed = app.log.subscribe(call, {
      topics: message.topics,
      after: message.after,
      sink: {
        state: (state, cursor) => send(JSON.stringify({ type: 'subscribed', id, state, cursor })),
        event: (event: FeedItem) => send(frames.of(event, idJson)),
        ready: () => pace.ready(),
      },
    });
    subscriptions.get(id)?.close();
    subscriptions.set(id, feed);
    // The database is away: closed, the reader comes again with its cursor.
    feed.start().catch(() => socket.close(1013, 'try again later'));
  };

  if (asked !== undefined) {
    try {
      subscribe({ id: 'live', topics: [...asked.topics], after: asked.after });
    } catch (error) {
      if (isAppError(error)) refuse(error.code, error.message);
      socket.close(isAppError(error) ? 1008 : 1011, 'refused');
    }
  }

  socket.on('message', (data, isBinary) => {
    heardAt = performance.now();
    if (isBinary) {
      socket.close(1003, 'text only');
      return;
    }
    try {
      const message = clientMessage.safeParse(parseJsonText(String(data)));
      if (!message.success) refuse('invalid_input', message.error.issues[0]?.message ?? 'unknown message');
      else if (message.data.type === 'subscribe') subscribe(message.data);
      else if (message.data.type === 'unsubscribe') {
        subscriptions.get(message.data.id)?.close();
        subscriptions.delete(message.data.id);
      } else send('{"type":"pong"}');
    } catch (error) {
      if (isAppError(error)) refuse(error.code, error.message);
      else socket.close(1011, 'internal');
    }
  });
  socket.on('pong', () => {
    heardAt = performance.now();
  });

  const heartbeat = setInterval(() => {
    if (performance.now() - heardAt > LONGEST_SILENCE_MS) {
      socket.terminate();
      return;
    }
    socket.ping();
    const [feed] = subscriptions.values();
    const time = new Date().toISOString();
    send(JSON.stringify({ type: 'heartbeat', cursor: feed?.cursor ?? null, time }));
  }, HEARTBEAT_MS);

  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearInterval(heartbeat);
    stopWatching();
    for (const feed of subscriptions.values()) feed.close();
    subscriptions.clear();
    pace.end();
  });
}
