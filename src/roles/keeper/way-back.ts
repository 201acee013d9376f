// Takes a copy of the embedded database back, from outside: nothing of the installation runs meanwhile.
import type { Copy } from '../../platform/db/embedded/copies.ts';
import { EmbeddedFailure } from '../../platform/db/embedded/failure.ts';
import { prepareGround } from '../../platform/db/embedded/ground.ts';
import { layoutOf } from '../../platform/db/embedded/layout.ts';
import { findRunningServer } from '../../platform/db/embedded/leftovers.ts';
import type { Log } from '../../platform/db/embedded/log.ts';
import { type Restored, restoreCopy } from '../../platform/db/embedded/restore-copy.ts';
import { acquireDataLock } from '../../platform/process/data-lock.ts';
import { forget, lastHere, remember } from './last-here.ts';
import { findOldRoles } from './leftovers.ts';
import { placeFile, readPlace, shownPlace } from './move/place.ts';

/** `dataDir` is a real path that exists. Throws EmbeddedFailure, DataLockHeld; then nothing has changed. */
export async function takeBack(dataDir: string, name: string, log: Log): Promise<Restored> {
  const started_at = new Date().toISOString();
  const command = `quarterdeck database restore-copy ${name}`;
  const lock = acquireDataLock(dataDir, { pid: process.pid, started_at, command });
  // A lock alone holds no process.
  const alive = setInterval(() => undefined, 60_000);
  try {
    const layout = layoutOf(dataDir);
    refuseMoved(dataDir);
    refuseRunning(dataDir);
    const ground = await prepareGround(layout, { log, anyMajor: true });
    const present = lastHere(dataDir) ?? { version: 'unknown', migrations: [] };
    const restored = await restoreCopy({ ground, name, present, log });
    noteWhatIsThere(dataDir, restored.copy);
    return restored;
  } finally {
    clearInterval(alive);
    lock.release();
  }
}

// A note of the database that was set aside would be worse than none, and a full disk must not undo what is done.
function noteWhatIsThere(dataDir: string, { version, migrations }: Copy): void {
  try {
    remember(dataDir, { version, migrations });
  } catch {
    forget(dataDir);
  }
}

// Else a database that nobody uses would be exchanged, and the next start would still be on the other one.
function refuseMoved(dataDir: string): void {
  const place = readPlace(dataDir);
  if (place?.kind !== 'own') return;
  throw new EmbeddedFailure('copy_refused', `the installation was moved to ${shownPlace(place)}`, {
    hint: `Nothing was changed. Copies are of the embedded database: move back with \`quarterdeck database move embedded\`, or, when what is there is to be given up, remove ${placeFile(dataDir)}.`,
  });
}

// Parts go on without their keeper, so the lock alone does not say that nothing runs.
function refuseRunning(dataDir: string): void {
  const parts: string[] = findOldRoles(dataDir).map(({ role }) => role);
  if (findRunningServer(layoutOf(dataDir))) parts.push('database');
  if (parts.length === 0) return;
  throw new EmbeddedFailure('still_running', `parts of it still run: ${parts.join(', ')}`, {
    hint: 'Nothing was changed. Stop them with `quarterdeck down`, then give this command again.',
  });
}
