// What happens to the embedded database before a newer version of this program changes its schema: a copy is made, so that
// there is a way back. And what a start that meets a schema newer than itself can say about that way.
import { type Copy, listCopies } from '../../platform/db/embedded/copies.ts';
import { prepareGround } from '../../platform/db/embedded/ground.ts';
import { layoutOf } from '../../platform/db/embedded/layout.ts';
import { copiesInWords, makeCopy, makeRoomForCopy } from '../../platform/db/embedded/make-copy.ts';
import type { EmbeddedServer } from '../../platform/db/embedded/server.ts';
import { pendingMigrations, readApplied, SchemaRefused } from '../../platform/db/migrate.ts';
import type { Logger } from '../../platform/logger.ts';
import { lastHere } from './last-here.ts';
import { ourMigrations } from './our-migrations.ts';
import { serverLog } from './server-log.ts';

export interface UpgradeOptions {
  readonly dataDir: string;
  readonly logger: Logger;
  /** The operator does without a way back. */
  readonly withoutCopy: boolean;
  readonly signal: AbortSignal;
  /** Starts the server again. */
  launch(): Promise<EmbeddedServer>;
}

/**
 * Answers the server that runs then: the same when there is nothing to migrate, else it was stopped, copied and started
 * again. Throws SchemaRefused when the schema is newer; when it throws, a server that ran runs on.
 */
export async function copyBeforeMigrating(server: EmbeddedServer, options: UpgradeOptions): Promise<EmbeddedServer> {
  const { dataDir, logger, withoutCopy, signal } = options;
  const applied = await readApplied(server.url);
  // A new database has nothing to go back to.
  if (applied.length === 0) return server;
  const pending = await orWayBack(dataDir, async () => pendingMigrations(await ourMigrations(), applied));
  if (pending.length === 0) return server;

  const names = pending.map(({ name }) => name);
  if (withoutCopy) {
    logger.warn({ migrations: names }, 'the schema is brought up to date without a copy: there is no way back');
    return server;
  }
  const log = serverLog(logger);
  const layout = layoutOf(dataDir);
  makeRoomForCopy(layout, log);
  logger.info({ migrations: names }, 'copying the database before its schema is brought up to date');
  await server.stop();
  try {
    const ground = await prepareGround(layout, { log });
    const label = { version: lastHere(dataDir)?.version ?? 'unknown', migrations: applied.map(({ name }) => name) };
    const copy = await makeCopy({ ground, label, log, signal });
    const copies = copiesInWords(layout);
    logger.info({ copy: copy.name, bytes: copy.bytes, copies }, `a copy was made and opened; ${wayBackTo(copy)}`);
  } catch (error) {
    if (server.adopted) await options.launch();
    throw error;
  }
  return options.launch();
}

/** Adds to a refusal of the schema which copy this version could go back to. */
async function orWayBack<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SchemaRefused) || error.unknown.length === 0) throw error;
    const known = new Set((await ourMigrations()).map(({ name }) => name));
    const copy = listCopies(layoutOf(dataDir)).find(({ migrations }) => migrations.every((name) => known.has(name)));
    const way =
      copy === undefined
        ? 'There is no copy that this version could go back to.'
        : `Or go back to how it was on ${copy.made_at}, without what came later: ${commandFor(copy)}`;
    throw new SchemaRefused(error.message, `${error.hint} ${way}`, error.unknown);
  }
}

function wayBackTo(copy: Copy): string {
  return `the way back: ${commandFor(copy)}`;
}

function commandFor({ name }: Copy): string {
  return `quarterdeck database restore-copy ${name}`;
}

/** For a server of the operator's own, of which no copy can be made here. */
export async function sayNoCopy(url: string, logger: Logger): Promise<void> {
  const applied = await readApplied(url);
  if (applied.length === 0) return;
  const migrations = pendingMigrations(await ourMigrations(), applied).map(({ name }) => name);
  if (migrations.length === 0) return;
  logger.warn(
    { migrations },
    'the schema of your PostgreSQL is brought up to date; the way back is the backup you made before',
  );
}
