// Which version of this program was ready here last, and with which migrations: what the label of a copy says of the
// database that it holds.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../platform/version.ts';
import { ourMigrations } from './our-migrations.ts';

export interface LastHere {
  readonly version: string;
  readonly migrations: readonly string[];
}

/** Undefined when no version was ready here yet that said so. */
export function lastHere(dataDir: string): LastHere | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(dataDir), 'utf8')) as LastHere;
  } catch {
    return undefined;
  }
}

/** Called when the schema is this version's. */
export async function rememberVersion(dataDir: string): Promise<void> {
  const migrations = (await ourMigrations()).map(({ name }) => name);
  remember(dataDir, { version, migrations });
}

/** Also after another database took the place: from then on the note is of that one. */
export function remember(dataDir: string, facts: LastHere): void {
  // On a full disk a start must not need room for what has not changed.
  if (JSON.stringify(lastHere(dataDir)) === JSON.stringify(facts)) return;
  const file = fileOf(dataDir);
  writeFileSync(`${file}.new`, `${JSON.stringify(facts)}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}

export function forget(dataDir: string): void {
  rmSync(fileOf(dataDir), { force: true });
}

function fileOf(dataDir: string): string {
  return join(dataDir, 'version.json');
}
