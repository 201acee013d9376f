// Making a new cluster. It is made beside its place and renamed into it: kill -9 at any moment leaves either no cluster
// or a whole one.
import {
  chownSync,
  closeSync,
  fchownSync,
  lchownSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findProcessesByMarker, processStartTime } from '../../process/facts.ts';
import { stopProcess } from '../../process/stop.ts';
import type { DatabaseAccount } from './account.ts';
import { runCommand } from './command.ts';
import type { Engine } from './engine.ts';
import { EmbeddedFailure, readLastWords } from './failure.ts';
import { ensureDirectory } from './layout.ts';
import { syncDirectory } from './secrets.ts';
import { includeSettings } from './settings.ts';

export interface ClusterPlan {
  engine: Engine;
  /** Where the cluster goes. */
  cluster: string;
  account: DatabaseAccount | undefined;
  /** The superuser's password; without one everybody on this machine is trusted and nothing is synced: for tests. */
  password?: string;
}

/** Name of the superuser of every cluster made here. */
export const SUPERUSER = 'postgres';

// Marks initdb and what it starts, to find what a killed keeper left running.
const MARKER = 'QUARTERDECK_INITDB';

/** Creates the cluster. The caller has made sure that there is none. */
export async function createCluster(plan: ClusterPlan): Promise<void> {
  const { engine, cluster, account, password } = plan;
  const temporary = `${cluster}.init.${process.pid}`;
  ensureDirectory(temporary, 0o700, account?.init);
  try {
    await runInitdb(plan, temporary);
    includeSettings(temporary);
    if (password !== undefined) await run(engine, ['-D', temporary, '--sync-only'], plan);
    if (account && account.run.uid !== account.init.uid) chownTree(temporary, account.run.uid, account.run.gid);
    renameSync(temporary, cluster);
    syncDirectory(dirname(cluster));
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Ends and removes what a keeper that died while making a cluster has left. */
export async function removeHalfClusters(cluster: string): Promise<void> {
  // The child that initdb feeds inherits the marker and is found as well.
  for (const pid of findProcessesByMarker(MARKER, cluster)) {
    const startTime = processStartTime(pid);
    if (startTime) await stopProcess(pid, startTime, { signal: 'SIGKILL' });
  }
  const parent = dirname(cluster);
  for (const name of readdirSync(parent)) {
    if (name.startsWith(`${basename(cluster)}.init.`)) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** Major version that a cluster belongs to; undefined where there is no cluster. */
export function clusterMajor(cluster: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(join(cluster, 'PG_VERSION'), 'utf8'), 10);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function runInitdb(plan: ClusterPlan, directory: string): Promise<void> {
  const { engine, account, password } = plan;
  const args = [
    ['-D', directory, '-U', SUPERUSER, '--data-checksums', '--no-sync', '--no-instructions'],
    ['--encoding=UTF8', '--locale-provider=builtin', '--locale=C.UTF-8'],
    // Stated here too, else initdb tries out settings by starting servers, which fails without /dev/shm.
    ['-c', 'dynamic_shared_memory_type=mmap', '-c', 'shared_buffers=64MB', '-c', 'max_connections=60'],
    ['-c', 'huge_pages=off', '-c', 'timezone=UTC', '-c', 'log_timezone=UTC'],
    password === undefined ? ['-A', 'trust'] : ['-A', 'scram-sha-256', '--pwfile=/dev/fd/3'],
  ].flat();
  if (password === undefined) return run(engine, args, plan);

  const descriptor = openUnlinked(`${directory}.password`, password, account?.init);
  try {
    await run(engine, args, plan, descriptor);
  } finally {
    closeSync(descriptor);
  }
}

// A file without a name: initdb reads it by its descriptor, and no crash leaves it behind.
function openUnlinked(path: string, content: string, owner: { uid: number; gid: number } | undefined): number {
  const descriptor = openSync(path, 'wx+', 0o600);
  rmSync(path);
  // At a position of its own, so that a reader sharing the offset starts at the beginning.
  writeSync(descriptor, content, 0);
  if (owner) fchownSync(descriptor, owner.uid, owner.gid);
  return descriptor;
}

async function run(engine: Engine, args: string[], plan: ClusterPlan, descriptor?: number): Promise<void> {
  const { code, signal, output } = await runCommand(engine.initdb, args, {
    account: plan.account?.init,
    env: { [MARKER]: plan.cluster },
    ...(descriptor !== undefined && { descriptor }),
  });
  if (code === 0) return;
  const meaning = readLastWords(output);
  if (meaning === 'no_account') {
    throw new EmbeddedFailure(
      'no_account',
      `the account ${process.getuid?.()} has no entry in /etc/passwd, which initdb needs`,
      {
        hint: 'Add one for it, start once as root, or set DATABASE_URL.',
      },
    );
  }
  const ending = signal ? `was ended by ${signal}` : `failed with ${code}`;
  const words = output.trim().split('\n').slice(-5).join('\n');
  throw new EmbeddedFailure(meaning ?? 'start_failed', `making the database ${ending}: ${words}`, {
    retryable: meaning === 'disk_full',
  });
}

function chownTree(path: string, uid: number, gid: number): void {
  chownSync(path, uid, gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) chownTree(child, uid, gid);
    else lchownSync(child, uid, gid);
  }
}
