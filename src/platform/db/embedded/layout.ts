// Where the embedded server keeps what, below the data directory, and with which modes.
//
// The data directory belongs to whoever runs the keeper, 0700. As root the server runs under an account of its own,
// which must be able to pass: then the data directory gets 0711 (names in it cannot be listed) and everything below
// has a mode of its own:
//
//   engine/<version>/    0755  copy of the binaries; nothing secret
//   postgres/            0700  the cluster, owned by the database's account
//   postgres.init.<pid>/ 0700  a cluster being made
//   postgres.sockets/    0711  the UNIX socket (0700), owned by the database's account
//   postgres.port, postgres.reserve
//   postgres.restored/, postgres.next/   0700  a cluster that is about to take the place (swap.ts)
//   postgres.swap.json                         that it takes the place now
//   copies/<name>/       0711  what a version of Quarterdeck left, of before an upgrade (copies.ts); postgres/ in it is 0700
//   logs/, secrets/      0700  of the keeper: the server gets its log file already open
import { chmodSync, chownSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Layout {
  /** The data directory, as a real path: the kernel names a process's directory so. */
  root: string;
  engines: string;
  cluster: string;
  sockets: string;
  logs: string;
  logFile: string;
  secrets: string;
  portFile: string;
  reserve: string;
  copies: string;
  /** A cluster made from a copy, until it is in place. */
  restored: string;
  /** A cluster of the next major version, until it is in place. */
  next: string;
  swapFile: string;
}

export function layoutOf(dataDir: string): Layout {
  const root = realpathSync(dataDir);
  return {
    root,
    engines: join(root, 'engine'),
    cluster: join(root, 'postgres'),
    sockets: join(root, 'postgres.sockets'),
    logs: join(root, 'logs'),
    logFile: join(root, 'logs', 'postgres.log'),
    secrets: join(root, 'secrets'),
    portFile: join(root, 'postgres.port'),
    reserve: join(root, 'postgres.reserve'),
    copies: join(root, 'copies'),
    restored: join(root, 'postgres.restored'),
    next: join(root, 'postgres.next'),
    swapFile: join(root, 'postgres.swap.json'),
  };
}

/** Makes the directory when absent; mode and owner are set either way, whatever the umask is. */
export function ensureDirectory(path: string, mode: number, owner?: { uid: number; gid: number }): void {
  mkdirSync(path, { recursive: true, mode });
  const facts = statSync(path);
  if ((facts.mode & 0o777) !== mode) chmodSync(path, mode);
  if (owner && (facts.uid !== owner.uid || facts.gid !== owner.gid)) chownSync(path, owner.uid, owner.gid);
}

// sun_path holds 108 bytes with the closing NUL; beyond it PostgreSQL refuses to start and Node's connect gives EINVAL.
const SOCKET_PATH_BYTES = 107;

/** The directory of the UNIX socket, undefined where the path of the socket would be too long: then loopback only. */
export function socketDirectory(layout: Layout, port: number): string | undefined {
  const socket = join(layout.sockets, `.s.PGSQL.${port}`);
  return Buffer.byteLength(socket) <= SOCKET_PATH_BYTES ? layout.sockets : undefined;
}
