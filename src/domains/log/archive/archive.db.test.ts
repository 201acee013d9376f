import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openTestApp, type TestApp } from '../../../../test/support/app.ts';
import { openSmallLog, type SmallLog } from '../../../../test/support/small-log.ts';
import { createApp } from '../../../app.ts';
import type { Call } from '../../../platform/call.ts';
import { createLogger } from '../../../platform/logger.ts';
import { LogAudit } from '../audit.ts';
import type { EventItem } from '../operations.ts';
import { Archiver } from './archiver.ts';

// A year of partitions is fifty files, each made durable; with others on the machine that takes its time.
vi.setConfig({ testTimeout: 90_000 });

let t: TestApp;
let small: SmallLog;
let directory: string;
let audit: LogAudit;
let call: Call;

beforeEach(async () => {
  t = await openTestApp();
  directory = mkdtempSync(join(tmpdir(), 'qd-archive-'));
  audit = new LogAudit(t.app.log, directory);
  call = t.app.systemCall();
});
afterEach(async () => {
  await small?.close();
  await t?.close();
  rmSync(directory, { recursive: true, force: true });
});

const archiverIn = (where: string, keepDays = 1) =>
  new Archiver({ db: t.app.db, log: t.app.log, call, directory: where, keepDays });

async function archiveAll(archiver = archiverIn(directory)): Promise<number> {
  let count = 0;
  while (await archiver.turn()) count++;
  return count;
}

async function readAll(input: Partial<Parameters<LogAudit['read']>[1]> = {}): Promise<EventItem[]> {
  const items: EventItem[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const answer = await audit.read(call, { limit: 50, ...input, after });
    items.push(...answer.items);
    after = answer.next_cursor;
  }
  return items;
}

async function problems(): Promise<string[]> {
  const found: string[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const answer = await audit.verify(call, { after, limit: 1000 });
    found.push(...answer.problems.map((one) => `${one.kind} ${one.seal} ${one.cursor?.split('-')[1] ?? '-'}`));
    after = answer.next_after;
  }
  return found;
}

async function eventsOf(type: string): Promise<EventItem[]> {
  return (await t.app.log.list(call, { limit: 500, order: 'asc', event_type: type })).items;
}

/** Partitions of 24 numbers, each a week's events; the last are of today and stay. */
async function openWeeks(weeks: number): Promise<string> {
  small = await openSmallLog(t, 24, weeks + 30);
  await small.fill(weeks, 24);
  const { items } = await t.app.log.list(call, { limit: 1, order: 'asc' });
  await small.admin.query(`INSERT INTO log.event_log (event_type, source_agent) VALUES ('week.today', 'clerk')`);
  await small.seal(10);
  return items[0]!.cursor;
}

describe('a year of partitions', () => {
  it('is archived, read back, dropped, verified, and answers questions from the archive', async () => {
    const first = await openWeeks(52);
    const { head } = await audit.head(call);
    const before: EventItem[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const page = await t.app.log.list(call, { limit: 500, order: 'asc', event_type: 'week.counted', after });
      before.push(...page.items);
      after = page.next_cursor;
    }
    expect(before).toHaveLength(52 * 24);
    const { rows: exact } = await small.admin.query(`SELECT payload::text AS text FROM log.event_log WHERE seq = 1`);

    // All but the newest week, which is not a day old.
    expect(await archiveAll()).toBe(51);

    expect(await small.partitionNames()).not.toContain('event_log_000051');
    expect(await small.partitionNames()).toContain('event_log_000052');
    expect(await problems()).toEqual([]);
    const archived = before.slice(0, 51 * 24);
    expect(await readAll({ event_type: 'week.*' })).toEqual(archived);
    expect(await readAll({ source_agent: 'clerk-1', since: archived[200]!.at, until: archived[700]!.at })).toEqual(
      archived.filter(
        ({ source_agent, at }) => source_agent === 'clerk-1' && at >= archived[200]!.at && at <= archived[700]!.at,
      ),
    );
    expect(await readAll({ subject: 'week:7' })).toEqual(archived.filter(({ subject }) => subject === 'week:7'));
    expect(await readAll({ event_type: 'week.none' })).toEqual([]);
    expect(await readAll({ tenant: 'default' })).toEqual([]);

    const listed = await audit.archives(call, { limit: 500 });
    expect(listed.items).toHaveLength(51);
    expect(listed.items.every(({ is_here, events }) => is_here && events === 24)).toBe(true);
    expect(await eventsOf('log.partition.archived')).toHaveLength(51);
    // Whoever has only the file and a common tool has the events, exact to the last digit.
    const text = zstdDecompressSync(readFileSync(join(directory, 'log', listed.items[0]!.file))).toString();
    expect(text.split('\n')[0]).toContain(`"payload":${exact[0].text}`);
    expect(exact[0].text).toContain('12345678901234567890.10');

    const { intact } = await audit.verify(call, { after: 0, limit: 1000, head: head! });
    expect(intact).toBe(true);
    await expectToldOfArchive(first, archived.at(-1)!.cursor);
  });
});

