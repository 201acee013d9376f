// The SQL of the work room that changes jobs; what only reads them is in read-store.ts, the claim itself is the function
// work.claim of the migration. Leases are judged by the database's clock, at the moment the row is looked at.
import type { Tx } from '../../platform/db/database.ts';
import type { ApprovalRequest } from './approvals/approval-operations.ts';
import type { Amounts } from './budgets/budget-store.ts';
import type { LeaseGrace } from './grace.ts';
import type { Artifact, Progress } from './new-job.ts';

export interface NewJobRow {
  readonly id: string;
  readonly queue: string;
  readonly kind: string;
  readonly priority: number;
  readonly payload: unknown;
  /** True when the payload is kept out of the hot row. */
  readonly large: boolean;
  readonly run_at: string | undefined;
  readonly unique_key: string | undefined;
  readonly max_attempts: number;
  readonly channel_id: number | undefined;
  readonly channel: string | undefined;
  readonly cost: number;
  readonly urgent: boolean;
  readonly max_runtime_seconds: number | undefined;
  readonly back_off_seconds: number | undefined;
  readonly replay_of?: string;
  /** The schedule that adds it. */
  readonly schedule?: string;
  readonly batch_id?: string;
  /** It waits until an operator has decided. */
  readonly approval?: ApprovalRequest | undefined;
  /** What it may use, in the units of the store; undefined: as every job. */
  readonly budget?: Amounts | undefined;
}

export interface AddedRow {
  readonly id: string;
  readonly state: 'scheduled' | 'queued' | 'awaiting_approval';
  readonly run_at: Date;
}

/** What a lane of a tenant is made of. */
export interface LaneName {
  readonly queue: string;
  readonly channel_id: number | undefined;
}

export function laneKey({ queue, channel_id }: { queue: string; channel_id: number | null | undefined }): string {
  return `${queue}/${channel_id ?? ''}`;
}

/** The ids of a tenant's lanes, by laneKey, made when missing. Sorted, so that two makers never wait crosswise. */
export async function ensureLanes(tx: Tx, tenantId: string, lanes: readonly LaneName[]): Promise<Map<string, number>> {
  const sorted = [...lanes].sort((a, b) => (laneKey(a) < laneKey(b) ? -1 : 1));
  const find = async () => {
    const rows = await tx.query<{ queue: string; channel_id: number | null; id: number }>(
      `SELECT l.queue, l.channel_id, l.id FROM unnest($2::text[], $3::bigint[]) AS w (queue, channel_id)
       JOIN work.lanes l ON l.tenant_id = $1 AND l.queue = w.queue AND l.channel_id IS NOT DISTINCT FROM w.channel_id`,
      [tenantId, sorted.map(({ queue }) => queue), sorted.map(({ channel_id }) => channel_id ?? null)],
    );
    return new Map(rows.map((row) => [laneKey(row), row.id]));
  };
  const known = await find();
  if (known.size === sorted.length) return known;
  const missing = sorted.filter((lane) => !known.has(laneKey(lane)));
  await tx.query(
    `INSERT INTO work.lanes (tenant_id, queue, channel_id)
     SELECT $1, queue, channel_id FROM unnest($2::text[], $3::bigint[]) AS w (queue, channel_id) ON CONFLICT DO NOTHING`,
    [tenantId, missing.map(({ queue }) => queue), missing.map(({ channel_id }) => channel_id ?? null)],
  );
  return find();
}

