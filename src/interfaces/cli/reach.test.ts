import { Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { watchReach } from './reach.ts';

// It never connects, like one to an address that swallows packets.
const silent = () => new Socket();

it('a server that swallows packets is given up, and says so by a code', async () => {
  const reach = watchReach('https://deck.example', 1, silent);
  await vi.waitFor(() => expect(reach.unreached.aborted).toBe(true));
  expect(reach.unreached.reason).toMatchObject({ code: 'ETIMEDOUT' });
});

it.each(['connect', 'error'])('is silent once the connection has come to its %s', (outcome) => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const socket = new Socket();
  const reach = watchReach('https://deck.example', 1, () => socket);
  socket.emit(outcome, new Error('no route'));
  expect(socket.destroyed).toBe(true);
  vi.advanceTimersByTime(100);
  expect(reach.unreached.aborted).toBe(false);
});

it('asks nothing of this machine, which answers at once', () => {
  const open = vi.fn(silent);
  watchReach('http://127.0.0.1:4600', 1, open);
  watchReach('http://[::1]:4600', 1, open);
  expect(open).not.toHaveBeenCalled();
});
