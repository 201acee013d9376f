// Puts another cluster in the place of the one that is there, which is kept aside. A note on disk is written first, so that
// after kill -9 at any moment the next start finds either nothing begun or completes it: never no cluster, never a mixture.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EmbeddedFailure } from './failure.ts';
import type { Layout } from './layout.ts';
import { syncDirectory } from './secrets.ts';

/** Paths below the data directory. */
export interface Swap {
  /** The whole, verified cluster that comes in. */
  readonly from: string;
  /** Where the present one goes; its parent exists. */
  readonly aside: string;
}

/** No server runs on either of them. Throws EmbeddedFailure when the file system refuses, and then nothing has begun. */
export function swapClusters(layout: Layout, swap: Swap): void {
  const temporary = `${layout.swapFile}.new`;
  const descriptor = openSync(temporary, 'w', 0o600);
  try {
    writeSync(descriptor, JSON.stringify(swap));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, layout.swapFile);
  syncDirectory(layout.root);
  completeSwap(layout);
}

/** The exchange that was begun and not completed, if any. */
export function pendingSwap(layout: Layout): Swap | undefined {
  try {
    return JSON.parse(readFileSync(layout.swapFile, 'utf8')) as Swap;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Completes it; nothing to do in most starts. Judged under the data lock. */
export function completeSwap(layout: Layout): void {
  const swap = pendingSwap(layout);
  if (swap === undefined) return;
  const from = join(layout.root, swap.from);
  const aside = join(layout.root, swap.aside);
  // Gone from there means that it is in place already.
  if (existsSync(from)) {
    if (existsSync(layout.cluster)) setAside(layout, aside);
    syncDirectory(dirname(aside));
    renameSync(from, layout.cluster);
    syncDirectory(layout.root);
  } else if (!existsSync(layout.cluster) && existsSync(aside)) {
    // Somebody took away what was to come in. Without any cluster the start would make an empty one.
    renameSync(aside, layout.cluster);
    syncDirectory(layout.root);
  }
  removeNote(layout);
}

function setAside(layout: Layout, aside: string): void {
  try {
    renameSync(layout.cluster, aside);
  } catch (cause) {
    // Nothing has moved yet, and without its note nothing has begun: else every start would fail here.
    removeNote(layout);
    const { message } = cause as Error;
    throw new EmbeddedFailure('copy_refused', `the database cannot be set aside: ${message}`, {
      hint: `Nothing was changed. ${layout.cluster} and ${layout.copies} have to be directories of one file system, no links and no mounts.`,
      cause,
    });
  }
}

function removeNote(layout: Layout): void {
  rmSync(layout.swapFile, { force: true });
  syncDirectory(layout.root);
}
