// A move of a stopped installation: killed at the beginning of each phase, refused for each reason there is, and whole.
// After every failure the installation lives where it did, with every row, and can be moved again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDataDir, mountDataDir, query } from '../../../../test/support/embedded-data-dir.ts';
import { readConfig } from '../../../config.ts';
import { type EmbeddedServer, startEmbedded } from '../../../platform/db/embedded/server.ts';
import { migrate } from '../../../platform/db/migrate.ts';
import { createLogger } from '../../../platform/logger.ts';
import { acquireDataLock } from '../../../platform/process/data-lock.ts';
import { processStartTime } from '../../../platform/process/facts.ts';
import { stopProcess } from '../../../platform/process/stop.ts';
import { ourMigrations } from '../our-migrations.ts';
import { admitDatabase } from './admit.ts';
import { choosePlace } from './choose-place.ts';
import { readJournal } from './journal.ts';
import { readLabel } from './label.ts';
import { stopLeftServer } from './left-server.ts';
import { type Place, placeFile, readPlace } from './place.ts';
import type { MovePlan } from './plan.ts';
import type { Phase, Progress } from './progress.ts';
import { moveStopped } from './stopped-move.ts';

const MOVER = resolve(import.meta.dirname, '../../../../test/support/mover.ts');
const log = () => undefined;
const EVENTS = 500;

let dataDir: string;
let own: EmbeddedServer;
let ownDir: string;

const configOf = (directory: string, env: Record<string, string> = {}) =>
  readConfig({ flags: { data: directory }, env, cwd: '/' });

/** A data directory with a filled embedded database; nothing runs in it. */
async function makeInstallation(directory: string): Promise<void> {
  const server = await startEmbedded({ dataDir: directory, log });
  await migrate(server.url, await ourMigrations());
  await asSuperuser(server, (admin) =>
    admin.query(
      `INSERT INTO log.event_log (event_type, source_agent, payload)
       SELECT 'noise.x', 'test', jsonb_build_object('n', n) FROM generate_series(1, ${EVENTS}) n`,
    ),
  );
  await server.stop();
}