async function expectToldOfArchive(first: string, last: string): Promise<void> {
  const { log } = t.app;
  for (const order of ['asc', 'desc'] as const) {
    const refused = log.list(call, { limit: 5, order, after: first });
    await expect(refused).rejects.toMatchObject({ code: 'log.archived', hint: expect.stringContaining(last) });
  }
  await expect(log.show(call, first)).rejects.toMatchObject({ code: 'log.archived' });
  expect((await log.list(call, { limit: 5, order: 'asc' })).archived_up_to).toBe(last);
  expect(await log.poll(call, { after: first, wait: 0, limit: 5 })).toMatchObject({ state: 'reset', items: [] });
  // Who had read all that was archived misses nothing.
  expect((await log.list(call, { limit: 1, order: 'asc', after: last })).items).toHaveLength(1);
  expect((await log.poll(call, { after: last, wait: 0, limit: 1 })).state).toMatch(/^resumed/);
}

it('a reader that is overtaken by the archiver while it reads is told, and has no gap before that', async () => {
  const first = await openWeeks(10);
  // Another process, whose memory of the newest events does not reach back.
  const app = createApp({
    databaseUrl: t.database.url,
    connections: 3,
    part: 'reader',
    logger: createLogger('test', 'silent'),
    publicUrl: () => 'http://127.0.0.1',
  });
  try {
    app.log.tail.start();
    await app.log.tail.ready;
    const got: number[] = [];
    const states: string[] = [];
    const overtaken = Promise.withResolvers<void>();
    const reader = app.log.subscribe(app.systemCall(), {
      topics: ['everything'],
      after: first,
      sink: {
        state: (state) => states.push(state),
        event: ({ cursor }) => got.push(Number(cursor.split('-')[1])),
        ready: () => (got.length === 50 ? overtaken.promise : undefined),
      },
    });
    const reading = reader.start();
    await vi.waitFor(() => expect(got).toHaveLength(50), 10_000);
    expect(await archiveAll()).toBe(9);
    overtaken.resolve();
    await reading;
    expect(states).toEqual(['resumed_from_db', 'reset']);
    // What was read with the page under way, without a gap; nothing of what came behind it.
    expect(got).toEqual(Array.from({ length: 100 }, (_, i) => i + 2));
    reader.close();
  } finally {
    await app.stop();
  }
});

describe('an archiver that is killed', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  it.each(['created', 'segment', 'synced', 'renamed', 'read_back', 'recorded', 'dropped'])(
    'at the step "%s" loses nothing, and the next one ends it once',
    async (step) => {
      await openWeeks(3);
      const script = join(import.meta.dirname, '../../../../test/support/archiver.ts');
      const child = spawn(process.execPath, [script, t.database.url, directory, step], { stdio: 'inherit' });
      children.push(child);
      const [, signal] = await once(child, 'exit');
      expect(signal).toBe('SIGKILL');

      expect(await problems()).toEqual([]);
      expect(await archiveAll()).toBe(step === 'dropped' ? 1 : 2);
      expect(await problems()).toEqual([]);
      expect(await readAll()).toHaveLength(48);
      expect(await eventsOf('log.partition.archived')).toHaveLength(2);
      expect(readdirSync(join(directory, 'log'))).toHaveLength(2);
    },
  );
});

