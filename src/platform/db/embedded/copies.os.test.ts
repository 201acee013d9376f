// Copies of the embedded database: whole, proven, bounded, taken back; and what goes wrong leaves nothing half-done.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeDataDir, mountDataDir, query } from '../../../../test/support/embedded-data-dir.ts';
import { findProcessesByDirectory } from '../../process/facts.ts';
import { beginCopy, type Copy, clusterOfCopy, listCopies } from './copies.ts';
import { prepareGround } from './ground.ts';
import { type Layout, layoutOf } from './layout.ts';
import { makeCopy, makeRoomForCopy } from './make-copy.ts';
import { restoreCopy } from './restore-copy.ts';
import { type EmbeddedServer, startEmbedded } from './server.ts';
import { completeSwap, pendingSwap } from './swap.ts';

const log = () => {};
const MIGRATIONS = ['test/0001-notes', 'test/0002-more'];
const label = { version: '1.2.3', migrations: MIGRATIONS };

/** A database with something in it, running. */
async function startFilled(dataDir: string): Promise<EmbeddedServer> {
  const server = await startEmbedded({ dataDir, log });
  await query(
    server.url,
    'CREATE SCHEMA IF NOT EXISTS platform',
    'CREATE TABLE IF NOT EXISTS platform.migrations (number int, name text)',
    'TRUNCATE platform.migrations',
    `INSERT INTO platform.migrations VALUES (1, '${MIGRATIONS[0]}'), (2, '${MIGRATIONS[1]}')`,
    'CREATE TABLE IF NOT EXISTS notes (id int)',
    'INSERT INTO notes SELECT generate_series(1, 1000)',
  );
  return server;
}

async function copyOf(dataDir: string, more: Partial<typeof label> = {}): Promise<Copy> {
  const layout = layoutOf(dataDir);
  return makeCopy({ ground: await prepareGround(layout, { log }), label: { ...label, ...more }, log });
}

async function takeBack(dataDir: string, name: string) {
  const layout = layoutOf(dataDir);
  const ground = await prepareGround(layout, { log, anyMajor: true });
  return restoreCopy({ ground, name, present: { version: '2.0.0', migrations: [] }, log });
}

async function notesIn(dataDir: string): Promise<unknown> {
  const server = await startEmbedded({ dataDir, log });
  const [row] = await query(server.url, 'SELECT count(*)::int AS notes FROM notes');
  await server.stop();
  return row!['notes'];
}

async function timelineOf(url: string): Promise<unknown> {
  const [row] = await query(url, 'SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline');
  return row!['timeline'];
}

/** Everything in the data directory that a start or a copy must not leave. */
function halves(layout: Layout): string[] {
  const inCopies = existsSync(layout.copies) ? readdirSync(layout.copies) : [];
  const inRoot = readdirSync(layout.root).filter((name) => /postgres\.(restored|next|swap)/.test(name));
  return [...inCopies.filter((name) => !existsSync(join(layout.copies, name, 'copy.json'))), ...inRoot];
}

test('a copy holds the database as it was; taken back, what came later is set aside, and the timeline is another', async () => {
  const dataDir = makeDataDir();
  const layout = layoutOf(dataDir);
  const server = await startFilled(dataDir);
  const timeline = await timelineOf(server.url);
  await server.stop();
  const copy = await copyOf(dataDir);
  expect(copy.name).toMatch(/^1\.2\.3-\d{8}T\d{6}Z$/);
  expect(copy).toMatchObject({ reason: 'migrations', migrations: MIGRATIONS });
  expect(listCopies(layout)).toEqual([copy]);

  const later = await startEmbedded({ dataDir, log });
  await query(later.url, 'INSERT INTO notes VALUES (0)', 'ALTER TABLE notes ADD COLUMN more text');
  await later.stop();
  const { setAside } = await takeBack(dataDir, copy.name);
  expect(await notesIn(dataDir)).toBe(1000);
  const back = await startEmbedded({ dataDir, log });
  expect(await timelineOf(back.url)).not.toBe(timeline);
  await expect(query(back.url, 'SELECT more FROM notes')).rejects.toThrow('does not exist');
  await back.stop();

  // The way back goes both ways.
  expect(listCopies(layout).map(({ name }) => name)).toEqual([setAside, copy.name]);
  expect(listCopies(layout)[0]).toMatchObject({ version: '2.0.0', reason: 'restore', manifest_sha256: null });
  await takeBack(dataDir, setAside);
  expect(await notesIn(dataDir)).toBe(1001);
  expect(halves(layout)).toEqual([]);
});

