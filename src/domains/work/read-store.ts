// The SQL of the work room that reads jobs, and the counts of what was added and ended. The history is never counted.
import type { Tx } from '../../platform/db/database.ts';
import type { Artifact, Progress } from './new-job.ts';
import type { jobStates } from './operations.ts';

export type JobState = (typeof jobStates)[number];

export interface JobRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly kind: string;
  readonly queue: string;
  readonly state: JobState;
  readonly priority: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly run_at: Date;
  readonly created_at: Date;
  readonly created_by: string;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly agent: string | null;
  readonly lease_until: Date | null;
  readonly reason: string | null;
  readonly error: string | null;
  readonly channel: string | null;
  readonly cost: number;
  readonly urgent: boolean;
  readonly max_runtime_seconds: number | null;
  readonly replay_of: string | null;
  readonly batch_id: string | null;
  readonly progress: Progress | null;
  readonly schedule: string | null;
  readonly version: number;
}

export interface FullJobRow extends JobRow {
  readonly payload: Record<string, unknown>;
  readonly result: unknown;
  readonly artifacts: readonly Artifact[] | null;
}

const SHARED = `id, tenant_id, kind, queue, state, priority, attempt, max_attempts, run_at, created_at, created_by,
  started_at, agent, reason, error, channel, cost, urgent, max_runtime_seconds, replay_of, schedule,
  batch_id, version`;
const HOT = `SELECT ${SHARED}, NULL::timestamptz AS ended_at, lease_until, progress FROM work.jobs`;
const ENDED = `SELECT ${SHARED}, ended_at, NULL::timestamptz AS lease_until, NULL::jsonb AS progress
  FROM work.ended_jobs`;

