import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireDataLock, DataDirUnusable, DataLockHeld } from './data-lock.ts';
import { processStartTime } from './facts.ts';

const holder = { pid: process.pid, started_at: '2026-01-02T03:04:05.000Z', command: 'quarterdeck up' };
let root: string;
let dataDir: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'qd-lock-'));
  dataDir = join(root, 'a', 'data');
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(root, { recursive: true, force: true });
});

/** Another process that tries to take the lock and says how it went, drops what it got back, and stays. */
async function startHolder(): Promise<{ child: ChildProcess; said: string }> {
  const script = `
    import { acquireDataLock } from ${JSON.stringify(join(import.meta.dirname, 'data-lock.ts'))};
    const said = (() => {
      try { acquireDataLock(${JSON.stringify(dataDir)}, { pid: process.pid, started_at: 'then', command: 'holder' }); return 'held'; }
      catch (error) { return error.code; }
    })();
    process.stdout.write(said);
    setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [text] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, said: text.toString() };
}

function refusal(): unknown {
  try {
    acquireDataLock(dataDir, holder).release();
    return undefined;
  } catch (error) {
    return error;
  }
}

test('a held directory refuses a second holder of the same process and names the first', () => {
  const lock = acquireDataLock(dataDir, holder);
  const error = refusal();
  expect(error).toBeInstanceOf(DataLockHeld);
  expect((error as DataLockHeld).holder).toMatchObject({ ...holder, start_time: processStartTime(process.pid) });
  expect((error as Error).message).toContain('quarterdeck up');
  // The refused attempt took nothing from the holder.
  expect(refusal()).toBeInstanceOf(DataLockHeld);
  lock.release();
  expect(refusal()).toBeUndefined();
});

test('kill -9 of the holder frees the directory at once, and its facts do not mislead', async () => {
  const { child, said } = await startHolder();
  expect(said).toBe('held');
  const error = refusal();
  expect(error).toBeInstanceOf(DataLockHeld);
  expect((error as DataLockHeld).holder?.pid).toBe(child.pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(refusal()).toBeUndefined();
});

test('of several that start at the same moment exactly one gets the directory', async () => {
  const all = await Promise.all([1, 2, 3, 4].map(() => startHolder()));
  expect(all.map((one) => one.said).sort()).toEqual(['data_dir_held', 'data_dir_held', 'data_dir_held', 'held']);
});

test('the directory and its files are for their owner alone and no journal is left', () => {
  const lock = acquireDataLock(dataDir, holder);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  for (const name of ['lock.sqlite', 'lock.json']) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
  expect(readdirSync(dataDir).sort()).toEqual(['lock.json', 'lock.sqlite']);
  lock.release();
  lock.release();
  expect(readdirSync(dataDir)).toEqual(['lock.sqlite']);
});

test('a journal left beside the lock file does not keep the next holder out', () => {
  acquireDataLock(dataDir, holder).release();
  writeFileSync(join(dataDir, 'lock.sqlite-journal'), 'left by a crash');
  expect(refusal()).toBeUndefined();
});

test('what is not a directory, not a lock file, or open to everybody is refused with the reason', () => {
  mkdirSync(join(root, 'a'));
  writeFileSync(dataDir, '');
  expect(refusal()).toMatchObject({ code: 'data_dir_unusable', message: expect.stringContaining('not a directory') });
  rmSync(dataDir);

  mkdirSync(dataDir, { mode: 0o700 });
  writeFileSync(
    join(dataDir, 'lock.sqlite'),
    'not a database, only some text that is long enough to be looked at'.repeat(20),
  );
  expect(refusal()).toMatchObject({ code: 'data_dir_unusable', message: expect.stringContaining('lock.sqlite') });
  rmSync(join(dataDir, 'lock.sqlite'));

  chmodSync(dataDir, 0o777);
  expect(refusal()).toBeInstanceOf(DataDirUnusable);
  expect(existsSync(join(dataDir, 'lock.sqlite'))).toBe(false);
});

test.runIf(process.getuid?.() === 0 || process.env['CI'] === 'true')(
  'a directory on a file system mounted read-only is refused with the reason (needs root to mount)',
  (context) => {
    mkdirSync(join(root, 'a'));
    mkdirSync(dataDir);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=64k,mode=700', 'tmpfs', dataDir]);
    if (mounted.status !== 0 && process.env['CI'] !== 'true') {
      context.skip('mounting is not possible here');
    }
    try {
      expect(refusal()).toMatchObject({ code: 'data_dir_unusable', message: expect.stringContaining('read-only') });
    } finally {
      spawnSync('umount', [dataDir]);
    }
  },
);