test('only the newest two copies are kept, and what is no copy is let be', async () => {
  const dataDir = makeDataDir();
  await (await startFilled(dataDir)).stop();
  const notes = join(dataDir, 'copies', 'mine', 'notes.txt');
  mkdirSync(join(dataDir, 'copies', 'mine'), { recursive: true });
  writeFileSync(notes, 'of the operator');
  const made: string[] = [];
  for (let n = 0; n < 3; n++) made.push((await copyOf(dataDir)).name);
  expect(new Set(made).size).toBe(3);
  expect(listCopies(layoutOf(dataDir)).map(({ name }) => name)).toEqual(made.slice(1).reverse());
  expect(halves(layoutOf(dataDir))).toEqual(['mine']);
  expect(readFileSync(notes, 'utf8')).toBe('of the operator');
});

test('a copy whose migrations are not the ones it should have is none', async () => {
  const dataDir = makeDataDir();
  await (await startFilled(dataDir)).stop();
  await expect(copyOf(dataDir, { migrations: ['test/0001-notes'] })).rejects.toMatchObject({ code: 'copy_damaged' });
  expect(listCopies(layoutOf(dataDir))).toEqual([]);
  expect(halves(layoutOf(dataDir))).toEqual([]);
  expect(await notesIn(dataDir)).toBe(1000);
});

test.each([
  ['a file that is shorter', (cluster: string) => truncateSync(join(cluster, 'global', 'pg_control'), 100)],
  ['a file that is missing', (cluster: string) => rmSync(join(cluster, 'global', 'pg_control'))],
  ['a file with another byte', (cluster: string) => flipByte(largestIn(join(cluster, 'base')))],
  ['a file too many', (cluster: string) => writeFileSync(join(cluster, 'recovery.signal'), '')],
  ['a manifest that was changed', (cluster: string) => writeFileSync(join(cluster, '..', 'manifest'), '')],
])('a copy with %s is not taken back, and nothing changes', async (_what, damage) => {
  const dataDir = makeDataDir();
  await (await startFilled(dataDir)).stop();
  const { name } = await copyOf(dataDir);
  damage(clusterOfCopy(layoutOf(dataDir), name));
  await expect(takeBack(dataDir, name)).rejects.toMatchObject({ code: 'copy_damaged' });
  expect(await notesIn(dataDir)).toBe(1000);
  expect(listCopies(layoutOf(dataDir)).map((copy) => copy.name)).toEqual([name]);
  expect(halves(layoutOf(dataDir))).toEqual([]);
});

function flipByte(file: string): void {
  const content = readFileSync(file);
  const place = content.length >> 1;
  content[place] = content[place]! ^ 1;
  writeFileSync(file, content);
}

function largestIn(directory: string): string {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const sized = files.map(({ parentPath, name }) => join(parentPath, name));
  return sized.sort((a, b) => readFileSync(b).length - readFileSync(a).length)[0]!;
}

test('a name that no copy has is refused, with those there are', async () => {
  const dataDir = makeDataDir();
  await (await startFilled(dataDir)).stop();
  const { name } = await copyOf(dataDir);
  for (const wrong of ['nothing', '..', '', '../../etc']) {
    await expect(takeBack(dataDir, wrong)).rejects.toMatchObject({
      code: 'copy_not_found',
      hint: expect.stringContaining(name),
    });
  }
});

test('a database with parts elsewhere is not copied', async () => {
  const dataDir = makeDataDir();
  await (await startFilled(dataDir)).stop();
  const layout = layoutOf(dataDir);
  mkdirSync(join(dataDir, 'elsewhere'));
  symlinkSync(join(dataDir, 'elsewhere'), join(layout.cluster, 'pg_tblspc', '99999'));
  expect(() => makeRoomForCopy(layout, log)).toThrow(/leads out of/);
  await expect(copyOf(dataDir)).rejects.toMatchObject({ code: 'copy_refused' });
  expect(halves(layout)).toEqual([]);
});

