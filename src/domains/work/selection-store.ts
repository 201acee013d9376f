// The SQL that finds jobs to be cancelled, replayed or changed: by their ids, or by a filter.
import type { Tx } from '../../platform/db/database.ts';
import type { NewJobRow } from './store.ts';

export interface Selection {
  readonly state?: string | undefined;
  readonly queue?: string | undefined;
  readonly kind?: string | undefined;
  readonly channel?: string | undefined;
  readonly schedule?: string | undefined;
  readonly reason?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Only jobs made up to this one. */
  readonly upTo?: string | undefined;
}

export interface Found {
  /** Counted up to MOST_COUNTED. */
  readonly count: number;
  readonly newest: string | null;
}

export interface HotRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly queue: string;
  readonly kind: string;
  readonly state: string;
  readonly attempt: number;
  readonly agent: string | null;
  readonly channel_id: number | null;
  readonly batch_id: string | null;
}

const MOST_COUNTED = 10_000;
export const HOT = 'j.id, j.tenant_id, j.queue, j.kind, j.state, j.attempt, j.agent, j.channel_id, j.batch_id';

// Conditions with the values they use, for a table called j.
function conditions(selection: Selection): { where: string; values: unknown[] } {
  const values: unknown[] = [];
  const parts: string[] = [];
  const add = (column: string, operator: string, value: unknown) => {
    if (value !== undefined) parts.push(`j.${column} ${operator} $${values.push(value)}`);
  };
  // Literal, one of a few words of the contract: only so the planner may use the partial indexes.
  if (selection.state !== undefined) parts.push(`j.state = '${selection.state}'`);
  add('queue', '=', selection.queue);
  add('kind', '=', selection.kind);
  add('channel', '=', selection.channel);
  add('schedule', '=', selection.schedule);
  add('reason', '=', selection.reason);
  add('tenant_id', '=', selection.tenantId);
  add('id', '<=', selection.upTo);
  return { where: parts.length === 0 ? 'true' : parts.join(' AND '), values };
}

async function count(tx: Tx, table: string, selection: Selection, also = 'true'): Promise<Found> {
  const { where, values } = conditions(selection);
  const [row] = await tx.query<Found>(
    `SELECT count(*) AS count, (array_agg(id ORDER BY id DESC))[1] AS newest
     FROM (SELECT j.id FROM ${table} WHERE ${where} AND ${also} ORDER BY j.id DESC LIMIT ${MOST_COUNTED}) found`,
    values,
  );
  return row!;
}

export function countHot(tx: Tx, selection: Selection): Promise<Found> {
  return count(tx, 'work.jobs j', selection);
}

/** Without those that were added once more already, whose unique key another job has, or that cost too much by now. */
export function countEnded(tx: Tx, selection: Selection): Promise<Found> {
  return count(tx, REPLAYABLE, selection, MAY_REPLAY);
}

/** Locks jobs that have not ended, in the order of ids. */
export async function lockHot(tx: Tx, ids: readonly string[]): Promise<HotRow[]> {
  return tx.query<HotRow>(`SELECT ${HOT} FROM work.jobs j WHERE j.id = ANY ($1) ORDER BY j.id FOR UPDATE`, [ids]);
}

export async function lockHotBy(tx: Tx, selection: Selection, limit: number): Promise<HotRow[]> {
  const { where, values } = conditions(selection);
  return tx.query<HotRow>(
    `SELECT ${HOT} FROM work.jobs j WHERE ${where} ORDER BY j.id LIMIT $${values.push(limit)} FOR UPDATE`,
    values,
  );
}

/** The jobs with these unique keys that no worker holds, locked. */
export async function lockWaitingByKeys(tx: Tx, tenantId: string, keys: readonly string[]): Promise<HotRow[]> {
  return tx.query<HotRow>(
    `SELECT ${HOT} FROM work.jobs j WHERE j.tenant_id = $1 AND j.unique_key = ANY ($2) AND j.state <> 'running'
     ORDER BY j.id FOR UPDATE`,
    [tenantId, keys],
  );
}

/** An ended job with all that a new one like it needs. */
export interface EndedRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly queue: string;
  readonly kind: string;
  readonly priority: number;
  readonly payload: unknown;
  readonly large: boolean;
  readonly unique_key: string | null;
  readonly max_attempts: number;
  readonly channel_id: number | null;
  readonly channel: string | null;
  readonly cost: number;
  /** Most that a job on its channel may cost now; null: any. */
  readonly most_cost: number | null;
  readonly urgent: boolean;
  readonly max_runtime_seconds: number | null;
  readonly back_off_seconds: number | null;
}

const INLINE = 2_048;
// A channel that was removed since is left behind: the new job is on none.
const CHANNEL = `LEFT JOIN LATERAL (
  SELECT c.id, c.name, (SELECT min(l."limit") FROM jsonb_to_recordset(c.limits) AS l ("limit" bigint)) AS most_cost
  FROM work.channels c
  WHERE c.name = j.channel AND c.removed_at IS NULL AND c.tenant_id IN (j.tenant_id, platform.fleet_tenant())
  ORDER BY c.tenant_id = j.tenant_id DESC LIMIT 1) c ON true`;
