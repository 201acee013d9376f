import { expect, onTestFinished, test } from 'vitest';
import { openEmptyDatabase } from '../../../test/support/database.ts';
import { migrate, SchemaRefused } from '../../platform/db/migrate.ts';
import { createLogger } from '../../platform/logger.ts';
import { sayNoCopy } from './before-migrating.ts';
import { ourMigrations } from './our-migrations.ts';

async function said(url: string): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  await sayNoCopy(
    url,
    createLogger('keeper', 'info', (line) => lines.push(JSON.parse(line) as Record<string, unknown>)),
  );
  return lines;
}

test('of a database of the operator it is said that no copy is made, with what is about to run', async () => {
  const database = await openEmptyDatabase();
  onTestFinished(() => database.close());
  // A new one has nothing to go back to.
  expect(await said(database.url)).toEqual([]);

  const all = await ourMigrations();
  await migrate(database.url, all.slice(0, -1));
  expect(await said(database.url)).toEqual([
    expect.objectContaining({
      level: 'warn',
      migrations: [all.at(-1)!.name],
      msg: expect.stringContaining('the backup you made before'),
    }),
  ]);
  await migrate(database.url, all);
  expect(await said(database.url)).toEqual([]);
});

test('a newer one is refused before anything is said of it', async () => {
  const database = await openEmptyDatabase();
  onTestFinished(() => database.close());
  const tomorrow = { number: 9001, name: 'db/9001-of-tomorrow', sql: 'SELECT 1', checksum: 'x' };
  await migrate(database.url, [...(await ourMigrations()), tomorrow]);
  const refused = await said(database.url).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(SchemaRefused);
  expect(refused).toMatchObject({ unknown: ['db/9001-of-tomorrow'], hint: expect.stringContaining('newer version') });
});
