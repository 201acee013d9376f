// Which schemas of a database are ours: those that the migrations make, and the one that lists the migrations.
import type { Migration } from '../migrate.ts';

const CREATE = /^CREATE SCHEMA (?:IF NOT EXISTS )?([a-z_]+)/gim;

export function schemasOf(migrations: readonly Migration[]): string[] {
  const made = migrations.flatMap(({ sql }) => [...sql.matchAll(CREATE)].map((match) => match[1]!));
  return [...new Set(['platform', ...made])];
}
