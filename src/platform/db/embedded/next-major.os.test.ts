// From PostgreSQL 17 to 18: every row arrives, and whatever is killed leaves the old database or the new one.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, type TestContext, test } from 'vitest';
import { makeDataDir, query } from '../../../../test/support/embedded-data-dir.ts';
import { fetchOldEngine } from '../../../../test/support/old-engine.ts';
import { findProcessesByDirectory } from '../../process/facts.ts';
import { migrate, readMigrations } from '../migrate.ts';
import { withAsideServer } from './aside-server.ts';
import { listCopies } from './copies.ts';
import { prepareGround } from './ground.ts';
import { clusterMajor } from './initdb.ts';
import { layoutOf } from './layout.ts';
import { provision } from './provision.ts';
import { startEmbedded } from './server.ts';
import { renderSettings } from './settings.ts';

const log = () => {};
const migrations = await readMigrations(fileURLToPath(new URL('../../..', import.meta.url)));
const upgrade = { migrations: async () => migrations, version: '0.0.9' };
const ROLE = 'qd_plain_reader';

let old: Awaited<ReturnType<typeof fetchOldEngine>>;
/** Made once, copied for each case. */
let pattern: string;
let rowsBefore: Record<string, unknown>[];

beforeAll(async () => {
  old = await fetchOldEngine();
  if (old === undefined) return;
  pattern = makeDataDir('file');
  rowsBefore = await fill(pattern);
}, 120_000);

afterAll(() => {
  if (old) rmSync(old.directory, { recursive: true, force: true });
});

const COUNTS = `SELECT (SELECT count(*)::int FROM log.event_log) AS events, (SELECT count(*)::int FROM access.tenants) AS tenants,
  (SELECT md5(string_agg(e::text, '|' ORDER BY seq)) FROM log.event_log e) AS sum,
  (SELECT last_value::text FROM log.event_seq) AS seq,
  (SELECT string_agg(name || applied_at::text, ',' ORDER BY number) FROM platform.migrations) AS migrations`;

/** A data directory as an installation on PostgreSQL 17 leaves it. */
async function fill(dataDir: string): Promise<Record<string, unknown>[]> {
  const layout = layoutOf(dataDir);
  const ground = await prepareGround(layout, { log, engine: old!.source });
  // Of 18 only.
  writeFileSync(join(layout.cluster, 'quarterdeck.conf'), renderSettings({ max_connections: '60' }));
  return withAsideServer({ ground, cluster: layout.cluster, log }, async (server) => {
    const url = await provision({ ...server, secrets: layout.secrets, isNew: true });
    await migrate(url, migrations);
    const admin = asAdmin(server.adminUrl);
    await query(
      admin,
      `INSERT INTO access.tenants (slug, name) VALUES ('acme', 'Acme')`,
      `INSERT INTO log.event_log (tenant_id, event_type, source_agent, payload)
       SELECT id, 'note.' || n % 5, 'test', jsonb_build_object('n', n) FROM generate_series(1, 5000) n, access.tenants
       WHERE slug = 'acme'`,
      `CREATE ROLE ${ROLE} LOGIN CONNECTION LIMIT 3 PASSWORD 'of the reader'`,
      `ALTER ROLE ${ROLE} SET search_path = log, access`,
      `ALTER ROLE ${ROLE} SET statement_timeout = '7s'`,
      `GRANT USAGE ON SCHEMA access TO ${ROLE}`,
      `GRANT SELECT (slug) ON access.tenants TO ${ROLE}`,
      `GRANT ${ROLE} TO quarterdeck WITH INHERIT TRUE, SET FALSE`,
    );
    return query(admin, COUNTS);
  });
}

function asAdmin(adminUrl: string): string {
  return adminUrl.replace(/\/postgres$/, '/quarterdeck');
}

function dataDirOf17(context: TestContext): string {
  if (old === undefined) return context.skip('PostgreSQL 17 cannot be fetched here');
  const dataDir = makeDataDir();
  // With the owners, which as root are not we.
  expect(spawnSync('cp', ['-a', `${pattern}/.`, dataDir]).status).toBe(0);
  return dataDir;
}

/** What is in the database of this data directory, started as a user would. */
async function contentOf(dataDir: string): Promise<Record<string, unknown>[]> {
  const server = await startEmbedded({ dataDir, log, upgrade });
  try {
    return await query(asAdmin(server.adminUrl), COUNTS);
  } finally {
    await server.stop();
  }
}

