// The files of a cluster that no server runs on: how much they are, a copy of them with a hash of each, and the hashes of
// what lies there. A running cluster cannot be copied this way: its files would be of different moments.
import { createHash } from 'node:crypto';
import { chownSync, closeSync, lstatSync, mkdirSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Account } from './account.ts';
import { EmbeddedFailure } from './failure.ts';

export interface FileFacts {
  /** Below the cluster. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

// Facts about a running server, and what it makes anew at each start.
const LEFT_OUT = /(^|\/)(postmaster\.(pid|opts)|pg_internal\.init.*|pgsql_tmp[^/]*)$|^pg_stat_tmp\//;
// Between reading into it and writing from it nobody else gets a turn, so one is enough.
const BLOCK = Buffer.allocUnsafe(1024 * 1024);
const TURN_BYTES = 16 * BLOCK.length;
const TURN_FILES = 64;

/** What a copy of it takes. Throws EmbeddedFailure when the cluster has parts elsewhere. */
export function clusterBytes(cluster: string): number {
  let sum = 0;
  for (const { path, isDirectory } of entriesOf(cluster)) if (!isDirectory) sum += lstatSync(join(cluster, path)).size;
  return sum;
}

/** Copies all files into a new directory; answers what was read. Nothing is synced yet. */
export async function copyFiles(
  from: string,
  to: string,
  { account, signal }: { readonly account: Account | undefined; readonly signal?: AbortSignal | undefined },
): Promise<FileFacts[]> {
  const own = (path: string) => account && chownSync(path, account.uid, account.gid);
  mkdirSync(to, { mode: 0o700 });
  own(to);
  const copied: FileFacts[] = [];
  for (const { path, isDirectory } of entriesOf(from)) {
    signal?.throwIfAborted();
    if (isDirectory) {
      mkdirSync(join(to, path), { mode: 0o700 });
    } else {
      const target = openSync(join(to, path), 'wx', 0o600);
      try {
        copied.push({ path, ...(await readThrough(join(from, path), target)) });
      } finally {
        closeSync(target);
      }
      if (copied.length % TURN_FILES === 0) await setImmediate();
    }
    own(join(to, path));
  }
  return copied;
}

/** The hashes of the files that lie there. */
export async function hashFiles(cluster: string): Promise<FileFacts[]> {
  const found: FileFacts[] = [];
  for (const { path, isDirectory } of entriesOf(cluster)) {
    if (!isDirectory) found.push({ path, ...(await readThrough(join(cluster, path))) });
    if (found.length % TURN_FILES === 0) await setImmediate();
  }
  return found;
}

/** As text, one line a file, in the order of their paths. */
export function manifestOf(files: readonly FileFacts[]): string {
  const lines = files.map(({ path, bytes, sha256 }) => `${sha256} ${bytes} ${path}\n`);
  return lines.sort((a, b) => (a.slice(65) < b.slice(65) ? -1 : 1)).join('');
}

// The journal of the file system commits those together that are asked for at once.
const SYNCED_AT_ONCE = 64;

/** Puts everything that lies there on disk, so that a power cut takes nothing back. */
export async function syncFiles(cluster: string): Promise<void> {
  const paths = [cluster, ...Array.from(entriesOf(cluster), ({ path }) => join(cluster, path))];
  for (let at = 0; at < paths.length; at += SYNCED_AT_ONCE) {
    await Promise.all(
      paths.slice(at, at + SYNCED_AT_ONCE).map(async (path) => {
        const handle = await open(path, 'r');
        try {
          await handle.sync();
        } finally {
          await handle.close();
        }
      }),
    );
  }
}

// Calls that block: a cluster has more than a thousand small files, and handing each step to another thread and back took
// twice the processor's time. Others get their turn now and then.
async function readThrough(file: string, target?: number): Promise<{ bytes: number; sha256: string }> {
  const source = openSync(file, 'r');
  try {
    const hash = createHash('sha256');
    for (let bytes = 0; ; ) {
      const count = readSync(source, BLOCK, 0, BLOCK.length, null);
      if (count === 0) return { bytes, sha256: hash.digest('hex') };
      const read = BLOCK.subarray(0, count);
      hash.update(read);
      if (target !== undefined) writeAll(target, read);
      bytes += count;
      if (bytes % TURN_BYTES === 0) await setImmediate();
    }
  } finally {
    closeSync(source);
  }
}

function writeAll(target: number, block: Buffer): void {
  for (let written = 0; written < block.length; ) written += writeSync(target, block, written);
}

interface Entry {
  readonly path: string;
  readonly isDirectory: boolean;
}

// Directories before what is in them.
function* entriesOf(cluster: string, below = ''): Generator<Entry> {
  for (const entry of readdirSync(join(cluster, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (LEFT_OUT.test(path)) continue;
    if (entry.isDirectory()) {
      yield { path, isDirectory: true };
      yield* entriesOf(cluster, path);
    } else if (entry.isFile()) {
      yield { path, isDirectory: false };
    } else {
      throw new EmbeddedFailure('copy_refused', `${join(cluster, path)} leads out of the database's directory`, {
        hint: 'Such a database (tablespaces, a log of writes elsewhere) is copied by its operator: then start with --upgrade-without-copy.',
      });
    }
  }
}
