// Says within seconds that a server cannot be reached. A refused connection is known at once, but an address where
// nobody is swallows packets, and fetch itself goes on trying for longer than anybody waits.
import { connect, type Socket } from 'node:net';
import { isLoopback } from '../../config/settings.ts';

const LIMIT_MS = 4_000;

export interface Reach {
  /** Aborted when no connection came about in time. */
  readonly unreached: AbortSignal;
  end(): void;
}

/** A connection of its own beside the request, closed as soon as it stands. */
export function watchReach(
  url: string,
  limitMs: number = LIMIT_MS,
  open: (to: { readonly host: string; readonly port: number }) => Socket = connect,
): Reach {
  const abort = new AbortController();
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  // This machine answers or refuses at once; and through a proxy a direct connection says nothing.
  if (isLoopback(host) || process.env['NODE_USE_ENV_PROXY'] === '1') {
    return { unreached: abort.signal, end: () => undefined };
  }
  const socket = open({ host, port: Number(port || (protocol === 'https:' ? 443 : 80)) });
  const timer = setTimeout(() => abort.abort(new Unreached()), limitMs);
  const end = () => {
    clearTimeout(timer);
    socket.destroy();
  };
  // What a failed connection means the request itself finds out.
  socket.on('error', end);
  socket.on('connect', end);
  return { unreached: abort.signal, end };
}

class Unreached extends Error {
  override readonly name = 'Unreached';
  readonly code = 'ETIMEDOUT';
}
