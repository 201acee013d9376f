import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { askHealth, type Health, type HealthServer, serveHealth } from './health.ts';

const health: Health = { role: 'engine', pid: process.pid, ready: true, database: 'answers' };
let server: HealthServer | undefined;
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.close();
});

it('answers beside any number of connections that say nothing, and sends them off soon', async () => {
  server = await serveHealth(() => health);
  const { port } = server;
  const closed: Promise<unknown>[] = [];
  for (let count = 0; count < 50; count++) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    closed.push(once(socket.resume(), 'close'));
    await once(socket, 'connect');
  }
  expect(await askHealth(port, 2_000)).toEqual(health);
  await Promise.all(closed);
}, 10_000);
