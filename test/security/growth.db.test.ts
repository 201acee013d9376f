// No table grows without somebody having thought of it: each stands in docs/operations/retention.md with what bounds it.
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { expect, it } from 'vitest';
import { openTestDatabase } from '../support/database.ts';
import { ownSchemas } from './footprint.ts';

it('every table of the schema stands in the table of what bounds it', async () => {
  const database = await openTestDatabase();
  const admin = new pg.Client({ connectionString: database.adminUrl });
  try {
    await admin.connect();
    const { rows } = await admin.query<{ name: string }>(
      `SELECT format('%s.%s', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND ${ownSchemas}`,
    );
    const page = readFileSync(new URL('../../docs/operations/retention.md', import.meta.url), 'utf8');
    const listed = page
      .split('\n')
      .filter((line) => /^\| `\w+\.\w+`/.test(line))
      .flatMap((line) => [...line.split('|')[1]!.matchAll(/`(\w+\.\w+)`/g)].map((match) => match[1]!));
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.map(({ name }) => name).filter((name) => !listed.includes(name))).toEqual([]);
  } finally {
    await admin.end();
    await database.close();
  }
});
