// The move itself, from database to database. Killed at any moment the installation is wholly in the old one until the
// switch, and wholly in the new one after it: the target's copy is one transaction, the source is held and then closed by
// another, and the switch is the renaming of one file.
import type pg from 'pg';
import { type CopyOutcome, copyTables } from '../../../platform/db/copy/copy-tables.ts';
import { CopyRefused } from '../../../platform/db/copy/hold.ts';
import { closeDatabase } from './closing.ts';
import { connectTo, disconnect } from './connect.ts';
import { type Label, setLabel } from './label.ts';
import { findOccupant } from './occupant.ts';
import { type MovedPlace, preparePlace, shownPlace, switchPlace } from './place.ts';
import type { TellProgress } from './progress.ts';
import { MoveRefused } from './refused.ts';

export interface Transfer {
  readonly dataDir: string;
  readonly to: MovedPlace;
  /** Without poolers between. */
  readonly sourceUrl: string;
  readonly targetUrl: string;
  readonly schemas: readonly string[];
  /** Of the log that is moved. */
  readonly log: string;
  readonly tell: TellProgress;
  readonly signal: AbortSignal;
}

// Any constant will do; two moves into one database must not meet.
const LOCK_KEY = 7_310_586;

/** Empties the target of what may be replaced and says that a move fills it. `migrate` then makes the schema. */
export async function clearTarget(transfer: Transfer, migrate: (url: string) => Promise<unknown>): Promise<void> {
  const { targetUrl, schemas, log } = transfer;
  const client = await connectTo(targetUrl);
  try {
    await client.query('BEGIN');
    await client.query(`SELECT pg_advisory_xact_lock(${LOCK_KEY}), set_config('lock_timeout', '30s', true)`);
    const { kind } = await findOccupant(client, schemas, log);
    if (kind !== 'nobody' && kind !== 'formerly_ours') {
      throw new MoveRefused('target_in_use', `${shownPlace(transfer.to)}: somebody else has moved in meanwhile`);
    }
    for (const schema of schemas) await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await client.query('CREATE SCHEMA platform');
    await setLabel(client, labelOf(transfer, 'filling'));
    await client.query('COMMIT');
  } finally {
    await disconnect(client);
  }
  await migrate(targetUrl);
}

export interface Transferred extends CopyOutcome {
  /** Agents with a database role for plain SQL: roles and their passwords are the server's, and stay there. */
  readonly sqlRoles: readonly string[];
}

/** Copies, proves, closes the source and switches; when it rejects, the place that held still holds. */
export async function transfer(plan: Transfer): Promise<Transferred> {
  const { tell } = plan;
  let source: pg.Client | undefined;
  let target: pg.Client | undefined;
  // Also a statement that the server is busy with.
  const callOff = () => void Promise.all([disconnect(source), disconnect(target)]);
  plan.signal.addEventListener('abort', callOff, { once: true });
  try {
    preparePlace(plan.dataDir, plan.to);
    source = await connectTo(plan.sourceUrl);
    target = await connectTo(plan.targetUrl);
    const outcome = await copyTables({
      source,
      target,
      schemas: plan.schemas,
      onProgress: (progress) => tell({ phase: progress.step === 'copy' ? 'copying' : 'verifying', ...progress }),
      signal: plan.signal,
    });
    const { rows: roles } = await source.query<{ agent: string }>(
      'SELECT agent FROM access.sql_roles WHERE removed_at IS NULL ORDER BY 1',
    );
    await setLabel(target, labelOf(plan, 'copied'));
    tell({ phase: 'committing' });
    plan.signal.throwIfAborted();
    await target.query('COMMIT');
    await analyze(target, outcome);
    plan.signal.throwIfAborted();

    tell({ phase: 'closing' });
    // From here it takes no time, and goes through.
    plan.signal.removeEventListener('abort', callOff);
    await closeDatabase(source, outcome.source.tables, labelOf(plan, 'left'));
    await outcome.source.restorePolicies();
    await source.query('COMMIT');
    tell({ phase: 'switching' });
    switchPlace(plan.dataDir);
    return { ...outcome, sqlRoles: roles.map(({ agent }) => agent) };
  } catch (error) {
    throw asRefusal(error);
  } finally {
    plan.signal.removeEventListener('abort', callOff);
    await Promise.all([disconnect(source), disconnect(target)]);
  }
}

function labelOf({ to, log }: Transfer, state: Label['state']): Label {
  return {
    state,
    move: to.move,
    log,
    at: new Date().toISOString(),
    ...(state === 'left' ? { to: shownPlace(to) } : {}),
  };
}

// A new copy has no statistics, and the first plans would be made without.
async function analyze(target: pg.ClientBase, { source }: CopyOutcome): Promise<void> {
  const roots = source.tables.filter(({ parent }) => parent === null);
  await target.query(`ANALYZE ${roots.map(({ name }) => name).join(', ')}`);
}

function asRefusal(error: unknown): unknown {
  if (error instanceof MoveRefused) return error;
  if (error instanceof CopyRefused) return new MoveRefused(error.code, error.message, undefined, { cause: error });
  const { code, message } = error as { code?: string; message: string };
  const isFull = code === '53100' || code === 'ENOSPC';
  const hint = isFull ? 'Free some space and move again.' : 'Look at the server, then move again: it begins anew.';
  return new MoveRefused('move_failed', `${isFull ? 'disk full: ' : ''}${message}`, hint, { cause: error });
}