test('rows, sequences, migrations and roles are as they were, on the new server; the old files are kept as a copy', async (context) => {
  const dataDir = dataDirOf17(context);
  const layout = layoutOf(dataDir);
  const server = await startEmbedded({ dataDir, log, upgrade });
  expect(server.major).toBe(18);
  expect(await query(asAdmin(server.adminUrl), COUNTS)).toEqual(rowsBefore);
  const [fresh] = await query(
    asAdmin(server.adminUrl),
    `INSERT INTO log.event_log (tenant_id, event_type, source_agent, payload)
     SELECT id, 'after', 'test', '{}' FROM access.tenants WHERE slug = 'acme' RETURNING seq::text`,
  );
  expect(Number(fresh!['seq'])).toBe(Number(rowsBefore[0]!['seq']) + 1);

  const reader = new URL(server.url);
  reader.username = ROLE;
  reader.password = 'of the reader';
  await expect(query(reader.href, 'SELECT id FROM tenants')).rejects.toThrow('permission denied');
  expect(await query(reader.href, 'SELECT count(slug) FROM tenants')).toHaveLength(1);
  expect(await query(reader.href, 'SHOW search_path')).toEqual([{ search_path: 'log, access' }]);
  expect(await query(reader.href, 'SHOW statement_timeout')).toEqual([{ statement_timeout: '7s' }]);
  await server.stop();

  const [copy] = listCopies(layout);
  expect(copy).toMatchObject({ reason: 'major', version: '0.0.9', postgres: old!.source.version });
  expect(clusterMajor(join(layout.copies, copy!.name, 'postgres'))).toBe(17);
  // The next start finds nothing to do, and the programs of the copy stay.
  expect((await contentOf(dataDir))[0]!['events']).toBe(5001);
  expect(readdirSync(layout.engines)).toContain(old!.source.version);
});

test('what a move has said of the database it left stays said, and a role for backups may still read all', async (context) => {
  const dataDir = dataDirOf17(context);
  const layout = layoutOf(dataDir);
  const ground = await prepareGround(layout, { log, engine: old!.source, anyMajor: true });
  const said = `quarterdeck move {"state":"left","to":"it''s elsewhere"}`;
  await withAsideServer({ ground, cluster: layout.cluster, log }, async ({ adminUrl }) => {
    await query(
      asAdmin(adminUrl),
      `COMMENT ON SCHEMA platform IS '${said}'`,
      'CREATE ROLE keeper_of_copies BYPASSRLS REPLICATION',
    );
  });
  const server = await startEmbedded({ dataDir, log, upgrade });
  const [found] = await query(
    asAdmin(server.adminUrl),
    `SELECT obj_description('platform'::regnamespace, 'pg_namespace') AS said, rolbypassrls, rolreplication
     FROM pg_roles WHERE rolname = 'keeper_of_copies'`,
  );
  await server.stop();
  expect(found).toEqual({ said: said.replace("''", "'"), rolbypassrls: true, rolreplication: true });
});

test.each(['making', 'moving the database', 'every table was copied', 'roles were copied', 'the database is moved'])(
  'killed at "%s" it leaves the old database or the new one, and the next start goes on',
  async (moment) => {
    if (old === undefined) return;
    const dataDir = makeDataDir();
    expect(spawnSync('cp', ['-a', `${pattern}/.`, dataDir]).status).toBe(0);
    const layout = layoutOf(dataDir);
    await killAt(dataDir, moment);
    // Between them there is nothing: either major version is a whole database, and never both are in place.
    const major = clusterMajor(layout.cluster);
    expect(major).toBe(moment === 'the database is moved' ? 18 : 17);
    expect(await contentOf(dataDir)).toEqual(rowsBefore);
    expect(clusterMajor(layout.cluster)).toBe(18);
    expect(listCopies(layout)).toHaveLength(1);
    expect(existsSync(layout.next)).toBe(false);
    expect(findProcessesByDirectory(layout.next)).toEqual([]);
  },
);

/** Starts it in a process of its own and kills that at the word: `making` is when the new cluster is being made. */
async function killAt(dataDir: string, moment: string): Promise<void> {
  const worker = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../../../test/support/major-worker.ts'), dataDir],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  onTestFinished(() => void worker.kill('SIGKILL'));
  const exited = once(worker, 'exit');
  let said = '';
  const look = () => {
    const isMaking = readdirSync(dataDir).some((name) => name.startsWith('postgres.next.init'));
    if (moment === 'making' ? isMaking : said.includes(moment)) worker.kill('SIGKILL');
  };
  worker.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    look();
  });
  const looking = setInterval(look, 1);
  const [, signal] = (await exited) as [number | null, NodeJS.Signals | null];
  clearInterval(looking);
  expect(signal).toBe('SIGKILL');
}

test.for([
  ['a table that is not ours', 'CREATE TABLE public.mine (x int)', 'public.mine'],
  ['a database that is not ours', 'CREATE DATABASE other', 'the database other'],
])('%s is not left behind without a word', async ([, statement, named], context) => {
  const dataDir = dataDirOf17(context);
  const layout = layoutOf(dataDir);
  const ground = await prepareGround(layout, { log, engine: old!.source });
  writeFileSync(join(layout.cluster, 'quarterdeck.conf'), renderSettings({ max_connections: '60' }));
  await withAsideServer({ ground, cluster: layout.cluster, log }, ({ adminUrl }) =>
    query(asAdmin(adminUrl), statement!),
  );
  await expect(startEmbedded({ dataDir, log, upgrade })).rejects.toThrow(named!);
  expect(clusterMajor(layout.cluster)).toBe(17);
  expect(existsSync(layout.next)).toBe(false);
  expect(listCopies(layout)).toEqual([]);
});

test('without the programs of the old version it says how to get them, and changes nothing', async (context) => {
  const dataDir = dataDirOf17(context);
  const layout = layoutOf(dataDir);
  rmSync(layout.engines, { recursive: true });
  await expect(startEmbedded({ dataDir, log, upgrade })).rejects.toMatchObject({
    code: 'wrong_major',
    hint: expect.stringContaining('Start it once with the version of Quarterdeck that brings PostgreSQL 17'),
  });
  expect(clusterMajor(layout.cluster)).toBe(17);
});
