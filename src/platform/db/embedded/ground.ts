// What a server needs before it can run: an account, binaries, directories, and a cluster of the right major version.
import { lstatSync, readdirSync } from 'node:fs';
import type { Migration } from '../migrate.ts';
import { chooseAccount, type DatabaseAccount, openTheWay } from './account.ts';
import { listCopies, removeHalfCopies } from './copies.ts';
import { type Engine, type EngineSource, findEngineSource, installEngine } from './engine.ts';
import { EmbeddedFailure } from './failure.ts';
import { clusterMajor, createCluster, removeHalfClusters } from './initdb.ts';
import { ensureDirectory, type Layout } from './layout.ts';
import type { Log } from './log.ts';
import { engineOf, moveToNextMajor } from './next-major.ts';
import { ensureSecret, readSecret, superuserSecretFile } from './secrets.ts';
import { writeSettings } from './settings.ts';
import { completeSwap } from './swap.ts';

export interface Ground {
  layout: Layout;
  engine: Engine;
  account: DatabaseAccount | undefined;
  superuserPassword: string;
  /** Whether the cluster was made just now. */
  isNew: boolean;
}

export interface GroundOptions {
  log: Log;
  /** Another package than the installed one of this platform. */
  engine?: EngineSource;
  /** Other accounts than the ones found; only root may choose. */
  account?: DatabaseAccount;
  /** What it takes to go on to the next major version; without it a cluster of another one is refused. */
  upgrade?: Upgrade;
  /** A cluster of another major version is let be: it is about to be replaced. */
  anyMajor?: boolean;
}

export interface Upgrade {
  /** The migrations that this program knows. */
  migrations(): Promise<Migration[]>;
  /** The version of this program that left the database, as far as it is known. */
  readonly version: string;
}

/** Makes everything ready for a start; done again after kill -9 at any moment, it completes what is missing. */
export async function prepareGround(layout: Layout, options: GroundOptions): Promise<Ground> {
  refuseShellCharacters(layout.root);
  refuseLinks(layout);
  completeSwap(layout);
  const source = options.engine ?? findEngineSource();
  const major = clusterMajor(layout.cluster);
  const ours = Number.parseInt(source.version, 10);
  const mayMove = major !== undefined && major < ours && options.upgrade !== undefined;
  if (mayMove) engineOf(layout, major, ours);
  else if (!options.anyMajor) refuseOtherMajor(layout, major, ours);

  const account = options.account ?? (await chooseAccount(layout.cluster));
  if (account) await openTheWay(layout, account);
  ensureDirectory(layout.logs, 0o700);
  ensureDirectory(layout.sockets, 0o711, account?.run);
  const engine = await installEngine(source, layout.engines);

  await removeHalfClusters(layout.cluster);
  await removeHalfCopies(layout, options.log);
  const superuserPassword = superuserSecret(layout, major !== undefined);
  if (major === undefined) {
    refuseUnknownFiles(layout.cluster);
    options.log('info', 'making the database', { directory: layout.cluster, version: engine.version });
    await createCluster({ engine, cluster: layout.cluster, account, password: superuserPassword });
  }
  const ground: Ground = { layout, engine, account, superuserPassword, isNew: major === undefined };
  if (mayMove && options.upgrade) {
    const { migrations, version } = options.upgrade;
    const from = engineOf(layout, major, ours);
    await moveToNextMajor({ ground, from, migrations: await migrations(), version, log: options.log });
  }
  if (!options.anyMajor) writeSettings(layout.cluster);
  return ground;
}

// initdb puts paths between double quotes into lines for the shell, which would read these characters.
function refuseShellCharacters(root: string): void {
  if (!/["$`\\\n\r]/.test(root)) return;
  throw new EmbeddedFailure(
    'data_dir_refused',
    `the data directory ${JSON.stringify(root)} has a character that initdb cannot take`,
    {
      hint: 'Choose a path without double quotes, dollar signs, backticks, backslashes and line ends.',
    },
  );
}

// A server is known by the directories of its process, which the kernel names by their real path: one that runs behind a link
// would be taken for none, and its files for those of a stopped server.
function refuseLinks({ cluster, engines }: Layout): void {
  for (const path of [cluster, engines]) {
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) continue;
    throw new EmbeddedFailure('data_dir_refused', `${path} is a link`, {
      hint: 'Nothing was changed. Put its directory back in the place; for another disk move the data directory as a whole and name it with --data.',
    });
  }
}

// The secret is on disk before there is a cluster that has it: no crash between the two locks us out.
function superuserSecret(layout: Layout, isPresent: boolean): string {
  const file = superuserSecretFile(layout.secrets);
  if (!isPresent) return ensureSecret(file);
  const secret = readSecret(file);
  if (secret) return secret;
  throw new EmbeddedFailure('secret_missing', `the database is there, but its password file ${file} is not`, {
    hint: 'Restore the file from a backup of the data directory.',
  });
}

function refuseOtherMajor(layout: Layout, found: number | undefined, ours: number): void {
  if (found === undefined || found === ours) return;
  throw new EmbeddedFailure(
    'wrong_major',
    `the database in ${layout.cluster} was made by PostgreSQL ${found}, and this version of Quarterdeck brings PostgreSQL ${ours}`,
    { hint: `Nothing was changed. ${whatBrings(layout, found, ours)}` },
  );
}

function whatBrings(layout: Layout, found: number, ours: number): string {
  const start = `Start it with the version of Quarterdeck that brings PostgreSQL ${found}.`;
  const copy = listCopies(layout).find(({ postgres }) => Number.parseInt(postgres, 10) === ours);
  if (copy === undefined) return start;
  return `${start} Or go back to how it was on ${copy.made_at}: quarterdeck database restore-copy ${copy.name}`;
}

function refuseUnknownFiles(cluster: string): void {
  const names = (() => {
    try {
      return readdirSync(cluster);
    } catch {
      return [];
    }
  })();
  if (names.length === 0) return;
  throw new EmbeddedFailure('start_failed', `${cluster} holds files, but no database (there is no PG_VERSION)`, {
    hint: 'Nothing was changed. Move the directory away to begin with a new database, or restore a backup.',
  });
}
