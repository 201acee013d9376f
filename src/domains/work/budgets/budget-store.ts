// The SQL of budgets and of what jobs use. Sums and limits are judged by work.charge of the migration, under the lock of
// the budget's row. Money is in millionths here.
import type { Tx } from '../../../platform/db/database.ts';

export interface Amounts {
  readonly usd: number;
  readonly tokens: number;
  readonly calls: number;
}

export interface Limits {
  readonly usd: number | null;
  readonly tokens: number | null;
  readonly calls: number | null;
}

export interface BudgetRow extends Amounts {
  readonly id: number;
  readonly tenant_id: string;
  readonly name: string;
  readonly agent_id: string | null;
  readonly agent: string | null;
  readonly span: 'hour' | 'day' | 'month' | 'total';
  readonly usd_limit: number | null;
  readonly tokens_limit: number | null;
  readonly calls_limit: number | null;
  readonly since: Date;
  readonly until: Date | null;
  readonly warned: boolean;
  readonly exhausted: boolean;
  readonly version: number;
}

// A window that is over is the next one, empty, without anybody writing so.
const COLUMNS = `b.id, b.tenant_id, b.name, b.agent_id, b.agent, b.span, b.usd_limit, b.tokens_limit, b.calls_limit,
  w.since, CASE WHEN b.span <> 'total' THEN work.window_end(b.span, w.since) END AS until,
  CASE WHEN w.since = b.since THEN b.usd ELSE 0 END AS usd,
  CASE WHEN w.since = b.since THEN b.tokens ELSE 0 END AS tokens,
  CASE WHEN w.since = b.since THEN b.calls ELSE 0 END AS calls,
  w.since = b.since AND b.warned AS warned, coalesce(b.held_until > clock_timestamp(), false) AS exhausted, b.version`;
const FROM = `FROM work.budgets b CROSS JOIN LATERAL (
  SELECT greatest(b.since, work.window_start(b.span, clock_timestamp())) AS since) w`;

export async function listBudgets(
  tx: Tx,
  query: { after: number; tenantId: string | undefined; limit: number },
): Promise<BudgetRow[]> {
  return tx.query<BudgetRow>(
    `SELECT ${COLUMNS} ${FROM} WHERE b.id > $1 AND ($2::uuid IS NULL OR b.tenant_id = $2) ORDER BY b.id LIMIT $3`,
    [query.after, query.tenantId ?? null, query.limit],
  );
}

export async function findBudget(tx: Tx, name: string, tenantId: string): Promise<BudgetRow | undefined> {
  const rows = await tx.query<BudgetRow>(`SELECT ${COLUMNS} ${FROM} WHERE b.name = $1 AND b.tenant_id = $2`, [
    name,
    tenantId,
  ]);
  return rows[0];
}

export async function countBudgets(tx: Tx, tenantId: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>('SELECT count(*) AS count FROM work.budgets WHERE tenant_id = $1', [
    tenantId,
  ]);
  return row!.count;
}

