// A WebSocket and an event stream for the hostile tests of the live feed, waited for with a limit.
import { connect, type Socket } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import { type RequestParts, requestBytes } from './wire.ts';

const LIMIT_MS = 10_000;

export interface LiveClient {
  readonly socket: WebSocket;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  readonly messages: any[];
  readonly opened: Promise<void>;
  readonly closed: Promise<number>;
  /** Status of an upgrade that was refused. */
  readonly refused: Promise<number>;
  send(message: unknown): void;
  /** The first message that passes, of those had and those to come. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  until(accept: (message: any) => boolean): Promise<any>;
}

export function openLive(url: string, token: string | undefined, options: ClientOptions = {}): LiveClient {
  const headers = { ...options.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { ...options, headers });
  const messages: LiveClient['messages'] = [];
  let wake = Promise.withResolvers<void>();
  const rouse = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  socket.on('message', (data) => {
    messages.push(JSON.parse(String(data)));
    rouse();
  });
  socket.on('error', () => undefined);
  return {
    socket,
    messages,
    opened: new Promise((resolve) => socket.once('open', () => resolve())),
    closed: new Promise((resolve) => socket.once('close', (code) => resolve(code))),
    refused: new Promise((resolve) =>
      socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0)),
    ),
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    async until(accept) {
      const limit = AbortSignal.timeout(LIMIT_MS);
      limit.addEventListener('abort', rouse);
      for (;;) {
        const found = messages.find(accept);
        if (found !== undefined) return found;
        if (limit.aborted) throw new Error(`not received; last: ${JSON.stringify(messages.slice(-3)).slice(0, 500)}`);
        await wake.promise;
      }
    },
  };
}

export interface RawStream {
  readonly socket: Socket;
  /** All that came until it holds this text. */
  until(text: string): Promise<string>;
  readonly closed: Promise<void>;
}

/** Sends a request and keeps what comes, for answers that have no end. */
export function openStream(port: number, parts: RequestParts): RawStream {
  let received = '';
  let wake = Promise.withResolvers<void>();
  const rouse = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  const socket = connect(port, '127.0.0.1', () => socket.write(requestBytes(parts)));
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    received += text;
    rouse();
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    socket,
    closed,
    async until(text) {
      const limit = AbortSignal.timeout(LIMIT_MS);
      limit.addEventListener('abort', rouse);
      while (!received.includes(text)) {
        if (limit.aborted || socket.destroyed) throw new Error(`not received; have ${received.slice(-500)}`);
        await wake.promise;
      }
      return received;
    },
  };
}
