// The way back: a copy is copied once more, proven, and put in the place of the database, which is itself kept as a copy.
// The copy stays where it is.
import { chownSync, closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { withAsideServer } from './aside-server.ts';
import {
  beginCopy,
  type Copy,
  type CopyLabel,
  clusterOfCopy,
  copyDamaged,
  getCopy,
  readManifest,
  writeLabel,
} from './copies.ts';
import { clusterBytes, copyFiles, manifestOf, syncFiles } from './copy-files.ts';
import { findEngine } from './engine.ts';
import { EmbeddedFailure } from './failure.ts';
import { freeBytes, sizeInWords } from './free-bytes.ts';
import type { Ground } from './ground.ts';
import { clusterMajor } from './initdb.ts';
import { findRunningServer } from './leftovers.ts';
import type { Log } from './log.ts';
import { checkMigrations } from './make-copy.ts';
import { pendingSwap, swapClusters } from './swap.ts';

export interface RestorePlan {
  readonly ground: Ground;
  readonly name: string;
  /** Of the database that is set aside, as far as it is known. */
  readonly present: Pick<CopyLabel, 'version' | 'migrations'>;
  readonly log: Log;
}

export interface Restored {
  readonly copy: Copy;
  /** Name under which the database that was there is kept. */
  readonly setAside: string;
}

/** Nothing of the installation runs, and the caller holds its lock. Before the last step nothing is changed. */
export async function restoreCopy({ ground, name, present, log }: RestorePlan): Promise<Restored> {
  const { layout, account, engine } = ground;
  if (findRunningServer(layout)) throw new Error('a copy is taken back while the server is stopped');
  const copy = getCopy(layout, name);
  const source = clusterOfCopy(layout, name);
  const manifest = readManifest(layout, copy);
  const needed = clusterBytes(source);
  if (freeBytes(layout.root) < needed) {
    const has = sizeInWords(freeBytes(layout.root));
    throw new EmbeddedFailure(
      'copy_no_room',
      `taking ${name} back needs ${sizeInWords(needed)}, and there are ${has}`,
      {
        hint: `Nothing was changed. Free some space; a copy that is not needed is a directory in ${layout.copies}.`,
      },
    );
  }
  try {
    const files = await copyFiles(source, layout.restored, { account: account?.run });
    if (manifest !== undefined && manifestOf(files) !== manifest)
      throw copyDamaged(name, damageIn(manifest, manifestOf(files)));
    if (Number.parseInt(copy.postgres, 10) === engine.major) await branchOff(ground, copy, log);
    await syncFiles(layout.restored);
  } catch (error) {
    rmSync(layout.restored, { recursive: true, force: true });
    throw error;
  }
  const now = new Date();
  const setAside = beginCopy(layout, present.version, now, true);
  writeLabel(layout, setAside, {
    ...present,
    made_at: now.toISOString(),
    reason: 'restore',
    postgres: presentVersion(ground),
    bytes: clusterBytes(layout.cluster),
    manifest_sha256: null,
  });
  try {
    swapClusters(layout, {
      from: basename(layout.restored),
      aside: join(basename(layout.copies), setAside, 'postgres'),
    });
  } catch (error) {
    // While the note stands, the next start completes it with what lies there. The label alone goes with that start.
    if (pendingSwap(layout) === undefined) rmSync(layout.restored, { recursive: true, force: true });
    throw error;
  }
  return { copy, setAside };
}

// Begins a timeline of its own, and with it another epoch of the log: whoever had read further is told so, instead of
// waiting at a place that other events will get.
async function branchOff(ground: Ground, copy: Copy, log: Log): Promise<void> {
  const cluster = ground.layout.restored;
  const signal = join(cluster, 'recovery.signal');
  closeSync(openSync(signal, 'wx', 0o600));
  if (ground.account) chownSync(signal, ground.account.run.uid, ground.account.run.gid);
  // Without hot standby it is ready only when the recovery is over and the new timeline begun.
  const settings = { restore_command: 'false', recovery_target_timeline: 'current', hot_standby: 'off' };
  // Of what was set aside the label says what was remembered: after an upgrade that failed halfway there are more.
  const expected = copy.reason === 'restore' ? undefined : copy.migrations;
  await withAsideServer({ ground, cluster, log, settings }, ({ adminUrl }) =>
    checkMigrations(copy.name, adminUrl, expected),
  );
  if (existsSync(signal)) throw copyDamaged(copy.name, 'its recovery did not come to an end');
}

// Of what is set aside, which may be of another major version than ours.
function presentVersion({ layout, engine }: Ground): string {
  const major = clusterMajor(layout.cluster) ?? engine.major;
  return major === engine.major ? engine.version : (findEngine(layout.engines, major)?.version ?? String(major));
}

function damageIn(expected: string, found: string): string {
  const there = new Set(found.split('\n'));
  const missing = expected.split('\n').find((line) => !there.has(line));
  return missing === undefined
    ? 'it holds files that are not its own'
    : `${missing.split(' ').slice(2).join(' ')} is not as it was`;
}
