// Which copies stay and which go, whatever the clock says and whatever else lies among them; and exchanges that the file
// system refuses.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDataDir, query } from '../../../../test/support/embedded-data-dir.ts';
import { beginCopy, clusterOfCopy, listCopies, removeHalfCopies, writeLabel } from './copies.ts';
import { prepareGround } from './ground.ts';
import { type Layout, layoutOf } from './layout.ts';
import { makeCopy, makeRoomForCopy } from './make-copy.ts';
import { startEmbedded } from './server.ts';
import { completeSwap, pendingSwap, swapClusters } from './swap.ts';

const log = () => {};

function standIn(layout: Layout, version: string, made: Date): string {
  const name = beginCopy(layout, version, made, true);
  const label = {
    version,
    migrations: [],
    reason: 'migrations',
    postgres: '18',
    bytes: 1,
    manifest_sha256: null,
  } as const;
  writeLabel(layout, name, { ...label, made_at: made.toISOString() });
  mkdirSync(clusterOfCopy(layout, name));
  return name;
}

test('the copy that was just made stays, also where the clock was ahead when the others were made', async () => {
  const dataDir = makeDataDir();
  const layout = layoutOf(dataDir);
  const server = await startEmbedded({ dataDir, log });
  await query(
    server.url,
    'CREATE SCHEMA platform',
    'CREATE TABLE platform.migrations (number int, name text)',
    `INSERT INTO platform.migrations VALUES (1, 'test/0001-notes')`,
  );
  await server.stop();
  standIn(layout, '1.0.0', new Date('2098-01-01'));
  const newer = standIn(layout, '1.1.0', new Date('2099-01-01'));
  const ground = await prepareGround(layout, { log });
  const copy = await makeCopy({ ground, label: { version: '1.2.0', migrations: ['test/0001-notes'] }, log });
  expect(listCopies(layout).map(({ name }) => name)).toEqual([newer, copy.name]);
});

test('no copy goes for an upgrade that is refused for want of room all the same', () => {
  const layout = layoutOf(makeDataDir());
  mkdirSync(layout.cluster);
  writeFileSync(join(layout.cluster, 'large'), '');
  // With a hole, which takes no room here; a copy of it would.
  truncateSync(join(layout.cluster, 'large'), 2 ** 43);
  const older = standIn(layout, '1.0.0', new Date('2026-01-01'));
  const newer = standIn(layout, '1.1.0', new Date('2026-02-01'));
  expect(() => makeRoomForCopy(layout, log)).toThrow(expect.objectContaining({ code: 'copy_no_room' }));
  expect(listCopies(layout).map(({ name }) => name)).toEqual([newer, older]);
});

test('what is not ours among the copies holds up no start and stays: a link into nowhere, what a file system keeps there', async () => {
  const layout = layoutOf(makeDataDir());
  const half = beginCopy(layout, '1.0.0', new Date());
  const labelled = beginCopy(layout, '1.0.0', new Date('2026-01-01'), true);
  mkdirSync(join(layout.copies, 'lost+found'));
  symlinkSync('/nonexistent', join(layout.copies, 'elsewhere'));
  await removeHalfCopies(layout, log);
  expect(half).toMatch(/\.half$/);
  expect(labelled).toMatch(/^1\.0\.0-2026/);
  expect(readdirSync(layout.copies).sort()).toEqual(['elsewhere', 'lost+found']);
});

function twoClusters(layout: Layout): void {
  for (const [cluster, word] of [
    [layout.cluster, 'present'],
    [layout.restored, 'coming'],
  ] as const) {
    mkdirSync(cluster);
    writeFileSync(join(cluster, 'word'), word);
  }
}

const wordIn = (cluster: string) => readFileSync(join(cluster, 'word'), 'utf8');

test('an exchange that the file system refuses has not begun: no start is held up by its note', () => {
  const layout = layoutOf(makeDataDir());
  twoClusters(layout);
  // As where the copies lie on another file system.
  const swap = { from: 'postgres.restored', aside: 'copies/gone/postgres' };
  expect(() => swapClusters(layout, swap)).toThrow(
    expect.objectContaining({ code: 'copy_refused', hint: expect.stringContaining('Nothing was changed') }),
  );
  expect(pendingSwap(layout)).toBeUndefined();
  completeSwap(layout);
  expect(wordIn(layout.cluster)).toBe('present');
  expect(wordIn(layout.restored)).toBe('coming');
});

test('an exchange whose new cluster was taken away in the middle leaves the old one, never none', () => {
  const layout = layoutOf(makeDataDir());
  const aside = beginCopy(layout, '1.0.0', new Date(), true);
  mkdirSync(clusterOfCopy(layout, aside));
  writeFileSync(join(clusterOfCopy(layout, aside), 'word'), 'present');
  writeFileSync(layout.swapFile, JSON.stringify({ from: 'postgres.restored', aside: `copies/${aside}/postgres` }));
  completeSwap(layout);
  expect(wordIn(layout.cluster)).toBe('present');
  expect(existsSync(layout.swapFile)).toBe(false);
});
