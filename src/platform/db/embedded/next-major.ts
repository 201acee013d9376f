// From one major version of PostgreSQL to the next: its servers do not open each other's files, so the rows are copied from
// the old server into a new cluster made by our migrations, proven table by table, and only then does the new one take the
// place (swap.ts). Until that note is written the old cluster is the database, whatever dies; afterwards it is kept as a copy.
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Client } from 'pg';
import { copyTables } from '../copy/copy-tables.ts';
import { schemasOf } from '../copy/schemas.ts';
import { type AppliedMigration, type Migration, migrate, pendingMigrations, readApplied } from '../migrate.ts';
import { withAsideServer } from './aside-server.ts';
import { beginCopy, removeOldCopies, writeLabel } from './copies.ts';
import { clusterBytes, syncFiles } from './copy-files.ts';
import { copyRoles } from './copy-roles.ts';
import { type Engine, findEngine } from './engine.ts';
import { EmbeddedFailure } from './failure.ts';
import { freeBytes, sizeInWords } from './free-bytes.ts';
import type { Ground } from './ground.ts';
import { createCluster } from './initdb.ts';
import type { Layout } from './layout.ts';
import { endStrayBackends, findRunningServer } from './leftovers.ts';
import type { Log } from './log.ts';
import { stopPostmaster } from './postmaster.ts';
import { provision, withConnection } from './provision.ts';
import { writeSettings } from './settings.ts';
import { pendingSwap, swapClusters } from './swap.ts';

export interface NextMajorPlan {
  /** Everything that the new server needs. */
  readonly ground: Ground;
  /** The server whose files are there. */
  readonly from: Engine;
  /** The migrations that this program knows. */
  readonly migrations: readonly Migration[];
  /** The version of this program that left the database, as far as it is known. */
  readonly version: string;
  readonly log: Log;
}

const ROOM_BESIDE = 256 * 1024 * 1024;

/** The binaries that can open a cluster of this major version: the data directory holds those that it ran. */
export function engineOf(layout: Layout, major: number, ours: number): Engine {
  const engine = findEngine(layout.engines, major);
  if (engine) return engine;
  throw new EmbeddedFailure(
    'wrong_major',
    `the database was made by PostgreSQL ${major}, whose programs are not in ${layout.engines}; this version of Quarterdeck brings PostgreSQL ${ours}`,
    {
      hint: `Nothing was changed. Start it once with the version of Quarterdeck that brings PostgreSQL ${major}, which puts them there; then start this version again.`,
    },
  );
}

/** Under the data lock. Throws EmbeddedFailure, SchemaRefused or CopyRefused, and then nothing has changed. */
export async function moveToNextMajor(plan: NextMajorPlan): Promise<void> {
  const { ground, from, log, version } = plan;
  const { layout, engine, account, superuserPassword } = ground;
  // Roles of the last start may still write: they find nobody until the new server is there.
  const running = findRunningServer(layout);
  if (running) await stopPostmaster(running);
  await endStrayBackends(layout, log);
  refuseShortRoom(layout);

  log('info', 'moving the database to another major version of PostgreSQL', { from: from.version, to: engine.version });
  try {
    await createCluster({ engine, cluster: layout.next, account, password: superuserPassword });
    writeSettings(layout.next);
    const applied = await copyAll(plan);
    await syncFiles(layout.next);
    const now = new Date();
    const aside = beginCopy(layout, version, now, true);
    writeLabel(layout, aside, {
      version,
      made_at: now.toISOString(),
      reason: 'major',
      migrations: applied.map(({ name }) => name),
      postgres: from.version,
      bytes: clusterBytes(layout.cluster),
      manifest_sha256: null,
    });
    swapClusters(layout, { from: basename(layout.next), aside: join(basename(layout.copies), aside, 'postgres') });
    log('info', 'the database is moved, and its old files are kept as a copy', { copy: aside });
    removeOldCopies(layout, aside);
  } catch (error) {
    // While the note stands, the next start puts it in the place that may be empty already.
    if (pendingSwap(layout) === undefined) rmSync(layout.next, { recursive: true, force: true });
    throw error;
  }
}

