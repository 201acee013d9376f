// The migrations of this program.
import { fileURLToPath } from 'node:url';
import { type Migration, readMigrations } from '../../platform/db/migrate.ts';

const SOURCE = fileURLToPath(new URL('../..', import.meta.url));

export function ourMigrations(): Promise<Migration[]> {
  return readMigrations(SOURCE);
}
