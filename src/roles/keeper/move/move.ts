// One move from request to end: plan, make the target ready, stop the roles, transfer, start them on the new database. Who
// holds the installation (a keeper, or the command line when nothing runs) lends the hands.

import { schemasOf } from '../../../platform/db/copy/schemas.ts';
import { clusterMajor } from '../../../platform/db/embedded/initdb.ts';
import { layoutOf } from '../../../platform/db/embedded/layout.ts';
import type { Logger } from '../../../platform/logger.ts';
import type { KeptDatabase } from '../kept-database.ts';
import { ourMigrations } from '../our-migrations.ts';
import { DatabaseRefused, prepareSchema } from '../prepare.ts';
import { connectTo, disconnect } from './connect.ts';
import { removeJournal, writeJournal } from './journal.ts';
import { type Place, shownPlace } from './place.ts';
import { type MovePlan, type Planned, planMove } from './plan.ts';
import type { MoveOutcome, TellProgress } from './progress.ts';
import { MoveRefused } from './refused.ts';
import { clearTarget, type Transfer, transfer } from './transfer.ts';

export interface MoveRequest {
  readonly id: string;
  readonly to: Place;
  /** Only what would be done. */
  readonly dryRun: boolean;
}

export interface MoveGround {
  readonly dataDir: string;
  readonly logger: Logger;
  /** Where it lives now. */
  readonly source: { readonly shown: string; readonly url: string; readonly isEmbedded: boolean };
  /** Brings the target up, when that is ours to do. */
  openTarget(place: Place): Promise<KeptDatabase>;
  /** Ends everything of ours that writes; agents stay. */
  stopRoles(): Promise<void>;
  /** After the switch: the new database is in use from here on. */
  adopt(target: KeptDatabase): Promise<void>;
  /** Whatever came of it: starts the roles again where the place file says now. Only called when they were stopped. */
  startRoles(): Promise<void>;
}

export interface MoveEvents {
  readonly tell: TellProgress;
  planned(plan: MovePlan): void;
  readonly signal: AbortSignal;
}

/** Undefined for a dry run. Throws MoveRefused; then nothing was moved. */
export async function runMove(
  request: MoveRequest,
  ground: MoveGround,
  events: MoveEvents,
): Promise<MoveOutcome | undefined> {
  const startedAt = performance.now();
  const { to } = request;
  if (to.kind === 'embedded' && ground.source.isEmbedded) {
    throw new MoveRefused('same_database', 'the installation lives in the embedded database already');
  }
  events.tell({ phase: 'checking' });
  if (request.dryRun && to.kind === 'embedded' && clusterMajor(layoutOf(ground.dataDir).cluster) === undefined) {
    events.planned((await inspect(ground, to, undefined, schemasOf(await ourMigrations()))).plan);
    return undefined;
  }
  const target = await openTarget(ground, to);
  let isAdopted = false;
  try {
    const targetUrl = target.directUrl() ?? target.url();
    const schemas = schemasOf(await ourMigrations());
    const { plan, refusal, log } = await inspect(ground, to, targetUrl, schemas);
    events.planned(plan);
    if (request.dryRun) return undefined;
    if (refusal !== undefined) throw refusal;

    const prepared: Transfer = {
      dataDir: ground.dataDir,
      to: { ...to, move: request.id, since: new Date().toISOString() },
      sourceUrl: ground.source.url,
      targetUrl,
      schemas,
      log,
      tell: events.tell,
      signal: events.signal,
    };
    events.tell({ phase: 'preparing' });
    writeJournal(ground.dataDir, { id: request.id, began: new Date().toISOString(), from: plan.from, to: plan.to });
    await prepare(prepared, ground.logger);
    events.signal.throwIfAborted();

    const stoppedAt = performance.now();
    events.tell({ phase: 'stopping' });
    try {
      await ground.stopRoles();
      const { tables, rows, sequences, sqlRoles } = await transfer(prepared);
      isAdopted = true;
      await ground.adopt(target);
      events.tell({ phase: 'starting' });
      const seconds = (from: number) => Math.round(performance.now() - from) / 1_000;
      const copied = tables.map(({ table, rows: count }) => ({ table, rows: count }));
      const counted = {
        tables: copied,
        rows,
        sequences,
        seconds: seconds(startedAt),
        stopped_seconds: seconds(stoppedAt),
      };
      return { from: plan.from, to: plan.to, ...counted, sql_roles: sqlRoles };
    } finally {
      await ground.startRoles();
    }
  } finally {
    if (!isAdopted) await target.stop();
  }
}

async function openTarget(ground: MoveGround, to: Place): Promise<KeptDatabase> {
  try {
    return await ground.openTarget(to);
  } catch (cause) {
    const { message, hint } = cause as { message: string; hint?: string };
    throw new MoveRefused('target_unreachable', `${shownPlace(to)}: ${message}`, hint, { cause });
  }
}

async function inspect(
  { source: { url, shown }, dataDir }: MoveGround,
  to: Place,
  /** Undefined for one that is yet to be made. */
  targetUrl: string | undefined,
  schemas: readonly string[],
): Promise<Planned> {
  const source = await connectTo(url);
  try {
    const target = targetUrl === undefined ? undefined : await reach(targetUrl, to);
    try {
      return await planMove({
        source,
        target,
        from: shown,
        to: shownPlace(to),
        migrations: await ourMigrations(),
        schemas,
        disk: to.kind === 'embedded' ? dataDir : undefined,
      });
    } finally {
      await disconnect(target);
    }
  } finally {
    await disconnect(source);
  }
}

async function reach(url: string, to: Place): Promise<Awaited<ReturnType<typeof connectTo>>> {
  try {
    return await connectTo(url);
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    const hint = 'Check address, user and password, and that the server runs.';
    throw new MoveRefused('target_unreachable', `${shownPlace(to)}: ${message || code}`, hint, { cause });
  }
}

async function prepare(prepared: Transfer, logger: Logger): Promise<void> {
  try {
    // As one of ours: there is nothing in it that a copy would have to be made of.
    await clearTarget(prepared, (url) => prepareSchema(url, logger, true));
  } catch (cause) {
    // The old database has not been touched yet.
    removeJournal(prepared.dataDir);
    if (cause instanceof MoveRefused) throw cause;
    const code = cause instanceof DatabaseRefused ? 'target_unsuitable' : 'move_failed';
    throw new MoveRefused(code, `${shownPlace(prepared.to)}: ${(cause as Error).message}`, undefined, { cause });
  }
}
