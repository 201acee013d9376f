// A cluster for tests only: no password, no fsync, gone at its end, also when the process that wanted it is killed.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { chooseAccount, openTheWay } from './account.ts';
import { findEngineSource, installEngine } from './engine.ts';
import { createCluster, SUPERUSER } from './initdb.ts';
import { ensureDirectory, layoutOf } from './layout.ts';
import { findFreePort } from './port.ts';
import { launch, stopPostmaster } from './postmaster.ts';
import { listenArguments } from './settings.ts';

export interface ScratchCluster {
  host: string;
  port: number;
  /** Address of the superuser's database. */
  url: string;
  pid: number;
  /** Stops the server and removes the directory. */
  stop(): Promise<void>;
}

export interface ScratchOptions {
  /** An absent or empty directory, which is removed at the end. */
  dir: string;
  /** More settings, by name. */
  settings?: Record<string, string>;
}

export async function startScratchCluster({ dir, settings = {} }: ScratchOptions): Promise<ScratchCluster> {
  ensureDirectory(dir, 0o700);
  const layout = layoutOf(dir);
  const account = await chooseAccount(layout.cluster);
  if (account) await openTheWay(layout, account);
  ensureDirectory(layout.logs, 0o700);
  const engine = await installEngine(findEngineSource(), layout.engines);
  const { cluster, logFile } = layout;
  await createCluster({ engine, cluster, account });

  const port = await findFreePort();
  const careless = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off', jit: 'off' };
  const args = [
    ...listenArguments(port, undefined),
    ...Object.entries({ max_connections: '100', ...careless, ...settings }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]),
  ];
  const postmaster = await launch({ engine, cluster, account: account?.run, port, args, logFile, log: () => {} });
  const guard = startGuard(layout.root, postmaster.pid);
  return {
    host: '127.0.0.1',
    port,
    url: `postgres://${SUPERUSER}@127.0.0.1:${port}/postgres`,
    pid: postmaster.pid,
    async stop() {
      await stopPostmaster(postmaster);
      rmSync(layout.root, { recursive: true, force: true });
      guard.end();
    },
  };
}

// Waits until our end of the pipe closes, which the kernel does also after kill -9, then stops what the pid file still
// names and removes the directory.
const GUARD = `
  read _
  if [ "$(head -n 1 "$0/postgres/postmaster.pid" 2>/dev/null)" = "$1" ]; then
    kill -INT "$1" 2>/dev/null
    while [ -e "$0/postgres/postmaster.pid" ] && kill -0 "$1" 2>/dev/null; do sleep 0.05; done
  fi
  rm -rf "$0"`;

function startGuard(root: string, pid: number): { end(): void } {
  const guard = spawn('/bin/sh', ['-c', GUARD, root, String(pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  // The pipe must not keep us alive, nor its end at a guard that is already gone throw.
  guard.stdin.on('error', () => {});
  (guard.stdin as unknown as { unref(): void }).unref();
  return { end: () => guard.stdin.end() };
}
