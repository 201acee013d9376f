// Which version of this program was ready here last, and with which migrations: what the label of a copy says of the
// database that it holds.
import { version } from '../../platform/version.ts';
import { readRunFile, writeRunFile } from '../role-file.ts';
import { ourMigrations } from './our-migrations.ts';

export interface LastHere {
  readonly version: string;
  readonly migrations: readonly string[];
}

const FILE = 'version';

/** Undefined when no version was ready here yet that said so. */
export function lastHere(dataDir: string): LastHere | undefined {
  return readRunFile<LastHere>(dataDir, FILE);
}

/** Called when the schema is this version's. */
export async function rememberVersion(dataDir: string): Promise<void> {
  const migrations = (await ourMigrations()).map(({ name }) => name);
  const facts: LastHere = { version, migrations };
  // On a full disk a start must not need room for what has not changed.
  if (JSON.stringify(lastHere(dataDir)) !== JSON.stringify(facts)) writeRunFile(dataDir, FILE, facts);
}
