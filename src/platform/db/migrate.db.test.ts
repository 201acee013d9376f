import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmptyDatabase } from '../../../test/support/database.ts';
import { type Migration, migrate, readMigrations, SchemaRefused } from './migrate.ts';
import { DatabaseUnsuitable } from './roles.ts';

const source = fileURLToPath(new URL('../..', import.meta.url));

let empty: Awaited<ReturnType<typeof openEmptyDatabase>>;
beforeEach(async () => {
  empty = await openEmptyDatabase();
});
afterEach(() => empty.close());

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function migration(number: number, sql: string): Migration {
  return { number, name: `test/${number}`, sql, checksum: `${number}:${sql}` };
}

describe('migrations', () => {
  it('run once each, also when several starts meet', async () => {
    const all = await readMigrations(source);
    const applied = await Promise.all([migrate(empty.url, all), migrate(empty.url, all), migrate(empty.url, all)]);
    expect(applied.flat().sort()).toEqual(all.map((one) => one.name).sort());
    expect(await migrate(empty.url, all)).toEqual([]);
  });

  it('leave nothing of one that fails, and what came before it stands', async () => {
    const broken = [
      migration(1, 'CREATE TABLE public.first (x int)'),
      migration(2, 'CREATE TABLE public.second (x int); SELECT 1 / 0'),
    ];
    await expect(migrate(empty.url, broken)).rejects.toThrow('test/2 failed');
    const tables = await query(empty.url, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`);
    expect(tables).toEqual([{ tablename: 'first' }]);
    const mended = [broken[0]!, migration(2, 'CREATE TABLE public.second (x int)')];
    expect(await migrate(empty.url, mended)).toEqual(['test/2']);
  });

  it('refuse a schema that is newer than the program, and one that was changed after it ran', async () => {
    const [one, two] = [migration(1, 'SELECT 1'), migration(2, 'SELECT 2')];
    await migrate(empty.url, [one, two]);
    await expect(migrate(empty.url, [one])).rejects.toThrow(SchemaRefused);
    await expect(migrate(empty.url, [one, { ...two, checksum: 'other' }])).rejects.toThrow('changed after it ran');
  });

  it('are numbered once and named well', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'qd-migrations-'));
    try {
      await mkdir(join(dir, 'domains/a/migrations'), { recursive: true });
      await mkdir(join(dir, 'domains/b/migrations'), { recursive: true });
      await writeFile(join(dir, 'domains/a/migrations/0001-one.sql'), '');
      await writeFile(join(dir, 'domains/b/migrations/0001-two.sql'), '');
      await expect(readMigrations(dir)).rejects.toThrow('same number');
      await rm(join(dir, 'domains/b/migrations/0001-two.sql'));
      await writeFile(join(dir, 'domains/b/migrations/two.sql'), '');
      await expect(readMigrations(dir)).rejects.toThrow('not named');
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('say what the database user lacks', async () => {
    const { pathname } = new URL(empty.url);
    const name = pathname.slice(1);
    await query(empty.adminUrl, `CREATE ROLE ${name}_plain LOGIN PASSWORD 'x'`);
    try {
      const plain = new URL(empty.url);
      plain.username = `${name}_plain`;
      plain.password = 'x';
      await expect(migrate(plain.href, [])).rejects.toThrow(DatabaseUnsuitable);
    } finally {
      await query(empty.adminUrl, `DROP ROLE ${name}_plain`);
    }
  });
});