async function asSuperuser<T>({ adminUrl }: EmbeddedServer, work: (admin: Client) => Promise<T>): Promise<T> {
  const url = new URL(adminUrl);
  url.pathname = '/quarterdeck';
  const admin = new Client({ connectionString: url.href });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/** Opens the embedded database as a start does, and writes one event into it; answers how many there are then. */
async function useEmbedded(directory: string): Promise<number> {
  const server = await startEmbedded({ dataDir: directory, log });
  try {
    await admitDatabase(directory, server.url);
    return await writeOne(server);
  } finally {
    await server.stop();
  }
}

async function writeOne(server: EmbeddedServer): Promise<number> {
  return asSuperuser(server, async (admin) => {
    await admin.query(`INSERT INTO log.event_log (event_type, source_agent) VALUES ('after.failure', 'test')`);
    return (await admin.query('SELECT count(*)::int AS n FROM log.event_log')).rows[0].n as number;
  });
}

interface Attempt {
  readonly directory?: string;
  readonly dryRun?: boolean;
  readonly env?: Record<string, string>;
  readonly tell?: (progress: Progress) => void;
  readonly planned?: (plan: MovePlan) => void;
  readonly signal?: AbortSignal;
}

function move(to: Place, { directory = dataDir, dryRun = false, env, tell, planned, signal }: Attempt = {}) {
  return moveStopped({
    config: configOf(directory, env),
    request: { id: crypto.randomUUID(), to, dryRun },
    logger: createLogger('test', 'silent'),
    events: {
      tell: tell ?? (() => undefined),
      planned: planned ?? (() => undefined),
      signal: signal ?? new AbortController().signal,
    },
  });
}

const at = (url: string): Place => ({ kind: 'own', url });

function changed(url: string, parts: { readonly password?: string; readonly pathname?: string }): string {
  return Object.assign(new URL(url), parts).href;
}

/** A new empty database of the own server, owned by its user. */
async function makeDatabase(name: string, how = ''): Promise<string> {
  await query(own.adminUrl, `CREATE DATABASE ${name} OWNER quarterdeck ${how}`);
  return changed(own.url, { pathname: `/${name}` });
}

beforeAll(async () => {
  dataDir = makeDataDir('file');
  await makeInstallation(dataDir);
  ownDir = makeDataDir('file');
  own = await startEmbedded({ dataDir: ownDir, log });
});

afterAll(async () => {
  await own.stop();
});

const beforeSwitch: readonly Phase[] = [
  'checking',
  'preparing',
  'stopping',
  'copying',
  'verifying',
  'committing',
  'closing',
  'switching',
];

describe('killed with -9', () => {
  test('at the beginning of each phase the old database is the truth until the switch, and the new one after it', {
    timeout: 240_000,
  }, async () => {
    const url = await makeDatabase('killed');
    let events = EVENTS;
    for (const phase of beforeSwitch) {
      expect(await killedAt(url, phase), phase).toBe('SIGKILL');
      expect(choosePlace(configOf(dataDir)), phase).toEqual({ kind: 'embedded' });
      // The half-made copy is no database to start on.
      if (phase !== 'checking' && phase !== 'preparing') {
        await expect(admitDatabase(makeDataDir(), url), phase).rejects.toThrow('did not come to its end');
      }
      events += 1;
      expect(await useEmbedded(dataDir), phase).toBe(events);
      expect(readJournal(dataDir), phase).toBeUndefined();
      expect(existsSync(`${placeFile(dataDir)}.new`), phase).toBe(false);
    }

    expect(await killedAt(url, 'starting')).toBe('SIGKILL');
    expect(choosePlace(configOf(dataDir))).toMatchObject({ kind: 'own', url });
    await admitDatabase(dataDir, url);
    // The server that was left runs on, until a start ends it.
    expect(await stopLeftServer(dataDir)).toBe(true);
    expect(await stopLeftServer(dataDir)).toBe(false);
    const [row] = await query(
      changed(own.adminUrl, { pathname: '/killed' }),
      'SELECT count(*)::int AS n FROM log.event_log',
    );
    expect(row).toEqual({ n: events });
    // Nobody goes on with the old one by mistake: neither by a start nor by writing into it.
    const old = await startEmbedded({ dataDir, log });
    await expect(admitDatabase(dataDir, old.url)).rejects.toThrow('the installation was moved to 127.0.0.1');
    await expect(writeOne(old)).rejects.toMatchObject({ code: '25006' });
    await old.stop();

    // And back, over what was left there.
    const outcome = await move({ kind: 'embedded' });
    expect(outcome).toMatchObject({ to: 'embedded', rows: expect.any(Number) });
    expect(await useEmbedded(dataDir)).toBe(events + 1);
  });
});

async function killedAt(url: string, phase: Phase): Promise<NodeJS.Signals | number | null> {
  const mover = spawn(process.execPath, [MOVER, dataDir, url, phase], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = (await once(mover, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal ?? code;
}

describe('refused, and nothing is changed', () => {
  const refusals: [string, () => Promise<Place>, string, RegExp][] = [
    [
      'a wrong password',
      async () => at(changed(own.url, { password: 'wr0ng-secret' })),
      'target_unreachable',
      /password authentication failed/,
    ],
    ['nobody listens', async () => at('postgres://a:wr0ng-secret@127.0.0.1:1/b'), 'target_unreachable', /ECONNREFUSED/],
    [
      'no such database',
      async () => at(changed(own.url, { pathname: '/nowhere' })),
      'target_unreachable',
      /"nowhere" does not exist/,
    ],
    [
      'another encoding',
      async () => at(await makeDatabase('latin', `ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)),
      'target_unsuitable',
      /encoding is LATIN1/,
    ],
    [
      'somebody else owns it',
      async () => {
        await query(own.adminUrl, 'CREATE DATABASE foreign_one');
        return at(changed(own.url, { pathname: '/foreign_one' }));
      },
      'target_unsuitable',
      /does not own it/,
    ],
    [
      'schemas of our names that are not ours',
      async () => {
        const url = await makeDatabase('filled');
        await query(url, 'CREATE SCHEMA log', 'CREATE TABLE log.book (page int)');
        return at(url);
      },
      'target_not_empty',
      /schemas that Quarterdeck needs and did not make: log/,
    ],
    [
      'another installation lives in it',
      async () => {
        const url = await makeDatabase('inhabited');
        await migrate(url, await ourMigrations());
        return at(url);
      },
      'target_in_use',
      /a Quarterdeck lives in it/,
    ],
    ['the embedded one again', async () => ({ kind: 'embedded' }), 'same_database', /already/],
  ];

  test.for(refusals)('%s', async ([, target, code, message]) => {
    const to = await target();
    const refused = await move(to).catch((error: Error) => error);
    expect(refused).toMatchObject({ code, message: expect.stringMatching(message) });
    expect((refused as Error).message).not.toMatch(/wr0ng|secret/);
    expect(choosePlace(configOf(dataDir))).toMatchObject({ kind: 'embedded' });
    expect(readJournal(dataDir)).toBeUndefined();
  });

  test('the very database that is in use, by its address', async () => {
    const server = await startEmbedded({ dataDir, log });
    await expect(move(at(server.url))).rejects.toMatchObject({ code: 'same_database' });
  });

  test('a second move at the same time', async () => {
    const lock = acquireDataLock(dataDir, { pid: process.pid, started_at: '', command: 'another move' });
    try {
      await expect(move(at(own.url))).rejects.toMatchObject({ code: 'data_dir_held' });
    } finally {
      lock.release();
    }
  });

  test('a disk without room, and a disk that is full where it is', async (context) => {
    const small = mountDataDir('190m');
    if (small === undefined) {
      if (process.env['CI'] === 'true') throw new Error('CI runs as root and must be able to mount a tmpfs');
      return context.skip('a full disk needs a mount, which is not possible here');
    }
    await makeInstallation(small);
    const url = await makeDatabase('from_full_disk');
    const filler = join(small, 'filler');
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(65_536), { flag: 'a' });
    } catch {
      // Full to the last block but a few.
      while (statSync(filler).size % 4096 === 0 && canGrow(filler));
    }
    const onFull = await move(at(url), { directory: small }).catch((error: Error) => error);
    expect((onFull as Error).message).toMatch(/full|no space/i);
    rmSync(filler);
    expect(readPlace(small)).toBeUndefined();
    expect(await useEmbedded(small)).toBe(EVENTS + 1);

    await move(at(url), { directory: small });
    await expect(move({ kind: 'embedded' }, { directory: small })).rejects.toMatchObject({ code: 'no_room' });
    expect(readPlace(small)).toMatchObject({ kind: 'own', url });
  });
});

function canGrow(file: string): boolean {
  try {
    writeFileSync(file, Buffer.alloc(4_096), { flag: 'a' });
    return true;
  } catch {
    return false;
  }
}

describe('in the middle', () => {
  test('the target dies: the move is refused and the next one succeeds', async () => {
    const before = await useEmbedded(dataDir);
    const dyingDir = makeDataDir();
    const dying = await startEmbedded({ dataDir: dyingDir, log });
    let killed: Promise<unknown> | undefined;
    const tell = ({ phase }: Progress) => {
      if (phase !== 'copying') return;
      killed ??= stopProcess(dying.pid, processStartTime(dying.pid) ?? '', { signal: 'SIGKILL' });
    };
    await expect(move(at(dying.url), { tell })).rejects.toMatchObject({ code: 'move_failed' });
    await killed;
    expect(choosePlace(configOf(dataDir))).toMatchObject({ kind: 'embedded' });
    expect(await useEmbedded(dataDir)).toBe(before + 1);

    const again = await startEmbedded({ dataDir: dyingDir, log });
    await move(at(again.url));
    await move({ kind: 'embedded' });
    expect(await useEmbedded(dataDir)).toBe(before + 2);
    await again.stop();
  });

  test('it is called off: nothing is moved', async () => {
    const before = await useEmbedded(dataDir);
    const url = await makeDatabase('called_off');
    for (const last of ['preparing', 'copying', 'verifying'] satisfies Phase[]) {
      const off = new AbortController();
      const tell = ({ phase }: Progress) => {
        if (phase === last) off.abort(new Error('called off'));
      };
      await expect(move(at(url), { tell, signal: off.signal }), last).rejects.toThrow();
      expect(choosePlace(configOf(dataDir)), last).toMatchObject({ kind: 'embedded' });
    }
    expect(await useEmbedded(dataDir)).toBe(before + 1);
  });
});

test('a dry run says what would be done and leaves the target as it was', async () => {
  const url = await makeDatabase('dry');
  let plan: MovePlan | undefined;
  const outcome = await move(at(url), {
    dryRun: true,
    planned: (found) => {
      plan = found;
    },
  });
  expect(outcome).toBeUndefined();
  expect(plan?.tables.map(({ table }) => table)).toContain('log.event_log_000001');
  expect(plan?.checks.every(({ ok }) => ok)).toBe(true);
  const schemas = `SELECT nspname FROM pg_namespace WHERE nspname IN ('log', 'platform')`;
  expect(await query(url, schemas)).toEqual([]);
});

test('after a move the address stands in one file of the owner’s, and another DATABASE_URL is refused', async () => {
  const url = await makeDatabase('moved_to');
  const outcome = await move(at(url));
  expect(outcome).toMatchObject({ from: 'embedded', sql_roles: [] });
  expect(statSync(placeFile(dataDir)).mode & 0o777).toBe(0o600);
  const password = new URL(url).password;
  expect(readFileSync(join(dataDir, 'secrets', 'database.json'), 'utf8')).toContain(password);
  expect(JSON.stringify(outcome)).not.toContain(password);

  expect(() => choosePlace(configOf(dataDir, { DATABASE_URL: 'postgres://x:hidden-pw@127.0.0.1:5/other' }))).toThrow(
    /was moved to 127\.0\.0\.1:\d+\/moved_to .* DATABASE_URL names 127\.0\.0\.1:5\/other/,
  );
  // The same one, perhaps with a new password, is the operator's word.
  const renewed = changed(url, { password: 'newer' });
  expect(choosePlace(configOf(dataDir, { DATABASE_URL: renewed }))).toMatchObject({ url: renewed });
  writeFileSync(placeFile(dataDir), '{"kind":');
  expect(() => choosePlace(configOf(dataDir))).toThrow('cannot be read');

  const client = new Client({ connectionString: url });
  await client.connect();
  expect(await readLabel(client)).toBeUndefined();
  await client.end();
});
