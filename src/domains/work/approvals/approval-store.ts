// The SQL of approvals. Whoever changes one holds the lock of its job first, so that a decision, a cancellation and an
// expiry never wait crosswise.
import type { Tx } from '../../../platform/db/database.ts';
import { HOT, type HotRow } from '../selection-store.ts';
import type { ApprovalItem, ApprovalRequest } from './approval-operations.ts';

export interface NewApproval extends ApprovalRequest {
  readonly id: string;
  readonly tenant_id: string;
  readonly job_id: string;
  readonly queue: string;
  readonly kind: string;
  readonly attempt: number;
  readonly digest: string;
}

export interface ApprovalRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly job_id: string;
  readonly queue: string;
  readonly kind: string;
  readonly attempt: number;
  readonly state: ApprovalItem['state'];
  readonly summary: string;
  readonly digest: string;
  readonly deciders: string[] | null;
  readonly asked_by: string;
  readonly asked_at: Date;
  readonly expires_at: Date;
  readonly expired: boolean;
  readonly decided_at: Date | null;
  readonly decided_by: string | null;
  readonly note: string | null;
  readonly used_at: Date | null;
}

const COLUMNS = `a.id, a.tenant_id, a.job_id, a.queue, a.kind, a.attempt, a.state, a.summary, a.digest, a.deciders,
  a.asked_by, a.asked_at, a.expires_at, a.expires_at <= clock_timestamp() AS expired, a.decided_at, a.decided_by,
  a.note, a.used_at`;

/** Answers when each expires, by id. */
export async function insertApprovals(tx: Tx, by: string, asked: readonly NewApproval[]): Promise<Map<string, Date>> {
  const rows = await tx.query<{ id: string; expires_at: Date }>(
    `INSERT INTO work.approvals (id, tenant_id, job_id, queue, kind, attempt, summary, details, digest, deciders, asked_by,
       expires_at)
     SELECT i.id, i.tenant_id, i.job_id, i.queue, i.kind, i.attempt, i.summary, i.details, i.digest, i.deciders, $2,
            clock_timestamp() + make_interval(secs => i.expires_in_seconds)
     FROM jsonb_to_recordset($1::jsonb) AS i(id uuid, tenant_id uuid, job_id uuid, queue text, kind text, attempt int,
       summary text, details jsonb, digest text, deciders text[], expires_in_seconds int)
     RETURNING id, expires_at`,
    [JSON.stringify(asked), by],
  );
  return new Map(rows.map((row) => [row.id, row.expires_at]));
}

