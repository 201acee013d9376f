// Heads of the seal chain, kept outside the database: a line an hour in a file of the data directory. Only against a head
// that was kept elsewhere does it show that the end of the log was cut off.
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, fleetScope } from '../../../platform/db/database.ts';
import { syncDirectory } from '../archive/file.ts';
import { formatHead } from './canonical.ts';
import { lastSeal } from './store.ts';

export const HEADS_FILE = 'log-heads.ndjson';
const APART_MS = 3_600_000;

/** Writes the newest head down when it is another one and an hour has passed since the last; answers whether it did. */
export async function exportHead(db: Database, dataDir: string, now = Date.now()): Promise<boolean> {
  const last = await db.read(fleetScope, lastSeal);
  if (last === undefined) return false;
  const path = join(dataDir, HEADS_FILE);
  const head = formatHead(last.number, last.hash);
  const written = await lastLine(path);
  if (written?.head === head) return false;
  // A clock that was set back does not stop it.
  const since = now - Date.parse(written?.written_at ?? '');
  if (since >= 0 && since < APART_MS) return false;
  const file = await open(path, 'a', 0o600);
  try {
    // Begins with a line feed: a line that a power cut left half written spoils none but itself.
    const line = { head, to_seq: last.to_seq, sealed_at: last.sealed_at, written_at: new Date(now).toISOString() };
    await file.write(`${written === undefined ? '' : '\n'}${JSON.stringify(line)}`);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(path);
  return true;
}

async function lastLine(path: string): Promise<{ readonly head?: string; readonly written_at?: string } | undefined> {
  const text = await readFile(path, 'utf8').catch((error: { code?: string }) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined || text === '') return undefined;
  try {
    return JSON.parse(text.slice(text.lastIndexOf('\n') + 1));
  } catch {
    return {};
  }
}
