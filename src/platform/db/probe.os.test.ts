import { createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { listenerPort } from '../../../test/support/listener.ts';
import { databaseAnswers } from './probe.ts';

const LIMIT_MS = 200;

/** A server that does this with whoever connects. */
async function serve(accept: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    accept(socket);
  });
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return listenerPort(server);
}

it.each(['S', 'N'])('a server that says %s to encryption answers', async (answer) => {
  const port = await serve((socket) => socket.once('data', () => socket.write(answer)));
  expect(await databaseAnswers('127.0.0.1', port, LIMIT_MS)).toBe(true);
});

it('a server that lets one connect and says nothing does not answer, and is given no more time than the limit', async () => {
  const port = await serve(() => undefined);
  const startedAt = performance.now();
  expect(await databaseAnswers('127.0.0.1', port, LIMIT_MS)).toBe(false);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(LIMIT_MS - 5);
});

it('a server of something else, one that hangs up, and none at all do not answer', async () => {
  const other = await serve((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const rude = await serve((socket) => socket.destroy());
  const gone = createServer();
  const nobody = await listenerPort(gone);
  await new Promise((resolve) => gone.close(resolve));
  for (const port of [other, rude, nobody]) expect(await databaseAnswers('127.0.0.1', port, LIMIT_MS)).toBe(false);
});