/** Adds jobs; those whose unique key belongs to a job that has not ended are left out of the answer. */
export async function insertJobs(
  tx: Tx,
  of: { tenantId: string; createdBy: string; lanes: ReadonlyMap<string, number> },
  jobs: readonly NewJobRow[],
): Promise<AddedRow[]> {
  return tx.query<AddedRow>(
    `WITH input AS MATERIALIZED (
       SELECT * FROM jsonb_to_recordset($3::jsonb) AS i(id uuid, lane_id bigint, queue text, kind text, priority int,
         payload jsonb, large boolean, run_at timestamptz, unique_key text, max_attempts int, channel_id bigint,
         channel text, cost int, urgent boolean, max_runtime_seconds int, back_off_seconds int, replay_of uuid,
         schedule text, batch_id uuid, approval jsonb)),
     added AS (
       INSERT INTO work.jobs (id, tenant_id, lane_id, queue, kind, state, priority, payload, unique_key, run_at,
         created_by, max_attempts, channel_id, channel, cost, urgent, max_runtime_seconds, back_off_seconds, replay_of,
         schedule, batch_id)
       SELECT i.id, $1, i.lane_id, i.queue, i.kind,
              CASE WHEN i.approval IS NOT NULL THEN 'awaiting_approval'
                   WHEN i.run_at > clock_timestamp() THEN 'scheduled' ELSE 'queued' END, i.priority,
              CASE WHEN NOT i.large THEN i.payload END, i.unique_key, coalesce(i.run_at, clock_timestamp()), $2,
              i.max_attempts, i.channel_id, i.channel, i.cost, i.urgent, i.max_runtime_seconds, i.back_off_seconds,
              i.replay_of, i.schedule, i.batch_id
       FROM input i ORDER BY i.id
       ON CONFLICT (tenant_id, unique_key) WHERE unique_key IS NOT NULL DO NOTHING
       RETURNING id, state, run_at),
     large AS (
       INSERT INTO work.job_payloads (job_id, tenant_id, payload)
       SELECT a.id, $1, i.payload FROM added a JOIN input i USING (id) WHERE i.large)
     SELECT id, state, run_at FROM added`,
    [of.tenantId, of.createdBy, JSON.stringify(jobs.map((job) => ({ ...job, lane_id: of.lanes.get(laneKey(job)) })))],
  );
}

export interface ClaimedRow {
  /** Which of the hashes is this job's. */
  readonly place: number;
  readonly id: string;
  readonly tenant_id: string;
  readonly queue: string;
  readonly kind: string;
  readonly channel: string | null;
  readonly priority: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly payload: Record<string, unknown>;
  readonly created_at: Date;
  readonly lease: string;
  readonly lease_until: Date;
  /** The end of its max_runtime: no renewal goes beyond. */
  readonly run_until: Date | null;
}

export async function claim(
  tx: Tx,
  wanted: { queues: readonly string[]; limit: number; leaseSeconds: number },
  agent: { id: string; name: string },
  hashes: readonly Buffer[],
): Promise<ClaimedRow[]> {
  return tx.query<ClaimedRow>('SELECT * FROM work.claim($1, $2, $3, $4, $5, $6) ORDER BY place', [
    wanted.queues,
    wanted.limit,
    agent.id,
    agent.name,
    wanted.leaseSeconds,
    hashes,
  ]);
}

/** What a worker shows to prove that it holds a job. */
export interface Hold {
  readonly id: string;
  readonly lease: string;
}

/** What a worker shows when it renews, and how far it says to be. */
export interface Renewal extends Hold {
  readonly progress?: Progress | undefined;
}

/** A job whose attempt ends now, locked. */
export interface EndingRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly queue: string;
  readonly kind: string;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly agent: string;
  readonly channel_id: number | null;
  readonly back_off_seconds: number | null;
  readonly batch_id: string | null;
  /** How many attempts lost their worker before this one. */
  readonly losses: number;
  /** Its lease ended because the attempt may run no longer. */
  readonly timed_out: boolean;
}

const ENDING = `j.id, j.tenant_id, j.queue, j.kind, j.attempt, j.max_attempts, j.agent, j.channel_id, j.back_off_seconds,
  j.batch_id, j.losses, coalesce(j.lease_until >= j.run_until, false) AS timed_out`;

/** True while the grace after an outage runs. */
const inGrace = (seconds: string, sawOutage: string) =>
  `(${sawOutage}::boolean OR pg_postmaster_start_time() > clock_timestamp() - make_interval(secs => ${seconds}))`;

/**
 * The fence: this agent holds this job under this lease, and the lease has not run out. Only running jobs have a lease; to
 * say so here too would lead the planner to the index of the running ones, which is full of the ended in a burst.
 */
const HELD = `j.lease = i.lease AND j.agent_id = $3
  AND (j.lease_until > clock_timestamp() OR ${inGrace('$4', '$5')})`;

/** Locks those of the jobs that the agent holds, in the order of ids, so that two completions never wait crosswise. */
export async function lockHeld(
  tx: Tx,
  holds: readonly Hold[],
  agentId: string | null,
  grace: LeaseGrace,
): Promise<EndingRow[]> {
  return tx.query<EndingRow>(
    `SELECT ${ENDING} FROM unnest($1::uuid[], $2::text[]) AS i(id, lease) JOIN work.jobs j ON j.id = i.id
     WHERE ${HELD} ORDER BY j.id FOR UPDATE OF j`,
    [holds.map((hold) => hold.id), holds.map((hold) => hold.lease), agentId, grace.seconds, grace.sawOutage],
  );
}

export interface RenewedRow {
  readonly id: string;
  readonly lease_until: Date | null;
  /** Set when the lease is lost. */
  readonly reason: 'expired' | 'ended' | 'taken' | 'timeout' | 'cancelled' | 'budget' | null;
}

