// A migration killed at any of its statements leaves the schema of before it, to the last privilege: the process that
// migrates (kill -9), its connection, or the server. How a statement is met: before each stands one more that waits for a
// lock, which the test holds for the statement it means; that somebody waits for it is the sign.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { makeDataDir } from '../../../test/support/embedded-data-dir.ts';
import { dumpSchema } from '../../../test/support/schema-dump.ts';
import { sqlStatements } from '../../../test/support/sql-statements.ts';
import { startProxy, type TcpProxy } from '../../../test/support/tcp-proxy.ts';
import { processStartTime } from '../process/facts.ts';
import { stopProcess } from '../process/stop.ts';
import { type EmbeddedServer, startEmbedded } from './embedded/server.ts';
import { type Migration, migrate, readMigrations } from './migrate.ts';

const LOCK_CLASS = 42_421;
const LIMIT = { timeout: 30_000, interval: 5 };
const isLong = process.env['QD_LONG'] === '1';
const log = () => {};
const real = await readMigrations(fileURLToPath(new URL('../..', import.meta.url)));

// Statements of many kinds, each of which would be seen if it stayed behind.
const synthetic = [
  `CREATE SCHEMA room; CREATE TABLE room.things (id int PRIMARY KEY, name text NOT NULL); INSERT INTO room.things VALUES (1, 'one; two');`,
  `ALTER TABLE room.things ADD COLUMN size int DEFAULT 3; CREATE INDEX things_size ON room.things (size);
   UPDATE room.things SET size = 4; ALTER TABLE room.things ENABLE ROW LEVEL SECURITY;
   CREATE POLICY all_rows ON room.things TO qd_app USING (size > 1); GRANT SELECT ON room.things TO qd_app;`,
  `CREATE FUNCTION room.double(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN n * 2; END; $$;
   -- a comment; with a semicolon
   CREATE TYPE room.mood AS ENUM ('calm', 'rough'); DROP INDEX room.things_size; COMMENT ON TABLE room.things IS 'it''s; fine';`,
].map((sql, i): Migration => ({ number: i + 1, name: `test/000${i + 1}`, sql, checksum: String(i) }));

let dataDir: string;
let server: EmbeddedServer;
let proxy: TcpProxy;
beforeAll(async () => {
  dataDir = makeDataDir('file');
  server = await startEmbedded({ dataDir, log });
});
afterAll(() => server?.stop());

let count = 0;
let database: string;
beforeEach(async () => {
  count += 1;
  database = `chain_${count}`;
  await asAdmin('postgres', (admin) => admin.query(`CREATE DATABASE ${database} OWNER quarterdeck`));
  proxy = await startProxy(server.port);
});
afterEach(async () => {
  await proxy.close();
  for (const worker of workers.splice(0)) await end(worker);
});

function urlOf(port = server.port): string {
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  url.port = String(port);
  return url.href;
}

async function asAdmin<T>(name: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const url = new URL(server.adminUrl);
  url.pathname = `/${name}`;
  const admin = new pg.Client({ connectionString: url.href });
  admin.on('error', () => undefined);
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end().catch(() => undefined);
  }
}

const dump = () => asAdmin(database, dumpSchema);

/** Who can be killed, and how the migrations are run so that it can. */
interface Victim {
  run(chain: readonly Migration[]): Promise<unknown>;
  kill(): Promise<void>;
}

const workers: ChildProcess[] = [];

async function end(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exited = once(worker, 'exit');
  worker.kill('SIGKILL');
  await exited;
}

const victims: Record<'process' | 'connection' | 'server', () => Victim> = {
  process() {
    let worker: ChildProcess | undefined;
    return {
      async run(chain) {
        const directory = mkdtempSync(join(tmpdir(), 'qd-chain-'));
        try {
          writeFileSync(join(directory, 'chain.json'), JSON.stringify(chain));
          const script = join(import.meta.dirname, '../../../test/support/migrate-worker.ts');
          worker = spawn(process.execPath, [script, urlOf(), join(directory, 'chain.json')], { stdio: 'ignore' });
          workers.push(worker);
          await once(worker, 'exit');
        } finally {
          rmSync(directory, { recursive: true });
        }
      },
      kill: () => end(worker!),
    };
  },
  connection: () => ({
    run: (chain) => migrate(urlOf(proxy.port), chain).catch(() => undefined),
    async kill() {
      await proxy.cut();
      await proxy.mend();
    },
  }),
  server: () => ({
    run: (chain) => migrate(urlOf(), chain).catch(() => undefined),
    async kill() {
      await stopProcess(server.pid, processStartTime(server.pid)!, { signal: 'SIGKILL' });
      server = await startEmbedded({ dataDir, log });
    },
  }),
};

