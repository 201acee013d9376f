// The SQL of steps: what parts of a job gave, for its further attempts.
import type { Tx } from '../../../platform/db/database.ts';

export interface StepRow {
  readonly step: string;
  readonly result: unknown;
  readonly attempt: number;
  readonly at: Date;
}

export async function findStep(tx: Tx, jobId: string, step: string): Promise<StepRow | undefined> {
  const [row] = await tx.query<StepRow>(
    'SELECT step, result, attempt, at FROM work.job_steps WHERE job_id = $1 AND step = $2',
    [jobId, step],
  );
  return row;
}

/** In the order of their names; `after` is the last of the page before. */
export async function listSteps(tx: Tx, jobId: string, after: string | undefined, limit: number): Promise<StepRow[]> {
  return tx.query<StepRow>(
    `SELECT step, result, attempt, at FROM work.job_steps
     WHERE job_id = $1 AND ($2::text IS NULL OR step > $2) ORDER BY step LIMIT $3`,
    [jobId, after ?? null, limit],
  );
}

export async function sumSteps(tx: Tx, jobId: string): Promise<{ count: number; bytes: number }> {
  const [row] = await tx.query<{ count: number; bytes: number }>(
    'SELECT count(*) AS count, coalesce(sum(bytes), 0)::bigint AS bytes FROM work.job_steps WHERE job_id = $1',
    [jobId],
  );
  return row!;
}

export async function insertStep(
  tx: Tx,
  job: { readonly id: string; readonly tenant_id: string; readonly attempt: number },
  step: { readonly name: string; readonly result: string; readonly bytes: number },
): Promise<StepRow> {
  const [row] = await tx.query<StepRow>(
    `INSERT INTO work.job_steps (job_id, step, tenant_id, result, bytes, attempt) VALUES ($1, $2, $3, $4, $5, $6)
     RETURNING step, result, attempt, at`,
    [job.id, step.name, job.tenant_id, step.result, step.bytes, job.attempt],
  );
  return row!;
}

/** For jobs that are tried again as new ones. */
export async function copySteps(
  tx: Tx,
  jobs: readonly { readonly from: string; readonly to: string }[],
): Promise<void> {
  if (jobs.length === 0) return;
  await tx.query(
    `INSERT INTO work.job_steps (job_id, step, tenant_id, result, bytes, attempt)
     SELECT i.new_id, s.step, s.tenant_id, s.result, s.bytes, s.attempt
     FROM unnest($1::uuid[], $2::uuid[]) AS i (old_id, new_id) JOIN work.job_steps s ON s.job_id = i.old_id`,
    [jobs.map(({ from }) => from), jobs.map(({ to }) => to)],
  );
}

/** Forgets steps of jobs of which nothing is kept any more; answers how many. */
export async function forgetOldSteps(tx: Tx, days: number, limit: number): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM work.job_steps WHERE ctid = ANY (ARRAY(
       SELECT s.ctid FROM work.job_steps s
       WHERE s.at < clock_timestamp() - make_interval(days => $1)
         AND NOT EXISTS (SELECT FROM work.jobs j WHERE j.id = s.job_id)
         AND NOT EXISTS (SELECT FROM work.ended_jobs e WHERE e.id = s.job_id) LIMIT $2)) RETURNING 1`,
    [days, limit],
  );
  return rows.length;
}