/**
 * Prolongs leases that are still held; one answer per id asked for. `over` are jobs that may run no longer; nor may those of
 * which a budget is used up. Both stay locked.
 */
export async function renew(
  tx: Tx,
  holds: readonly Renewal[],
  agentId: string | null,
  leaseSeconds: number,
  grace: LeaseGrace,
  over: ReadonlySet<string> = new Set(),
): Promise<RenewedRow[]> {
  // A renewal that a crash forgets is made good by the grace, so it need not wait for the disk.
  const [, rows] = await Promise.all([
    tx.query(`SELECT set_config('synchronous_commit', 'off', true)`),
    tx.query<RenewedRow>(
      `WITH input AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::text[], $7::jsonb[]) AS i(id, lease, progress)),
       held AS MATERIALIZED (
         SELECT j.id, i.progress,
                j.id = ANY ($8::uuid[]) OR spent.tenants && ARRAY[j.tenant_id, platform.fleet_tenant()] AS is_over
         FROM (SELECT work.spent_out($3) AS tenants) spent CROSS JOIN input i JOIN work.jobs j ON j.id = i.id WHERE ${HELD} ORDER BY j.id FOR UPDATE OF j),
       renewed AS (
         UPDATE work.jobs j SET lease_until = least(clock_timestamp() + make_interval(secs => $6), j.run_until),
           progress = coalesce(held.progress, j.progress), version = j.version + 1
         FROM held WHERE j.id = held.id AND NOT held.is_over AND (j.run_until IS NULL OR j.run_until > clock_timestamp())
         RETURNING j.id, j.lease_until)
       SELECT i.id, r.lease_until,
              CASE WHEN r.id IS NOT NULL THEN NULL
                   WHEN j.id IS NULL THEN coalesce((
                     SELECT CASE e.state WHEN 'cancelled' THEN 'cancelled' ELSE 'budget' END FROM work.ended_jobs e
                     WHERE e.id = i.id AND (e.state = 'cancelled' OR e.reason = 'budget')), 'ended')
                   WHEN h.is_over THEN 'budget'
                   WHEN j.state = 'running' AND (j.lease <> i.lease OR j.agent_id IS DISTINCT FROM $3) THEN 'taken'
                   WHEN j.state = 'running' AND j.run_until <= clock_timestamp() THEN 'timeout'
                   ELSE 'expired' END AS reason
       FROM input i LEFT JOIN held h ON h.id = i.id LEFT JOIN renewed r ON r.id = i.id
       LEFT JOIN work.jobs j ON j.id = i.id`,
      [
        holds.map((hold) => hold.id),
        holds.map((hold) => hold.lease),
        agentId,
        grace.seconds,
        grace.sawOutage,
        leaseSeconds,
        holds.map(({ progress }) => (progress === undefined ? null : JSON.stringify(progress))),
        [...over],
      ],
    ),
  ]);
  return rows;
}

/** Locks jobs whose lease has run out, oldest first; none while the grace runs. */
export async function lockExpired(tx: Tx, limit: number, grace: LeaseGrace): Promise<EndingRow[]> {
  return tx.query<EndingRow>(
    `SELECT ${ENDING} FROM work.jobs j
     WHERE j.state = 'running' AND j.lease_until <= clock_timestamp() AND NOT ${inGrace('$2', '$3')}
     ORDER BY j.lease_until LIMIT $1 FOR UPDATE OF j SKIP LOCKED`,
    [limit, grace.seconds, grace.sawOutage],
  );
}

export interface Ending {
  readonly id: string;
  readonly state: 'done' | 'dead' | 'cancelled';
  readonly reason?: string | undefined;
  readonly error?: string | undefined;
  readonly result?: unknown;
  readonly artifacts?: readonly Artifact[] | undefined;
}