const ENDED = `j.id, j.tenant_id, j.queue, j.kind, j.priority, j.payload, octet_length(j.payload::text) > ${INLINE} AS large,
  j.unique_key, j.max_attempts, c.id AS channel_id, c.name AS channel, j.cost, c.most_cost, j.urgent,
  j.max_runtime_seconds, j.back_off_seconds`;
// What a filter finds goes down with each call, so that whoever calls while there is more comes to an end: a job that
// would be refused would be found for ever.
const REPLAYABLE = `work.ended_jobs j ${CHANNEL}`;
const MAY_REPLAY = `j.cost <= coalesce(c.most_cost, j.cost) AND NOT EXISTS (SELECT FROM work.jobs r WHERE r.replay_of = j.id)
  AND NOT EXISTS (SELECT FROM work.ended_jobs r WHERE r.replay_of = j.id)
  AND NOT EXISTS (SELECT FROM work.jobs k WHERE k.tenant_id = j.tenant_id AND k.unique_key = j.unique_key)`;

export async function readEnded(tx: Tx, ids: readonly string[]): Promise<EndedRow[]> {
  return tx.query<EndedRow>(
    `SELECT ${ENDED} FROM ${REPLAYABLE} WHERE j.id = ANY ($1) AND j.state IN ('dead', 'cancelled')
     ORDER BY j.id`,
    [ids],
  );
}

export async function readEndedBy(tx: Tx, selection: Selection, limit: number): Promise<EndedRow[]> {
  const { where, values } = conditions(selection);
  return tx.query<EndedRow>(
    `SELECT ${ENDED} FROM ${REPLAYABLE} WHERE ${where} AND ${MAY_REPLAY} ORDER BY j.id LIMIT $${values.push(limit)}`,
    values,
  );
}

/** Until the end of the transaction nobody else replays. */
export async function lockReplays(tx: Tx): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(7310585)');
}

/** Those of the ended jobs that were added once more. */
export async function findReplayed(tx: Tx, ids: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query<{ replay_of: string }>(
    `SELECT replay_of FROM work.jobs WHERE replay_of = ANY ($1)
     UNION SELECT replay_of FROM work.ended_jobs WHERE replay_of = ANY ($1)`,
    [ids],
  );
  return new Set(rows.map((row) => row.replay_of));
}

export function newRowOf(row: EndedRow & { readonly replay_of: string }): NewJobRow {
  return {
    id: row.id,
    queue: row.queue,
    kind: row.kind,
    priority: row.priority,
    payload: row.payload,
    large: row.large,
    run_at: undefined,
    unique_key: row.unique_key ?? undefined,
    max_attempts: row.max_attempts,
    channel_id: row.channel_id ?? undefined,
    channel: row.channel ?? undefined,
    cost: row.cost,
    urgent: row.urgent,
    max_runtime_seconds: row.max_runtime_seconds ?? undefined,
    back_off_seconds: row.back_off_seconds ?? undefined,
    replay_of: row.replay_of,
  };
}

export interface JobChange {
  readonly priority?: number | undefined;
  readonly urgent?: boolean | undefined;
  readonly run_at?: string | undefined;
  readonly max_attempts?: number | undefined;
}

export interface ChangedRow {
  readonly id: string;
  readonly state: string;
  readonly priority: number;
  readonly urgent: boolean;
  readonly run_at: Date;
  readonly max_attempts: number;
  readonly version: number;
}

/** Changes a waiting job. A new moment decides anew whether it is scheduled or queued. The caller holds its lock. */
export async function changeJob(tx: Tx, id: string, change: JobChange): Promise<ChangedRow> {
  const [row] = await tx.query<ChangedRow>(
    `UPDATE work.jobs j SET
       priority = coalesce($2, j.priority), urgent = coalesce($3, j.urgent), max_attempts = coalesce($5, j.max_attempts),
       run_at = coalesce($4, j.run_at),
       state = CASE WHEN $4::timestamptz IS NULL OR j.state = 'awaiting_approval' THEN j.state
                    WHEN $4::timestamptz > clock_timestamp() THEN 'scheduled' ELSE 'queued' END,
       version = j.version + 1
     WHERE j.id = $1
     RETURNING j.id, j.state, j.priority, j.urgent, j.run_at, j.max_attempts, j.version`,
    [id, change.priority ?? null, change.urgent ?? null, storable(change.run_at), change.max_attempts ?? null],
  );
  return row!;
}

// What lies before 1970 is as due as 1970 is, and the database knows no year 0.
function storable(moment: string | undefined): string | null {
  return moment === undefined ? null : new Date(Math.max(0, Date.parse(moment))).toISOString();
}