test('a disk without room is refused before anything is touched; an old copy makes room', async (context) => {
  const dataDir = mountDataDir('400m');
  if (dataDir === undefined) {
    if (process.env['CI'] === 'true') throw new Error('CI runs as root and must be able to mount a tmpfs');
    return context.skip('needs a mount, which is not possible here');
  }
  const layout = layoutOf(dataDir);
  await (await startFilled(dataDir)).stop();
  // Sixty of the engine, fifty of reserve, some forty of the cluster, a copy of forty: no second and third.
  const first = await copyOf(dataDir);
  const second = await copyOf(dataDir);
  makeRoomForCopy(layout, log);
  expect(listCopies(layout).map(({ name }) => name)).toEqual([second.name]);
  expect(first.name).not.toBe(second.name);
  writeFileSync(join(dataDir, 'filler'), Buffer.alloc(100_000_000, 1));
  expect(() => makeRoomForCopy(layout, log)).toThrow(
    expect.objectContaining({ code: 'copy_no_room', hint: expect.stringContaining('--upgrade-without-copy') }),
  );
  expect(listCopies(layout).map(({ name }) => name)).toEqual([second.name]);
});

// At each of these a kill -9 may come: as the files lie then, the next start makes it whole.
test.each([
  ['before the exchange', { cluster: true, from: true, aside: false }],
  ['between the two renames', { cluster: false, from: true, aside: true }],
  ['after the exchange', { cluster: true, from: false, aside: true }],
])('an exchange cut off %s is completed by the next start', async (_when, there) => {
  const dataDir = makeDataDir();
  await (await startFilled(dataDir)).stop();
  const layout = layoutOf(dataDir);
  const { name } = await copyOf(dataDir);
  const aside = beginCopy(layout, 'x', new Date(), true);
  writeFileSync(join(layout.copies, aside, 'copy.json'), JSON.stringify({ ...label, made_at: '2020' }));
  // What comes in is known by a file, which the other does not have.
  const asideDir = clusterOfCopy(layout, aside);
  spawnCopy(clusterOfCopy(layout, name), layout.restored);
  writeFileSync(join(layout.restored, 'comes-in'), '');
  if (!there.cluster || there.aside) renameSync(layout.cluster, asideDir);
  if (!there.from) renameSync(layout.restored, layout.cluster);
  writeFileSync(layout.swapFile, JSON.stringify({ from: 'postgres.restored', aside: `copies/${aside}/postgres` }));

  const server = await startEmbedded({ dataDir, log });
  await server.stop();
  expect(existsSync(join(layout.cluster, 'comes-in'))).toBe(true);
  expect(existsSync(join(asideDir, 'PG_VERSION'))).toBe(true);
  expect(existsSync(join(asideDir, 'comes-in'))).toBe(false);
  expect(pendingSwap(layout)).toBeUndefined();
  expect(halves(layout)).toEqual([]);
  completeSwap(layout);
  expect(existsSync(join(layout.cluster, 'comes-in'))).toBe(true);
});

function spawnCopy(from: string, to: string): void {
  renameSync(from, to);
}

test.each(['copy', 'restore'] as const)(
  'a %s killed at any moment is undone or whole after the next start',
  async (what) => {
    const dataDir = makeDataDir();
    const layout = layoutOf(dataDir);
    await (await startFilled(dataDir)).stop();
    const { name } = await copyOf(dataDir);
    const wanted = ['begun', 'copied', 'opened', 'end'] as const;
    for (const moment of wanted) {
      const worker = spawn(
        process.execPath,
        [join(import.meta.dirname, '../../../../test/support/copy-worker.ts'), dataDir, what, name],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      onTestFinished(() => void worker.kill('SIGKILL'));
      const exited = once(worker, 'exit');
      let said = '';
      worker.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes(moment)) worker.kill('SIGKILL');
      });
      await exited;
      expect(said).toContain(moment);
      expect(await notesIn(dataDir)).toBe(1000);
      expect(halves(layout)).toEqual([]);
      expect(findProcessesByDirectory(layout.restored)).toEqual([]);
      for (const copy of listCopies(layout))
        expect(existsSync(join(clusterOfCopy(layout, copy.name), 'PG_VERSION'))).toBe(true);
      expect(listCopies(layout).length).toBeGreaterThanOrEqual(1);
    }
  },
  120_000,
);