/** Makes the budget where it is missing, so that it can be locked. */
export async function ensureBudget(
  tx: Tx,
  {
    name,
    tenantId,
    agent,
    span,
    limits,
  }: {
    name: string;
    tenantId: string;
    agent: { id: string; name: string } | undefined;
    span: string;
    limits: Limits;
  },
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO work.budgets (tenant_id, name, agent_id, agent, span, usd_limit, tokens_limit, calls_limit, since)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, work.window_start($5, clock_timestamp()))
     ON CONFLICT (tenant_id, name) DO NOTHING RETURNING 1`,
    [tenantId, name, agent?.id ?? null, agent?.name ?? null, span, limits.usd, limits.tokens, limits.calls],
  );
  return rows.length > 0;
}

export async function lockBudget(tx: Tx, name: string, tenantId: string): Promise<BudgetRow> {
  const rows = await tx.query<BudgetRow>(
    `SELECT ${COLUMNS} ${FROM} WHERE b.name = $1 AND b.tenant_id = $2 FOR NO KEY UPDATE OF b`,
    [name, tenantId],
  );
  return rows[0]!;
}

/** Gives a locked budget other limits. Another window begins empty; what is spent in the same one stays, and is judged anew. */
export async function updateLimits(tx: Tx, id: number, span: string, limits: Limits): Promise<void> {
  await tx.query(
    `UPDATE work.budgets b SET span = $2, usd_limit = $3, tokens_limit = $4, calls_limit = $5,
       since = CASE WHEN b.span = $2 THEN b.since ELSE work.window_start($2, clock_timestamp()) END,
       usd = CASE WHEN b.span = $2 THEN b.usd ELSE 0 END,
       tokens = CASE WHEN b.span = $2 THEN b.tokens ELSE 0 END,
       calls = CASE WHEN b.span = $2 THEN b.calls ELSE 0 END,
       warned = false, held_until = NULL, version = b.version + 1
     WHERE b.id = $1`,
    [id, span, limits.usd, limits.tokens, limits.calls],
  );
}

export async function removeBudget(tx: Tx, name: string, tenantId: string): Promise<boolean> {
  const rows = await tx.query('DELETE FROM work.budgets WHERE name = $1 AND tenant_id = $2 RETURNING 1', [
    name,
    tenantId,
  ]);
  return rows.length > 0;
}

/** Judges a budget that this transaction changed. */
export async function judgeBudget(tx: Tx, id: number): Promise<void> {
  await tx.query('SELECT work.charge($1, 0, 0, 0)', [id]);
}

/** What a charge led to. */
export interface Crossing {
  readonly what: 'warned' | 'exhausted';
  readonly metric: 'usd' | 'tokens' | 'calls';
  readonly spent: number;
  readonly most: number;
  readonly until: string | null;
}

export interface UntoldRow {
  readonly name: string;
  readonly tenant_id: string;
  readonly agent: string | null;
  readonly untold: readonly Crossing[];
}

/** What the log was not told of yet; from now on it is. */
export async function takeUntold(tx: Tx, limit: number): Promise<UntoldRow[]> {
  return tx.query<UntoldRow>(
    `WITH taken AS MATERIALIZED (
       SELECT id, untold FROM work.budgets WHERE untold IS NOT NULL ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)
     UPDATE work.budgets b SET untold = NULL FROM taken WHERE b.id = taken.id
     RETURNING b.name, b.tenant_id, b.agent, taken.untold`,
    [limit],
  );
}

export interface Use extends Amounts {
  readonly tenant_id: string;
  readonly agent_id: string;
}

export async function spend(tx: Tx, uses: readonly Use[]): Promise<void> {
  if (uses.length > 0) await tx.query('SELECT work.spend($1)', [JSON.stringify(uses)]);
}

/** Tenants whose budget is used up; the fleet's stands for everything, and for the agent's own. */
export async function findSpentOut(tx: Tx, agentId: string): Promise<string[]> {
  const [row] = await tx.query<{ tenants: string[] }>('SELECT work.spent_out($1) AS tenants', [agentId]);
  return row!.tenants;
}

export interface JobLimits extends Amounts {
  readonly job_id: string;
  readonly tenant_id: string;
}

/** Notes what jobs may use that were just added with a budget of their own. */
export async function insertJobLimits(tx: Tx, jobs: readonly JobLimits[]): Promise<void> {
  if (jobs.length === 0) return;
  await tx.query(
    `INSERT INTO work.job_usage (job_id, tenant_id, usd_limit, tokens_limit, calls_limit)
     SELECT job_id, tenant_id, usd, tokens, calls
     FROM jsonb_to_recordset($1::jsonb) AS i(job_id uuid, tenant_id uuid, usd bigint, tokens bigint, calls bigint)`,
    [JSON.stringify(jobs)],
  );
}

/** What ended jobs were allowed to use, for those that try them again. */
export async function findJobLimits(tx: Tx, jobIds: readonly string[]): Promise<Map<string, Amounts>> {
  const rows = await tx.query<Amounts & { job_id: string }>(
    `SELECT job_id, usd_limit AS usd, tokens_limit AS tokens, calls_limit AS calls FROM work.job_usage
     WHERE job_id = ANY ($1)`,
    [jobIds],
  );
  return new Map(rows.map(({ job_id, ...limits }) => [job_id, limits]));
}

export interface Report extends Amounts {
  readonly job_id: string;
  readonly tenant_id: string;
  readonly attempt: number;
}

export interface NotedRow extends Amounts {
  readonly job_id: string;
  /** The job has used all that it may. */
  readonly over: boolean;
}

/** Notes what attempts have used in all; answers by how much each has grown. The caller holds the locks of the jobs. */
export async function noteUsage(tx: Tx, reports: readonly Report[], limits: Amounts): Promise<NotedRow[]> {
  const grown = (what: string) =>
    `greatest(0, i.${what} - CASE WHEN o.attempt = i.attempt THEN o.attempt_${what} ELSE 0 END) AS ${what},
     greatest(i.${what}, CASE WHEN o.attempt = i.attempt THEN o.attempt_${what} END) AS attempt_${what}`;
  return tx.query<NotedRow>(
    `WITH grown AS MATERIALIZED (
       SELECT i.job_id, i.tenant_id, i.attempt, ${grown('usd')}, ${grown('tokens')}, ${grown('calls')}
       FROM jsonb_to_recordset($1::jsonb)
         AS i(job_id uuid, tenant_id uuid, attempt int, usd bigint, tokens bigint, calls bigint)
       LEFT JOIN work.job_usage o ON o.job_id = i.job_id),
     noted AS (
       INSERT INTO work.job_usage AS u (job_id, tenant_id, usd_limit, tokens_limit, calls_limit, usd, tokens, calls,
         attempt, attempt_usd, attempt_tokens, attempt_calls)
       SELECT job_id, tenant_id, $2, $3, $4, usd, tokens, calls, attempt, attempt_usd, attempt_tokens, attempt_calls
       FROM grown
       ON CONFLICT (job_id) DO UPDATE SET usd = u.usd + excluded.usd, tokens = u.tokens + excluded.tokens,
         calls = u.calls + excluded.calls, attempt = excluded.attempt, attempt_usd = excluded.attempt_usd,
         attempt_tokens = excluded.attempt_tokens, attempt_calls = excluded.attempt_calls, at = clock_timestamp()
       RETURNING u.job_id, u.usd >= u.usd_limit OR u.tokens >= u.tokens_limit OR u.calls >= u.calls_limit AS over)
     SELECT g.job_id, g.usd, g.tokens, g.calls, n.over FROM grown g JOIN noted n USING (job_id)`,
    [JSON.stringify(reports), limits.usd, limits.tokens, limits.calls],
  );
}

export interface JobUsageRow extends Amounts {
  readonly usd_limit: number;
  readonly tokens_limit: number;
  readonly calls_limit: number;
}

export async function findJobUsage(tx: Tx, jobId: string): Promise<JobUsageRow | undefined> {
  const rows = await tx.query<JobUsageRow>(
    'SELECT usd, tokens, calls, usd_limit, tokens_limit, calls_limit FROM work.job_usage WHERE job_id = $1',
    [jobId],
  );
  return rows[0];
}

/** A commit that ends something waits for the disk, whatever was said before in its transaction. */
export async function commitSurely(tx: Tx): Promise<void> {
  await tx.query(`SELECT set_config('synchronous_commit', 'on', true)`);
}

/** What jobs used that have ended and said nothing for so many days. */
export async function forgetUsage(tx: Tx, days: number, limit: number): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM work.job_usage WHERE job_id IN (
       SELECT u.job_id FROM work.job_usage u
       WHERE u.at < clock_timestamp() - make_interval(days => $1)
         AND NOT EXISTS (SELECT FROM work.jobs j WHERE j.id = u.job_id) LIMIT $2)
     RETURNING 1`,
    [days, limit],
  );
  return rows.length;
}