export interface JobQuery {
  readonly state?: JobState | undefined;
  readonly queue?: string | undefined;
  readonly kind?: string | undefined;
  readonly agent?: string | undefined;
  readonly channel?: string | undefined;
  readonly batchId?: string | undefined;
  readonly schedule?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Only jobs older than this one. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/**
 * Newest first. Both tables are read in one statement, so in one snapshot: a job that is moved meanwhile is seen exactly
 * once; and because the order is that of ids, which never change, it keeps its place between two pages.
 */
export async function listJobs(tx: Tx, query: JobQuery): Promise<JobRow[]> {
  const values: unknown[] = [];
  const value = (v: unknown) => `$${values.push(v)}`;
  const conditions: string[] = [];
  // One of six words, and literal, because only so the planner may use the index of the dead.
  if (query.state !== undefined) conditions.push(`state = '${query.state}'`);
  if (query.queue !== undefined) conditions.push(`queue = ${value(query.queue)}`);
  if (query.kind !== undefined) conditions.push(`kind = ${value(query.kind)}`);
  if (query.agent !== undefined) conditions.push(`agent = ${value(query.agent)}`);
  if (query.channel !== undefined) conditions.push(`channel = ${value(query.channel)}`);
  if (query.schedule !== undefined) conditions.push(`schedule = ${value(query.schedule)}`);
  if (query.batchId !== undefined) conditions.push(`batch_id = ${value(query.batchId)}`);
  if (query.tenantId !== undefined) conditions.push(`tenant_id = ${value(query.tenantId)}`);
  if (query.before !== undefined) conditions.push(`id < ${value(query.before)}`);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const limit = value(query.limit);
  const parts = selectsOf(query.state).map((select) => `(${select} ${where} ORDER BY id DESC LIMIT ${limit})`);
  return tx.query<JobRow>(`SELECT * FROM (${parts.join(' UNION ALL ')}) j ORDER BY id DESC LIMIT ${limit}`, values);
}

function selectsOf(state: JobState | undefined): string[] {
  if (state === undefined) return [HOT, ENDED];
  return [state === 'done' || state === 'dead' || state === 'cancelled' ? ENDED : HOT];
}

export async function findJob(tx: Tx, id: string): Promise<FullJobRow | undefined> {
  const [row] = await tx.query<FullJobRow>(
    `SELECT ${SHARED}, NULL::timestamptz AS ended_at, lease_until, progress,
            coalesce(payload, (SELECT p.payload FROM work.job_payloads p WHERE p.job_id = $1)) AS payload,
            NULL::jsonb AS result, NULL::jsonb AS artifacts
     FROM work.jobs WHERE id = $1
     UNION ALL
     SELECT ${SHARED}, ended_at, NULL::timestamptz AS lease_until, NULL::jsonb AS progress, payload, result, artifacts
     FROM work.ended_jobs WHERE id = $1`,
    [id],
  );
  return row;
}

/** Jobs that were given up within the last hour, newest first. */
export async function listDead(tx: Tx, tenantId: string | undefined, limit: number): Promise<JobRow[]> {
  return tx.query<JobRow>(
    `${ENDED} WHERE state = 'dead' AND ended_at > now() - interval '1 hour' AND ($1::uuid IS NULL OR tenant_id = $1)
     ORDER BY ended_at DESC LIMIT $2`,
    [tenantId ?? null, limit],
  );
}

/** Those of the agents that hold a valid lease. */
export async function findBusy(tx: Tx, agentIds: readonly string[]): Promise<Set<string>> {
  if (agentIds.length === 0) return new Set();
  const rows = await tx.query<{ agent_id: string }>(
    `SELECT DISTINCT agent_id FROM work.jobs
     WHERE state = 'running' AND lease_until > clock_timestamp() AND agent_id = ANY ($1)`,
    [agentIds],
  );
  return new Set(rows.map((row) => row.agent_id));
}

/** Those of the ids that are jobs which the scope may see, whatever their state. */
export async function findExisting(tx: Tx, ids: readonly string[]): Promise<{ id: string; tenant_id: string }[]> {
  if (ids.length === 0) return [];
  return tx.query(
    `SELECT id, tenant_id FROM work.jobs WHERE id = ANY ($1)
     UNION ALL SELECT id, tenant_id FROM work.ended_jobs WHERE id = ANY ($1)`,
    [ids],
  );
}

/** Jobs that have not ended, by their unique keys. */
export async function findByKeys(
  tx: Tx,
  tenantId: string,
  keys: readonly string[],
): Promise<{ id: string; state: JobState; unique_key: string }[]> {
  return tx.query('SELECT id, state, unique_key FROM work.jobs WHERE tenant_id = $1 AND unique_key = ANY ($2)', [
    tenantId,
    keys,
  ]);
}

export interface ReadyLane {
  readonly queue: string;
  readonly tenant_id: string;
  /** How many jobs may be handed out, counted up to the limit. */
  readonly jobs: number;
}

/**
 * For waiting claims: which of these queues have something, in any tenant. What the channel still allows is not counted
 * exactly: the claim does that. In how many milliseconds the first channel that holds jobs back will allow more: `inMs`.
 */
export async function findReady(
  tx: Tx,
  queues: readonly string[],
  limit: number,
): Promise<{ lanes: ReadyLane[]; inMs: number | undefined }> {
  const rows = await tx.query<{ queue: string; tenant_id: string; jobs: number; in_ms: number | null }>(
    `SELECT l.queue, l.tenant_id, least(queued.jobs, free.jobs) AS jobs, waits.in_ms
     FROM work.lanes l
     CROSS JOIN LATERAL (
       SELECT count(*) AS jobs FROM (
         SELECT FROM work.jobs j WHERE j.lane_id = l.id AND j.state = 'queued'
         ORDER BY j.urgent DESC, j.priority, j.id LIMIT $2) near) queued
     LEFT JOIN work.channels c ON c.id = l.channel_id
     CROSS JOIN LATERAL (
       SELECT greatest(0, extract(epoch FROM greatest(c.next_at, c.paused_until) - clock_timestamp()) * 1000)::float8
              AS in_ms) waits
     CROSS JOIN LATERAL (
       SELECT CASE WHEN c.concurrency IS NOT NULL THEN c.concurrency - (
         SELECT count(*) FROM work.jobs r WHERE r.channel_id = c.id AND r.state = 'running') END AS jobs) free
     WHERE l.queue = ANY ($1) AND queued.jobs > 0 AND coalesce(free.jobs > 0, true)
       AND (c.paused_at IS NULL OR c.paused_until IS NOT NULL)
       AND NOT EXISTS (SELECT FROM work.pauses p WHERE p.tenant_id IN (l.tenant_id, platform.fleet_tenant()))
       AND NOT EXISTS (SELECT FROM work.budgets b WHERE b.held_until > clock_timestamp() AND b.agent_id IS NULL
         AND b.tenant_id IN (l.tenant_id, platform.fleet_tenant()))`,
    [queues, limit],
  );
  const later = rows.flatMap(({ in_ms }) => (in_ms === null || in_ms === 0 ? [] : [in_ms]));
  return {
    lanes: rows.filter(({ in_ms }) => in_ms === null || in_ms === 0),
    inMs: later.length === 0 ? undefined : Math.min(...later),
  };
}

export interface QueueCounts {
  readonly queue: string;
  readonly queued: number;
  readonly scheduled: number;
  readonly running: number;
  readonly oldest_queued_seconds: number | null;
}

/** The backlog by queue: the hot table is no larger than it. */
export async function countBacklog(tx: Tx, tenantId: string | undefined): Promise<QueueCounts[]> {
  return tx.query<QueueCounts>(
    `SELECT queue, count(*) FILTER (WHERE state = 'queued') AS queued,
            count(*) FILTER (WHERE state = 'scheduled') AS scheduled,
            count(*) FILTER (WHERE state = 'running') AS running,
            extract(epoch FROM clock_timestamp() - min(greatest(run_at, created_at)) FILTER (WHERE state = 'queued'))::float8
              AS oldest_queued_seconds
     FROM work.jobs WHERE $1::uuid IS NULL OR tenant_id = $1 GROUP BY queue ORDER BY queue`,
    [tenantId ?? null],
  );
}

export interface Counts {
  readonly added: number;
  readonly done: number;
  readonly dead: number;
  readonly cancelled: number;
  readonly failed_attempts: number;
}

/** What happened in the last `minutes` and the one under way: the folded counts and the changes not yet folded in. */
export async function countRecent(tx: Tx, tenantId: string | undefined, minutes: number): Promise<Counts> {
  const [row] = await tx.query<Counts>(
    `SELECT coalesce(sum(added), 0)::bigint AS added, coalesce(sum(done), 0)::bigint AS done,
            coalesce(sum(dead), 0)::bigint AS dead, coalesce(sum(cancelled), 0)::bigint AS cancelled,
            coalesce(sum(failed_attempts), 0)::bigint AS failed_attempts
     FROM (SELECT tenant_id, minute, added, done, dead, cancelled, failed_attempts FROM work.minute_counts
           UNION ALL SELECT tenant_id, date_trunc('minute', at), added, done, dead, cancelled, failed_attempts
           FROM work.count_changes) c
     WHERE minute >= date_trunc('minute', now()) - make_interval(mins => $2)
       AND ($1::uuid IS NULL OR tenant_id = $1)`,
    [tenantId ?? null, minutes],
  );
  return row!;
}

export interface CountChange extends Partial<Counts> {
  readonly tenant_id: string;
  readonly queue: string;
}

export async function insertCountChanges(tx: Tx, changes: readonly CountChange[]): Promise<void> {
  if (changes.length === 0) return;
  await tx.query(
    `INSERT INTO work.count_changes (tenant_id, queue, added, done, dead, cancelled, failed_attempts)
     SELECT tenant_id, queue, coalesce(added, 0), coalesce(done, 0), coalesce(dead, 0), coalesce(cancelled, 0),
            coalesce(failed_attempts, 0)
     FROM jsonb_to_recordset($1::jsonb)
       AS c(tenant_id uuid, queue text, added int, done int, dead int, cancelled int, failed_attempts int)`,
    [JSON.stringify(changes)],
  );
}

/** Folds changes into the counts of their minutes; two engines fold different ones. Answers how many. */
export async function foldCounts(tx: Tx, limit: number): Promise<number> {
  const [row] = await tx.query<{ folded: number }>(
    `WITH taken AS (
       DELETE FROM work.count_changes WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM work.count_changes LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING *),
     folded AS (
       INSERT INTO work.minute_counts AS m (tenant_id, queue, minute, added, done, dead, cancelled, failed_attempts)
       SELECT tenant_id, queue, date_trunc('minute', at), sum(added), sum(done), sum(dead), sum(cancelled),
              sum(failed_attempts)
       FROM taken GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
       ON CONFLICT (tenant_id, queue, minute) DO UPDATE SET added = m.added + excluded.added,
         done = m.done + excluded.done, dead = m.dead + excluded.dead, cancelled = m.cancelled + excluded.cancelled,
         failed_attempts = m.failed_attempts + excluded.failed_attempts)
     SELECT count(*) AS folded FROM taken`,
    [limit],
  );
  return row!.folded;
}

export async function forgetOldCounts(tx: Tx, days: number, limit: number): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM work.minute_counts WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM work.minute_counts WHERE minute < now() - make_interval(days => $1) LIMIT $2)) RETURNING 1`,
    [days, limit],
  );
  return rows.length;
}