describe('nothing is dropped', () => {
  it('when the disk is full, which is said once; with room it goes on', async (context) => {
    await openWeeks(2);
    const disk = join(directory, 'disk');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', disk]);
    if (mounted.status !== 0 && process.env['CI'] !== 'true') context.skip('mounting is not possible here');
    try {
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(64 * 1024));
      const archiver = archiverIn(disk);
      expect(await archiveAll(archiver)).toBe(0);
      expect(await archiveAll(archiver)).toBe(0);
      expect(await small.partitionNames()).toContain('event_log_000001');
      const told = await eventsOf('log.archive.failed');
      expect(told.map(({ payload }) => payload['reason'])).toEqual(['the disk is full']);
      rmSync(join(disk, 'ballast'));
      expect(await archiveAll(archiver)).toBe(1);
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  it('when a row was tampered with, and the event names it', async () => {
    await openWeeks(2);
    await small.admin.query('SET session_replication_role = replica');
    await small.admin.query(`UPDATE log.event_log SET source_agent = 'x' WHERE seq = 7`);
    expect(await archiveAll()).toBe(0);
    const [told] = await eventsOf('log.archive.failed');
    expect(told!.payload['reason']).toContain('number 7 (row_changed)');
    expect(readdirSync(join(directory, 'log'))).toEqual([]);
    expect(await small.partitionNames()).toContain('event_log_000001');
  });

  it('that is not sealed yet, not old enough, or the only one', async () => {
    small = await openSmallLog(t, 24, 4);
    await small.fill(2, 24);
    expect(await archiveAll()).toBe(0);
    await small.seal(10);
    expect(await archiveAll(archiverIn(directory, 400))).toBe(0);
    expect(await archiveAll()).toBe(1);
  });

  it('while a writer holds the table; it waits for no one long and comes again', async () => {
    await openWeeks(2);
    await small.admin.query('BEGIN');
    await small.admin.query('LOCK TABLE log.event_log IN ROW EXCLUSIVE MODE');
    expect(await archiveAll()).toBe(0);
    await small.admin.query('COMMIT');
    expect(await archiveAll()).toBe(1);
    expect(await problems()).toEqual([]);
  });
});

it('two engines archive each partition once', async () => {
  await openWeeks(6);
  const turns = () => Promise.all([archiveAll(), archiveAll(), archiveAll()]);
  let dropped = 0;
  for (let i = 0; i < 10; i++) dropped += (await turns()).reduce((sum, n) => sum + n, 0);
  expect(dropped).toBe(5);
  expect(await eventsOf('log.partition.archived')).toHaveLength(5);
  expect(await readAll()).toHaveLength(5 * 24);
  expect(await problems()).toEqual([]);
});

it('leaves alone what others have in the same directory, and the file of a history that was taken back', async () => {
  await openWeeks(2);
  const { rows } = await small.admin.query('SELECT left(id::text, 8) AS id FROM log.identity');
  const names = [`${rows[0].id}-event_log_000001.ndjson.zst`, '00000000-event_log_000001.ndjson.zst.77.partial'];
  mkdirSync(join(directory, 'log'));
  for (const name of names) writeFileSync(join(directory, 'log', name), 'of another');
  expect(await archiveAll()).toBe(1);
  for (const name of names) expect(readFileSync(join(directory, 'log', name), 'utf8')).toBe('of another');
  expect(await readAll()).toHaveLength(24);
});

it('keeps nobody else from their own locks while it writes', async () => {
  await openWeeks(2);
  const tries: Promise<{ rows: { free: boolean }[] }>[] = [];
  // Held for as long as a partition takes, which is minutes: no replay of jobs and no maker of SQL roles may wait for it.
  const step = () => tries.push(small.admin.query('SELECT pg_try_advisory_xact_lock(7310582) AS free'));
  const archiver = new Archiver({ db: t.app.db, log: t.app.log, call, directory, keepDays: 1, step });
  expect(await archiveAll(archiver)).toBe(1);
  expect((await Promise.all(tries)).map(({ rows }) => rows[0]!.free)).not.toContain(false);
  expect(tries.length).toBeGreaterThan(4);
});

it('holds its lock for as long as a partition takes, also where the server ends idle transactions', async () => {
  await openWeeks(2);
  const name = new URL(t.database.url).pathname.slice(1);
  await small.admin.query(`ALTER DATABASE "${name}" SET idle_in_transaction_session_timeout = '200ms'`);
  // Connections from here on have it.
  const other = createApp({
    databaseUrl: t.database.url,
    connections: 4,
    part: 'test',
    logger: createLogger('test', 'error'),
    publicUrl: () => 'http://127.0.0.1',
  });
  onTestFinished(() => other.stop());
  const slow = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
  const options = { db: other.db, log: other.log, call, directory, keepDays: 1 };
  expect(await new Archiver({ ...options, step: slow }).turn()).toBe(true);
  expect(await eventsOf('log.archive.failed')).toEqual([]);
});

it('a file that was recorded and lost before the drop is written again', async () => {
  await openWeeks(2);
  await small.admin.query('BEGIN');
  await small.admin.query('LOCK TABLE log.event_log IN ROW EXCLUSIVE MODE');
  expect(await archiveAll()).toBe(0);
  await small.admin.query('COMMIT');
  for (const name of readdirSync(join(directory, 'log'))) truncateSync(join(directory, 'log', name), 10);
  expect(await archiveAll()).toBe(1);
  expect(await readAll()).toHaveLength(24);
});

describe('a file that somebody touched', () => {
  const file = () => join(directory, 'log', readdirSync(join(directory, 'log'))[0]!);

  it('is named by its seals: a bit changed, its end cut off, or gone', async () => {
    await openWeeks(2);
    await archiveAll();
    const whole = readFileSync(file());
    const damage: (() => void)[] = [
      () => {
        const changed = Buffer.from(whole);
        changed[Math.floor(whole.length / 2)]! ^= 1;
        writeFileSync(file(), changed);
      },
      () => truncateSync(file(), whole.length - 1),
      () => truncateSync(file(), 0),
    ];
    for (const harm of damage) {
      harm();
      const found = await problems();
      expect(found.length).toBeGreaterThan(0);
      expect(found.every((problem) => problem.startsWith('archive_unreadable'))).toBe(true);
      writeFileSync(file(), whole);
      expect(await problems()).toEqual([]);
    }
    // Behind the end nothing is looked for; the events are all there.
    appendFileSync(file(), 'more');
    expect(await problems()).toEqual([]);
    rmSync(file());
    expect((await problems()).length).toBe(3);
    await expect(readAll()).rejects.toMatchObject({ code: 'log.archive_unreadable' });
    expect((await audit.archives(call, { limit: 5 })).items[0]).toMatchObject({ is_here: false });
  });
});
