// Data directories for tests of the embedded server: whatever still runs in one is ended and everything removed after
// each case, also of a failed one.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach } from 'vitest';
import { removeHalfClusters } from '../../src/platform/db/embedded/initdb.ts';
import { layoutOf } from '../../src/platform/db/embedded/layout.ts';
import { endStrayBackends } from '../../src/platform/db/embedded/leftovers.ts';

/** For cases that need root: elsewhere they are skipped, under CI they run, and fail when it is not root. */
export const rootOrCi = process.getuid?.() === 0 || process.env['CI'] === 'true';

export const isRoot = process.getuid?.() === 0;

const mounts: string[] = [];
const ofCase: string[] = [];
const ofFile: string[] = [];
const keepers: ChildProcess[] = [];

afterEach(async () => {
  for (const keeper of keepers.splice(0)) await kill(keeper);
  for (const directory of mounts.splice(0)) {
    await endAllIn(directory);
    spawnSync('umount', [directory]);
  }
  for (const directory of ofCase.splice(0)) await removeDataDir(directory);
});

afterAll(async () => {
  for (const directory of ofFile.splice(0)) await removeDataDir(directory);
});

/** A new data directory, 0700 as a shut one, for this case or for all of the file. */
export function makeDataDir(life: 'case' | 'file' = 'case'): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'qd-pg-')));
  (life === 'case' ? ofCase : ofFile).push(directory);
  return directory;
}

/** A data directory on a file system of its own with this size; undefined where mounting is not possible. */
export function mountDataDir(size: string): string | undefined {
  const parent = makeDataDir();
  chmodSync(parent, 0o711);
  const directory = join(parent, 'data');
  mkdirSync(directory);
  if (!mount(directory, `size=${size},mode=711`)) return undefined;
  mounts.push(directory);
  return directory;
}

/** Changes the size of such a file system. */
export function resizeMount(directory: string, size: string): void {
  if (!mount(directory, `remount,size=${size}`)) throw new Error(`cannot resize ${directory}`);
}

function mount(directory: string, options: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]).status === 0;
}

async function removeDataDir(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  await endAllIn(directory);
  rmSync(directory, { recursive: true, force: true });
}

async function endAllIn(directory: string): Promise<void> {
  const layout = layoutOf(directory);
  await removeHalfClusters(layout.cluster);
  await endStrayBackends(layout, () => {});
}

/** Starts a keeper that may be killed (embedded-keeper.ts), without waiting for its server. */
export function spawnKeeper(dataDir: string): ChildProcess {
  const keeper = spawn(process.execPath, [join(import.meta.dirname, 'embedded-keeper.ts'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  keepers.push(keeper);
  return keeper;
}

/** Starts a keeper and waits until its server is ready. */
export async function startKeeper(dataDir: string): Promise<{ keeper: ChildProcess; pid: number; port: number }> {
  const keeper = spawnKeeper(dataDir);
  const [line] = (await once(keeper.stdout!, 'data')) as [Buffer];
  const facts = JSON.parse(line.toString()) as { pid: number; port: number };
  return { keeper, ...facts };
}

/** kill -9, and waits for the end. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Runs statements one after the other on one connection and gives the rows of the last. */
export async function query(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
    return rows;
  } finally {
    await client.end();
  }
}
