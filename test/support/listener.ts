// Listening sockets for tests, on loopback.
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';

/** Listens on this port of the loopback address, or on a free one, and gives the port. */
export async function listenerPort(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
