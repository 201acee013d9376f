// Taking a copy back in the wrong order: twice, there and back again, after the installation has moved elsewhere.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDataDir, query } from '../../../test/support/embedded-data-dir.ts';
import { listCopies } from '../../platform/db/embedded/copies.ts';
import { prepareGround } from '../../platform/db/embedded/ground.ts';
import { layoutOf } from '../../platform/db/embedded/layout.ts';
import { makeCopy } from '../../platform/db/embedded/make-copy.ts';
import { startEmbedded } from '../../platform/db/embedded/server.ts';
import { lastHere, remember } from './last-here.ts';
import { takeBack } from './way-back.ts';

const log = () => {};
const OLD = ['test/0001-notes'];
const NEW = ['test/0001-notes', 'test/0002-more'];

async function notesIn(dataDir: string, ...before: string[]): Promise<unknown> {
  const server = await startEmbedded({ dataDir, log });
  const [row] = await query(server.url, ...before, 'SELECT count(*)::int AS notes FROM notes');
  await server.stop();
  return row!['notes'];
}

const migrated = (number: number, name: string) => `INSERT INTO platform.migrations VALUES (${number}, '${name}')`;

test('there and back again: what is set aside says what it is, and can be taken back', async () => {
  const dataDir = makeDataDir();
  const layout = layoutOf(dataDir);
  await notesIn(
    dataDir,
    'CREATE SCHEMA platform',
    'CREATE TABLE platform.migrations (number int, name text)',
    migrated(1, OLD[0]!),
    'CREATE TABLE notes (id int)',
  );
  remember(dataDir, { version: '1.0.0', migrations: OLD });
  const ground = await prepareGround(layout, { log });
  const copy = await makeCopy({ ground, label: { version: '1.0.0', migrations: OLD }, log });
  // The upgrade ran one migration and failed in the next: no newer version was ever ready here.
  await notesIn(dataDir, migrated(2, NEW[1]!), 'INSERT INTO notes VALUES (1)');

  const { setAside } = await takeBack(dataDir, copy.name, log);
  expect(lastHere(dataDir)).toEqual({ version: '1.0.0', migrations: OLD });
  expect(await notesIn(dataDir)).toBe(0);
  await takeBack(dataDir, setAside, log);
  expect(await notesIn(dataDir)).toBe(1);

  // Twice, without a start between that could say which version it is by now.
  remember(dataDir, { version: '2.0.0', migrations: NEW });
  await takeBack(dataDir, copy.name, log);
  expect(lastHere(dataDir)).toEqual({ version: '1.0.0', migrations: OLD });
  const again = await takeBack(dataDir, copy.name, log);
  const labels = new Map(listCopies(layout).map((one) => [one.name, one.version]));
  expect(labels.get(again.setAside)).toBe('1.0.0');
});

test('after a move it is refused: the embedded database is not the one in use', async () => {
  const dataDir = makeDataDir();
  mkdirSync(join(dataDir, 'secrets'), { mode: 0o700 });
  const place = {
    kind: 'own',
    url: 'postgres://quarterdeck:s3cret@db.example.com/quarterdeck',
    move: 'm',
    since: '2026',
  };
  writeFileSync(join(dataDir, 'secrets', 'database.json'), JSON.stringify(place));
  const refused = await takeBack(dataDir, '1.0.0-20260101T000000Z', log).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'copy_refused', message: expect.stringContaining('db.example.com') });
  expect(String(refused)).not.toContain('s3cret');
  expect(readdirSync(dataDir)).not.toContain('postgres');
});