/** Takes jobs from their workers to wait. The attempt stays counted, so that no fence comes twice; one more is allowed. */
export async function suspendJobs(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE work.jobs j SET state = 'awaiting_approval', lease = NULL, lease_until = NULL, run_until = NULL,
       token_hash = NULL, progress = NULL, reason = NULL, error = NULL,
       max_attempts = j.max_attempts + 1, version = j.version + 1
     WHERE j.id = ANY ($1)`,
    [ids],
  );
}

/** Lets a job go on whose approval was given; one whose moment has not come waits for it. */
export async function resumeJob(tx: Tx, id: string): Promise<{ state: 'queued' | 'scheduled'; run_at: Date }> {
  const [row] = await tx.query<{ state: 'queued' | 'scheduled'; run_at: Date }>(
    `UPDATE work.jobs j SET state = CASE WHEN j.run_at > clock_timestamp() THEN 'scheduled' ELSE 'queued' END,
       run_at = greatest(j.run_at, clock_timestamp()), version = j.version + 1
     WHERE j.id = $1 RETURNING j.state, j.run_at`,
    [id],
  );
  return row!;
}

export async function readPayloads(tx: Tx, ids: readonly string[]): Promise<Map<string, Record<string, unknown>>> {
  const rows = await tx.query<{ id: string; payload: Record<string, unknown> }>(
    `SELECT j.id, coalesce(j.payload, (SELECT p.payload FROM work.job_payloads p WHERE p.job_id = j.id)) AS payload
     FROM work.jobs j WHERE j.id = ANY ($1)
     UNION ALL SELECT e.id, e.payload FROM work.ended_jobs e WHERE e.id = ANY ($1)`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.payload]));
}

export async function findApproval(
  tx: Tx,
  id: string,
): Promise<(ApprovalRow & { readonly details: Record<string, unknown> | null }) | undefined> {
  const rows = await tx.query<ApprovalRow & { details: Record<string, unknown> | null }>(
    `SELECT ${COLUMNS}, a.details FROM work.approvals a WHERE a.id = $1`,
    [id],
  );
  return rows[0];
}

export async function lockApproval(tx: Tx, id: string): Promise<ApprovalRow> {
  const rows = await tx.query<ApprovalRow>(`SELECT ${COLUMNS} FROM work.approvals a WHERE a.id = $1 FOR UPDATE`, [id]);
  return rows[0]!;
}

export async function listApprovals(
  tx: Tx,
  query: {
    state: string | undefined;
    jobId: string | undefined;
    tenantId: string | undefined;
    before: string | undefined;
    limit: number;
  },
): Promise<ApprovalRow[]> {
  return tx.query<ApprovalRow>(
    `SELECT ${COLUMNS} FROM work.approvals a
     WHERE ($1::text IS NULL OR a.state = $1) AND ($2::uuid IS NULL OR a.job_id = $2)
       AND ($3::uuid IS NULL OR a.tenant_id = $3) AND ($4::uuid IS NULL OR a.id < $4)
     ORDER BY a.id DESC LIMIT $5`,
    [query.state ?? null, query.jobId ?? null, query.tenantId ?? null, query.before ?? null, query.limit],
  );
}

/** Decides one that this transaction holds locked. */
export async function decide(
  tx: Tx,
  id: string,
  decision: { state: 'approved' | 'rejected'; by: string; note: string | undefined },
): Promise<ApprovalRow> {
  const rows = await tx.query<ApprovalRow>(
    `UPDATE work.approvals a SET state = $2, decided_at = clock_timestamp(), decided_by = $3, note = $4
     WHERE a.id = $1 RETURNING ${COLUMNS}`,
    [id, decision.state, decision.by, decision.note ?? null],
  );
  return rows[0]!;
}

/** What these jobs, which end, still waited for is no longer to be decided. The caller holds their locks. */
export async function withdraw(tx: Tx, jobIds: readonly string[], by: string): Promise<void> {
  if (jobIds.length === 0) return;
  await tx.query(
    `UPDATE work.approvals SET state = 'withdrawn', decided_at = clock_timestamp(), decided_by = $2
     WHERE job_id = ANY ($1) AND state = 'pending'`,
    [jobIds, by],
  );
}

/** Jobs whose approval nobody gave in time; read without locks. */
export async function findOverdue(tx: Tx, limit: number): Promise<string[]> {
  const rows = await tx.query<{ job_id: string }>(
    `SELECT job_id FROM work.approvals WHERE state = 'pending' AND expires_at <= clock_timestamp()
     ORDER BY expires_at LIMIT $1`,
    [limit],
  );
  return rows.map((row) => row.job_id);
}

/** Lets the overdue approvals of these jobs, which this transaction holds locked, expire. */
export async function expireApprovals(tx: Tx, jobIds: readonly string[], by: string): Promise<ApprovalRow[]> {
  return tx.query<ApprovalRow>(
    `UPDATE work.approvals a SET state = 'expired', decided_at = clock_timestamp(), decided_by = $2
     WHERE a.job_id = ANY ($1) AND a.state = 'pending' AND a.expires_at <= clock_timestamp() RETURNING ${COLUMNS}`,
    [jobIds, by],
  );
}

export interface GivenRow {
  readonly id: string;
  readonly job_id: string;
  readonly decided_by: string;
  readonly note: string | null;
  readonly summary: string;
  readonly digest: string;
}

/** What was decided for these jobs and no claim was told of yet; from now on it is told. */
export async function useApprovals(tx: Tx, jobIds: readonly string[]): Promise<Map<string, GivenRow>> {
  if (jobIds.length === 0) return new Map();
  const rows = await tx.query<GivenRow>(
    `UPDATE work.approvals SET used_at = clock_timestamp()
     WHERE job_id = ANY ($1) AND state = 'approved' AND used_at IS NULL
     RETURNING id, job_id, decided_by, note, summary, digest`,
    [jobIds],
  );
  return new Map(rows.map((row) => [row.job_id, row]));
}

/** With what ended jobs were added that had to be approved before they started: their replays have to be, too. */
export async function findGates(tx: Tx, jobIds: readonly string[]): Promise<Map<string, ApprovalRequest>> {
  const rows = await tx.query<ApprovalRequest & { job_id: string }>(
    `SELECT job_id, summary, details, deciders,
            greatest(1, round(extract(epoch FROM expires_at - asked_at)))::int AS expires_in_seconds
     FROM work.approvals WHERE job_id = ANY ($1) AND attempt = 0`,
    [jobIds],
  );
  return new Map(
    rows.map(({ job_id, summary, details, deciders, expires_in_seconds }) => [
      job_id,
      { summary, details: details ?? undefined, deciders: deciders ?? undefined, expires_in_seconds },
    ]),
  );
}

/** Locks those of the jobs that still wait, and that nobody else works on at this moment. */
export async function lockAwaiting(tx: Tx, jobIds: readonly string[]): Promise<HotRow[]> {
  return tx.query<HotRow>(
    `SELECT ${HOT} FROM work.jobs j WHERE j.id = ANY ($1) AND j.state = 'awaiting_approval'
     ORDER BY j.id FOR UPDATE SKIP LOCKED`,
    [jobIds],
  );
}

/** Decisions older than so many days, of jobs that have ended. */
export async function forgetApprovals(tx: Tx, days: number, limit: number): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM work.approvals WHERE id IN (
       SELECT a.id FROM work.approvals a
       WHERE a.decided_at < clock_timestamp() - make_interval(days => $1)
         AND NOT EXISTS (SELECT FROM work.jobs j WHERE j.id = a.job_id) LIMIT $2)
     RETURNING 1`,
    [days, limit],
  );
  return rows.length;
}
