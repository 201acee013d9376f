// That a move is under way, on disk from before its first change until it is settled: a start after kill -9 finds it and
// knows that a database which was closed for this move is to be opened again.
import { join } from 'node:path';
import { readSecretJson, removeSecretFile, writeSecretJson } from './place.ts';

export interface Journal {
  readonly id: string;
  /** ISO 8601 */
  readonly began: string;
  /** Without user and password. */
  readonly from: string;
  readonly to: string;
}

function journalFile(dataDir: string): string {
  return join(dataDir, 'secrets', 'database.move.json');
}

export function readJournal(dataDir: string): Journal | undefined {
  return readSecretJson<Journal>(journalFile(dataDir));
}

export function writeJournal(dataDir: string, journal: Journal): void {
  writeSecretJson(journalFile(dataDir), journal);
}

export function removeJournal(dataDir: string): void {
  removeSecretFile(journalFile(dataDir));
}