/** Moves jobs from the hot table to the history, payloads included; the steps of those that are done go. The caller holds their locks. */
export async function endJobs(tx: Tx, endings: readonly Ending[]): Promise<void> {
  if (endings.length === 0) return;
  await tx.query(
    `WITH input AS MATERIALIZED (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS i(id uuid, state text, reason text, error text, result jsonb,
         artifacts jsonb)),
     gone AS (DELETE FROM work.jobs j USING input i WHERE j.id = i.id RETURNING j.*),
     payloads AS (
       DELETE FROM work.job_payloads p USING gone g WHERE p.job_id = g.id AND g.payload IS NULL
       RETURNING p.job_id, p.payload),
     steps AS (DELETE FROM work.job_steps s USING input i WHERE s.job_id = i.id AND i.state = 'done')
     INSERT INTO work.ended_jobs (id, tenant_id, queue, kind, state, priority, payload, result, unique_key, run_at,
       created_at, created_by, attempt, max_attempts, agent_id, agent, started_at, ended_at, reason, error, version,
       channel, cost, urgent, max_runtime_seconds, back_off_seconds, replay_of, schedule, batch_id, artifacts)
     SELECT g.id, g.tenant_id, g.queue, g.kind, i.state, g.priority, coalesce(g.payload, p.payload), i.result,
            g.unique_key, g.run_at, g.created_at, g.created_by, g.attempt, g.max_attempts, g.agent_id, g.agent,
            g.started_at, clock_timestamp(), i.reason, i.error, g.version + 1, g.channel, g.cost, g.urgent,
            g.max_runtime_seconds, g.back_off_seconds, g.replay_of, g.schedule, g.batch_id, i.artifacts
     FROM gone g JOIN input i ON i.id = g.id LEFT JOIN payloads p ON p.job_id = g.id`,
    [JSON.stringify(endings)],
  );
}

export interface Return {
  readonly id: string;
  readonly state: 'queued' | 'scheduled';
  readonly delay_seconds: number;
  /** For so long the agent that had it does not get it. */
  readonly avoid_seconds: number;
  /** Its worker was lost. */
  readonly lost: boolean;
  readonly reason: string;
  readonly error?: string | undefined;
}

/** Takes jobs back from their worker to be tried again; answers when. The caller holds their locks. */
export async function returnJobs(tx: Tx, returns: readonly Return[]): Promise<Map<string, Date>> {
  if (returns.length === 0) return new Map();
  const rows = await tx.query<{ id: string; run_at: Date }>(
    `UPDATE work.jobs j SET
       state = i.state, run_at = clock_timestamp() + make_interval(secs => i.delay_seconds), lease = NULL,
       lease_until = NULL, run_until = NULL, token_hash = NULL, progress = NULL, reason = i.reason, error = i.error,
       losses = j.losses + i.lost::int, version = j.version + 1,
       avoid_agent_id = CASE WHEN i.avoid_seconds > 0 THEN j.agent_id END,
       avoid_until = CASE WHEN i.avoid_seconds > 0 THEN clock_timestamp() + make_interval(secs => i.avoid_seconds) END
     FROM jsonb_to_recordset($1::jsonb)
       AS i(id uuid, state text, delay_seconds float8, avoid_seconds float8, lost boolean, reason text, error text)
     WHERE j.id = i.id RETURNING j.id, j.run_at`,
    [JSON.stringify(returns)],
  );
  return new Map(rows.map((row) => [row.id, row.run_at]));
}

/** Queues scheduled jobs that have become due, longest due first. */
export async function queueDue(
  tx: Tx,
  limit: number,
): Promise<Pick<EndingRow, 'id' | 'tenant_id' | 'queue' | 'kind'>[]> {
  return tx.query(
    `WITH due AS MATERIALIZED (
       SELECT id FROM work.jobs WHERE state = 'scheduled' AND run_at <= clock_timestamp()
       ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     UPDATE work.jobs j SET state = 'queued', version = j.version + 1 FROM due WHERE j.id = due.id
     RETURNING j.id, j.tenant_id, j.queue, j.kind`,
    [limit],
  );
}

/** The job whose lease is valid and whose token has this hash: what the token may do ends with the lease. */
export async function findHolder(
  tx: Tx,
  jobId: string,
  hash: Buffer,
  grace: LeaseGrace,
): Promise<{ tenant_id: string; agent_id: string } | undefined> {
  const [row] = await tx.query<{ tenant_id: string; agent_id: string }>(
    `SELECT tenant_id, agent_id FROM work.jobs
     WHERE id = $1 AND state = 'running' AND token_hash = $2
       AND (lease_until > clock_timestamp() OR ${inGrace('$3', '$4')})`,
    [jobId, hash, grace.seconds, grace.sawOutage],
  );
  return row;
}

/** Makes partitions of the history ahead of time; answers how many whole weeks lie ready. Run by the owner. */
export async function ensurePartitions(tx: Tx, ahead: number): Promise<number> {
  await tx.query('SELECT work.ensure_partitions($1)', [ahead]);
  const [row] = await tx.query<{ ready: number }>(
    `SELECT count(*) AS ready FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'work.ended_jobs'::regclass
       AND (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''([^'']+)''\\)'))[1]::timestamptz > now()`,
  );
  return row!.ready;
}
