// A copy of the database as it is, made while its server is stopped, and opened before it counts: a copy that was never
// opened is a hope.
import { lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withAsideServer } from './aside-server.ts';
import {
  beginCopy,
  type Copy,
  type CopyLabel,
  clusterOfCopy,
  copiesToGo,
  copyDamaged,
  finishCopy,
  listCopies,
  removeAll,
  removeOldCopies,
} from './copies.ts';
import { clusterBytes, copyFiles, type FileFacts, hashFiles, manifestOf, syncFiles } from './copy-files.ts';
import { EmbeddedFailure, isOutOfSpace } from './failure.ts';
import { freeBytes, sizeInWords } from './free-bytes.ts';
import type { Ground } from './ground.ts';
import type { Layout } from './layout.ts';
import { findRunningServer } from './leftovers.ts';
import type { Log } from './log.ts';
import { withConnection } from './provision.ts';

export interface CopyPlan {
  readonly ground: Ground;
  readonly label: Pick<CopyLabel, 'version' | 'migrations'>;
  readonly log: Log;
  readonly signal?: AbortSignal;
}

// What the server needs to go on beside the copy: segments of its log of writes, and what the migrations make.
const ROOM_BESIDE = 128 * 1024 * 1024;

/**
 * Refuses when the disk has no room for one copy more. What would be removed once there is a new one goes at once when
 * room is short and that makes enough of it.
 */
export function makeRoomForCopy(layout: Layout, log: Log): void {
  const bytes = clusterBytes(layout.cluster);
  const lacks = (gained = 0) => freeBytes(layout.root) + gained < bytes + ROOM_BESIDE;
  if (!lacks()) return;
  const old = copiesToGo(layout);
  const gained = old.reduce((sum, copy) => sum + copy.bytes, 0);
  if (lacks(gained)) throw noRoom(layout, bytes);
  for (const name of removeAll(layout, old)) log('info', 'an old copy makes room', { name });
  if (lacks()) throw noRoom(layout, bytes);
}

/** The server is stopped. Leaves nothing when it fails. */
export async function makeCopy({ ground, label, log, signal }: CopyPlan): Promise<Copy> {
  const { layout, account, engine } = ground;
  if (findRunningServer(layout)) throw new Error('a cluster is copied while its server is stopped');
  const began = new Date();
  const half = beginCopy(layout, label.version, began);
  const cluster = clusterOfCopy(layout, half);
  try {
    const read = await copyFiles(layout.cluster, cluster, { account: account?.run, signal });
    const written = new Map(read.map(({ path }) => [path, lstatSync(join(cluster, path)).ctimeMs]));
    signal?.throwIfAborted();
    await withAsideServer({ ground, cluster, log, settings: { default_transaction_read_only: 'on' } }, (server) =>
      checkMigrations(half, server.adminUrl, label.migrations),
    );
    // What the server wrote when it opened and closed is part of the copy; everything else is as it was read.
    const kept = await hashFiles(cluster);
    refuseDamage(half, cluster, read, kept, written);
    await syncFiles(cluster);
    const bytes = kept.reduce((sum, file) => sum + file.bytes, 0);
    const facts = {
      ...label,
      made_at: began.toISOString(),
      reason: 'migrations',
      postgres: engine.version,
      bytes,
    } as const;
    const copy = finishCopy(layout, half, facts, manifestOf(kept));
    for (const name of removeOldCopies(layout, copy.name)) log('info', 'an old copy was removed', { name });
    return copy;
  } catch (error) {
    rmSync(join(layout.copies, half), { recursive: true, force: true });
    if (isOutOfSpace(error)) throw noRoom(layout, clusterBytes(layout.cluster), error);
    throw error;
  }
}

/** Makes sure that a server has these migrations and no others; without any stated, that it can tell which it has. */
export async function checkMigrations(name: string, adminUrl: string, expected?: readonly string[]): Promise<void> {
  const url = new URL(adminUrl);
  url.pathname = '/quarterdeck';
  const found = await withConnection(url.href, async (admin) => {
    const { rows } = await admin.query<{ name: string }>('SELECT name FROM platform.migrations ORDER BY number');
    return rows.map((row) => row.name);
  });
  if (expected !== undefined && found.join() !== expected.join()) {
    throw copyDamaged(name, `it has the migrations ${found.join(', ')} and should have ${expected.join(', ')}`);
  }
}

/** In words, for the line that says what is there. */
export function copiesInWords(layout: Layout): string {
  const copies = listCopies(layout);
  const bytes = copies.reduce((sum, copy) => sum + copy.bytes, 0);
  return `${copies.length} ${copies.length === 1 ? 'copy' : 'copies'}, ${sizeInWords(bytes)}`;
}

function refuseDamage(
  name: string,
  cluster: string,
  read: readonly FileFacts[],
  kept: readonly FileFacts[],
  written: ReadonlyMap<string, number>,
): void {
  const now = new Map(kept.map((file) => [file.path, file]));
  for (const { path, sha256 } of read) {
    const file = now.get(path);
    if (file === undefined || file.sha256 === sha256) continue;
    if (lstatSync(join(cluster, path)).ctimeMs === written.get(path))
      throw copyDamaged(name, `${path} reads differently`);
  }
}

function noRoom(layout: Layout, bytes: number, cause?: unknown): EmbeddedFailure {
  const free = sizeInWords(freeBytes(layout.root));
  return new EmbeddedFailure(
    'copy_no_room',
    `a copy of the database before the upgrade needs ${sizeInWords(bytes + ROOM_BESIDE)}, and ${layout.root} has ${free}`,
    {
      hint: 'Nothing was changed. Free some space, or go on without a way back: quarterdeck up --upgrade-without-copy.',
      cause,
    },
  );
}
