// Migrations: forward only, numbered once in the whole repository, one transaction each, under a lock so that two starts
// do not meet. A schema that is newer than this program, or a migration that was changed after it ran, is refused.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import pg from 'pg';
import { version } from '../version.ts';
import { DatabaseUnsuitable, ensureRoles } from './roles.ts';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** A migration as the database remembers it. */
export interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

export class SchemaRefused extends Error {
  override readonly name = 'SchemaRefused';
  /** What the operator does next; who knows of copies of the database says more than is known here. */
  readonly hint: string;
  /** Names of the migrations that only a newer program has. */
  readonly unknown: readonly string[];

  constructor(message: string, hint: string, unknown: readonly string[] = []) {
    super(message);
    this.hint = hint;
    this.unknown = unknown;
  }
}

/** A migration could not run; nothing of it stayed, and what ran before it stands. */
export class MigrationFailed extends Error {
  override readonly name = 'MigrationFailed';
  readonly hint =
    'Nothing of it was changed. Start the version of before; when that one does not know a migration that ran before this one, it names the copy to go back to.';
}

// Any constant will do; it only has to be the same in every version.
const LOCK_KEY = 7_310_579;
const FILE = /^(\d{4})-[a-z0-9-]+\.sql$/;

/** The migrations of the platform and of every domain below `sourceDir` (src or dist), in order. */
export async function readMigrations(sourceDir: string): Promise<Migration[]> {
  const found: Migration[] = [];
  const domains = await readdir(join(sourceDir, 'domains'));
  const rooms = ['platform/db', ...domains.map((domain) => join('domains', domain))];
  for (const room of rooms) {
    const dir = join(sourceDir, room, 'migrations');
    for (const file of await readdir(dir).catch(() => [])) {
      const match = FILE.exec(file);
      if (match === null) throw new Error(`${join(dir, file)} is not named NNNN-name.sql`);
      const sql = await readFile(join(dir, file), 'utf8');
      found.push({
        number: Number(match[1]),
        name: `${basename(room)}/${basename(file, '.sql')}`,
        sql,
        checksum: createHash('sha256').update(sql).digest('hex'),
      });
    }
  }
  found.sort((a, b) => a.number - b.number);
  for (const [i, migration] of found.entries()) {
    const next = found[i + 1];
    if (next?.number === migration.number) {
      throw new Error(`migrations ${migration.name} and ${next.name} have the same number`);
    }
  }
  return found;
}

/** Brings the database to the newest schema; returns the names of what it applied. */
export async function migrate(url: string, migrations: readonly Migration[]): Promise<string[]> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'quarterdeck migrate',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
    await ensureRoles(client);
    await makeSchema(client);
    await client.query(`CREATE TABLE IF NOT EXISTS platform.migrations (
      number int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
    const pending = pendingMigrations(migrations, await applied(client));
    for (const migration of pending) await apply(client, migration);
    return pending.map((migration) => migration.name);
  } finally {
    await client.end();
  }
}

/** What ran on this database so far, in order; nothing on a new one. Changes nothing. */
export async function readApplied(url: string): Promise<AppliedMigration[]> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'quarterdeck',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query(`SELECT to_regclass('platform.migrations') IS NOT NULL AS there`);
    return rows[0].there ? await applied(client) : [];
  } finally {
    await client.end();
  }
}

async function applied(client: pg.Client): Promise<AppliedMigration[]> {
  const { rows } = await client.query('SELECT number, name, checksum FROM platform.migrations ORDER BY number');
  return rows;
}

async function makeSchema(client: pg.Client): Promise<void> {
  try {
    await client.query('CREATE SCHEMA IF NOT EXISTS platform');
  } catch (cause) {
    if ((cause as { code?: string }).code !== '42501') throw cause;
    throw new DatabaseUnsuitable(
      'the database user may not make schemas: make it the owner (ALTER DATABASE <database> OWNER TO <user>)',
      { cause },
    );
  }
}

/** What is still to run, in order. Throws SchemaRefused. */
export function pendingMigrations(known: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] {
  const byNumber = new Map(known.map((migration) => [migration.number, migration]));
  const unknown = applied.filter(({ number }) => !byNumber.has(number)).map(({ name }) => name);
  if (unknown.length > 0) {
    throw new SchemaRefused(
      `the database was written by a newer Quarterdeck: this one (${version}) does not know ${unknown.join(', ')}`,
      'Nothing was changed. Start the newer version.',
      unknown,
    );
  }
  const changed = applied.find((row) => byNumber.get(row.number)?.checksum !== row.checksum);
  if (changed !== undefined) {
    throw new SchemaRefused(
      `migration ${changed.name} was changed after it ran on this database`,
      'Nothing was changed. A migration never changes: check the files of this version out again.',
    );
  }
  const done = new Set(applied.map((row) => row.number));
  return known.filter((migration) => !done.has(migration.number));
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(migration.sql);
    await client.query('INSERT INTO platform.migrations (number, name, checksum) VALUES ($1, $2, $3)', [
      migration.number,
      migration.name,
      migration.checksum,
    ]);
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new MigrationFailed(`migration ${migration.name} failed: ${(cause as Error).message}`, { cause });
  }
}
