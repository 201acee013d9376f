import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import type { App } from '../../app.ts';
import type { Caller } from '../../platform/call.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { serveWebSocket } from './websocket.ts';

/** What the server does with a socket, without a network. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: string[] = [];
  readonly closes: number[] = [];
  pings = 0;
  terminated = false;

  send(text: string): void {
    this.sent.push(text);
  }
  ping(): void {
    this.pings++;
  }
  close(code: number): void {
    this.closes.push(code);
    this.readyState = 2;
  }
  terminate(): void {
    this.terminated = true;
    this.emit('close');
  }
}

const caller: Caller = {
  kind: 'operator',
  id: 'o',
  name: 'operator:ada',
  tenant: { id: 't', slug: 'fleet' },
  abilities: new Set(),
  credential: { id: 'c', kind: 'operator' },
};

function serve(stillValid: () => Promise<unknown> = async () => undefined): FakeSocket {
  const socket = new FakeSocket();
  const app = { call: () => ({}), log: { tail: { listen: () => () => undefined } } } as unknown as App;
  serveWebSocket({
    app,
    socket: socket as unknown as WebSocket,
    request: {} as IncomingMessage,
    caller,
    stillValid,
    wire: new PassThrough(),
    asked: undefined,
  });
  return socket;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a live connection', () => {
  it('that answers no ping for a minute is cut off, and not before', () => {
    const socket = serve();
    vi.advanceTimersByTime(60_000);
    expect(socket.terminated).toBe(false);
    expect(socket.pings).toBe(4);
    vi.advanceTimersByTime(15_000);
    expect(socket.terminated).toBe(true);
    vi.advanceTimersByTime(600_000);
    expect(socket.pings).toBe(4);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['pong', 'message'])('that gives a sign of life by a %s is kept', (sign) => {
    const socket = serve();
    for (let minute = 0; minute < 10; minute++) {
      vi.advanceTimersByTime(55_000);
      socket.emit(sign, '{"type":"ping"}', false);
    }
    expect(socket.terminated).toBe(false);
  });

  it('is told every fifteen seconds that it is alive', () => {
    const socket = serve();
    vi.advanceTimersByTime(15_000);
    expect(JSON.parse(socket.sent[0]!)).toMatchObject({ type: 'heartbeat', cursor: null });
  });

  it('gets nothing more once a mebibyte waits for it, and is closed', () => {
    const socket = serve();
    socket.bufferedAmount = 1024 * 1024 + 1;
    socket.emit('message', '{"type":"ping"}', false);
    socket.emit('message', '{"type":"ping"}', false);
    expect(socket.sent).toEqual([]);
    expect(socket.closes).toEqual([4008]);
  });

  it('is closed when its credential has ended without a word in the log, and kept while nobody can tell', async () => {
    const socket = serve(() => Promise.reject(platformErrors.token_expired()));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(socket.closes).toEqual([4401]);
    const kept = serve(() => Promise.reject(platformErrors.unavailable()));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(kept.closes).toEqual([]);
  });
});