/** With a stop before each of its statements and one after the last. */
function withStops(migration: Migration): { stopped: Migration; stops: number } {
  const statements = sqlStatements(migration.sql);
  const stop = (n: number) => `SELECT pg_advisory_xact_lock_shared(${LOCK_CLASS}, ${n});`;
  const sql = statements.map((statement, n) => `${stop(n)}\n${statement}`).join('\n') + stop(statements.length);
  // And the one that notes that it ran, which is met by a lock on its table.
  return { stopped: { ...migration, sql }, stops: statements.length + 2 };
}

/** Runs the chain until its last migration meets this stop, kills, and waits until nothing of it is left. */
async function killAt(victim: Victim, chain: readonly Migration[], stop: number, stops: number): Promise<void> {
  const hold = await holder(stop, stops);
  const running = victim.run(chain);
  try {
    await vi.waitFor(async () => {
      const { rows } = await hold.query(
        `SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE NOT l.granted AND a.datname = $1 AND a.application_name = 'quarterdeck migrate'`,
        [database],
      );
      expect(rows).toHaveLength(1);
    }, LIMIT);
    await victim.kill();
  } finally {
    await hold.end().catch(() => undefined);
    await running;
  }
  await asAdmin('postgres', (admin) =>
    vi.waitFor(async () => {
      const { rows } = await admin.query(
        `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = 'quarterdeck migrate'`,
        [database],
      );
      expect(rows).toEqual([]);
    }, LIMIT),
  );
}

async function holder(stop: number, stops: number): Promise<pg.Client> {
  const url = new URL(server.adminUrl);
  url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href });
  client.on('error', () => undefined);
  await client.connect();
  if (stop === stops - 1) await client.query('BEGIN; LOCK TABLE platform.migrations IN SHARE MODE');
  else await client.query('SELECT pg_advisory_lock($1, $2)', [LOCK_CLASS, stop]);
  return client;
}

/** Every stop of a migration, or so many, evenly over it, the last ones among them. */
function stopsToMeet(stops: number, some: number): number[] {
  const all = Array.from({ length: stops }, (_, n) => n);
  if (isLong || stops <= some) return all;
  const step = stops / some;
  return [...new Set(Array.from({ length: some }, (_, n) => stops - 1 - Math.floor(n * step)))];
}

// The real chain has hundreds of statements: all of them in the long run, else some.
const EVERY = Number.POSITIVE_INFINITY;

test.each([
  ['process', 'a synthetic chain', synthetic, EVERY],
  ['server', 'a synthetic chain', synthetic, EVERY],
  ['connection', 'the real chain', real, 8],
  ['process', 'the real chain', real, 1],
  ['server', 'the real chain', isLong ? real : real.slice(0, 3), 2],
] as const)(
  'kill -9 of the %s at statements of %s leaves the schema of before',
  async (who, _what, chain, some) => {
    const victim = victims[who]();
    await migrate(urlOf(), []);
    let met = 0;
    for (const [i, migration] of chain.entries()) {
      const before = await dump();
      const { stopped, stops } = withStops(migration);
      for (const stop of stopsToMeet(stops, some)) {
        await killAt(victim, [...chain.slice(0, i), stopped], stop, stops);
        expect(await dump(), `${migration.name}, stop ${stop}`).toBe(before);
        met += 1;
      }
      expect(await migrate(urlOf(), chain.slice(0, i + 1))).toEqual([migration.name]);
      expect(await dump()).not.toBe(before);
    }
    expect(met).toBeGreaterThanOrEqual(chain.length);
    // As if nothing had ever been killed.
    const after = await dump();
    database = `${database}_straight`;
    await asAdmin('postgres', (admin) => admin.query(`CREATE DATABASE ${database} OWNER quarterdeck`));
    await migrate(urlOf(), chain);
    expect(await dump()).toBe(after);
  },
  1_200_000,
);