async function copyAll({ ground, from, migrations, log }: NextMajorPlan): Promise<AppliedMigration[]> {
  const { layout } = ground;
  const { secrets } = layout;
  return withAsideServer({ ground, engine: from, cluster: layout.cluster, log }, (old) =>
    withAsideServer({ ground, cluster: layout.next, log }, async (young) => {
      const source = await provision({ ...old, secrets, isNew: false });
      const target = await provision({ ...young, secrets, isNew: true });
      const applied = await readApplied(source);
      pendingMigrations(migrations, applied);
      await refuseForeign(old.adminUrl, source, schemasOf(migrations));
      // Only those: what is new runs on the copy later, like every migration.
      const same = migrations.filter(({ number }) => applied.some((one) => one.number === number));
      await migrate(target, same);
      await copyRows(source, target, same, log);
      const roles = await withConnection(ownDatabase(old.adminUrl), (from) =>
        withConnection(ownDatabase(young.adminUrl), (into) => copyRoles(from, into)),
      );
      log('info', 'roles were copied', { roles });
      return applied;
    }),
  );
}

// As superuser to the database that is ours.
function ownDatabase(adminUrl: string): string {
  const url = new URL(adminUrl);
  url.pathname = '/quarterdeck';
  return url.href;
}

async function copyRows(from: string, into: string, migrations: readonly Migration[], log: Log): Promise<void> {
  await withConnection(from, (source) =>
    withConnection(into, async (target) => {
      const { rows, tables } = await copyTables({ source, target, schemas: schemasOf(migrations) });
      await copyWords(source, target);
      await target.query('COMMIT');
      // The old side was only held.
      await source.query('ROLLBACK');
      await target.query('ANALYZE');
      log('info', 'every table was copied and proven', { tables: tables.length, rows });
    }),
  );
}

// What the database says of itself, as a comment: one that the installation has left stays one that was left.
async function copyWords(source: Client, target: Client): Promise<void> {
  const { rows } = await source.query<{ statement: string }>(
    `SELECT format('COMMENT ON SCHEMA platform IS %L', obj_description('platform'::regnamespace, 'pg_namespace')) AS statement`,
  );
  await target.query(rows[0]!.statement);
}

// What is not ours would be left behind without a word.
async function refuseForeign(adminUrl: string, url: string, schemas: readonly string[]): Promise<void> {
  const databases = await withConnection(adminUrl, async (admin) => {
    const { rows } = await admin.query<{ name: string }>(
      `SELECT datname AS name FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', 'quarterdeck')`,
    );
    return rows.map(({ name }) => `the database ${name}`);
  });
  const tables = await withConnection(url, async (owner) => {
    const { rows } = await owner.query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p', 'm', 'v', 'S') AND n.nspname <> ALL ($1)
         AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1`,
      [schemas],
    );
    return rows.map(({ name }) => name);
  });
  const foreign = [...databases, ...tables];
  if (foreign.length === 0) return;
  throw new EmbeddedFailure(
    'wrong_major',
    `there is more in it than Quarterdeck's own: ${foreign.slice(0, 10).join(', ')}`,
    {
      hint: 'Nothing was changed. Start the version of before, save these elsewhere and drop them; then start this version again.',
    },
  );
}

function refuseShortRoom(layout: Layout): void {
  const needed = clusterBytes(layout.cluster) + ROOM_BESIDE;
  const free = freeBytes(layout.root);
  if (free >= needed) return;
  throw new EmbeddedFailure(
    'copy_no_room',
    `the next major version of PostgreSQL needs a second set of files, ${sizeInWords(needed)}, and ${layout.root} has ${sizeInWords(free)}`,
    { hint: 'Nothing was changed. Free some space and start again, or start the version of before.' },
  );
}
