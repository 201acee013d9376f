// The SQL of schedules.
import type { Tx } from '../../../platform/db/database.ts';
import type { ScheduledJob } from './schedules.ts';

export interface ScheduleSettings {
  readonly cron: string | null;
  readonly every_seconds: number | null;
  readonly once_at: Date | null;
  readonly zone: string;
  readonly job: ScheduledJob;
  readonly catch_up: 'skip' | 'once' | 'all';
  readonly overlap: 'skip' | 'queue' | 'allow';
  readonly jitter_seconds: number;
}

export interface ScheduleRow extends ScheduleSettings {
  readonly tenant_id: string;
  readonly name: string;
  readonly created_at: Date;
  readonly next_at: Date | null;
  readonly last_tick: Date | null;
  readonly last_job: string | null;
  readonly paused_at: Date | null;
  readonly paused_by: string | null;
  readonly paused_reason: string | null;
  readonly declared_by: string | null;
  readonly version: number;
}

const COLUMNS = `tenant_id, name, cron, every_seconds, once_at, zone, job, catch_up, overlap, jitter_seconds, created_at,
  next_at, last_tick, last_job, paused_at, paused_by, paused_reason, declared_by, version`;

/** The database's clock, which decides about ticks. */
export async function readClock(tx: Tx): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return row!.now;
}

export async function findSchedule(tx: Tx, tenantId: string, name: string): Promise<ScheduleRow | undefined> {
  const [row] = await tx.query<ScheduleRow>(
    `SELECT ${COLUMNS} FROM work.schedules WHERE tenant_id = $1 AND name = $2`,
    [tenantId, name],
  );
  return row;
}

export async function lockSchedule(tx: Tx, tenantId: string, name: string): Promise<ScheduleRow | undefined> {
  const [row] = await tx.query<ScheduleRow>(
    `SELECT ${COLUMNS} FROM work.schedules WHERE tenant_id = $1 AND name = $2 FOR UPDATE`,
    [tenantId, name],
  );
  return row;
}

/** In the order of tenants and names; `after` is the last of the page before. */
export async function listSchedules(
  tx: Tx,
  query: { after: readonly [tenantId: string, name: string] | undefined; tenantId: string | undefined; limit: number },
): Promise<ScheduleRow[]> {
  return tx.query<ScheduleRow>(
    `SELECT ${COLUMNS} FROM work.schedules
     WHERE ($1::uuid IS NULL OR (tenant_id, name) > ($1, $2::text)) AND ($3::uuid IS NULL OR tenant_id = $3)
     ORDER BY tenant_id, name LIMIT $4`,
    [query.after?.[0] ?? null, query.after?.[1] ?? null, query.tenantId ?? null, query.limit],
  );
}

export async function declaredSchedules(tx: Tx, declarer: string): Promise<ScheduleRow[]> {
  return tx.query<ScheduleRow>(
    `SELECT ${COLUMNS} FROM work.schedules WHERE declared_by = $1 ORDER BY tenant_id, name`,
    [declarer],
  );
}

/** Makes or replaces a schedule. Two makers of one name: the second changes what the first made. */
export async function putSchedule(
  tx: Tx,
  of: { tenantId: string; name: string; nextAt: Date | undefined; declaredBy: string | null },
  settings: ScheduleSettings,
): Promise<ScheduleRow> {
  const { cron, every_seconds, once_at, zone, job, catch_up, overlap, jitter_seconds } = settings;
  const [row] = await tx.query<ScheduleRow>(
    `INSERT INTO work.schedules AS s (tenant_id, name, cron, every_seconds, once_at, zone, job, catch_up, overlap,
       jitter_seconds, next_at, declared_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (tenant_id, name) DO UPDATE SET
       cron = excluded.cron, every_seconds = excluded.every_seconds, once_at = excluded.once_at, zone = excluded.zone,
       job = excluded.job, catch_up = excluded.catch_up, overlap = excluded.overlap,
       jitter_seconds = excluded.jitter_seconds, next_at = excluded.next_at, declared_by = excluded.declared_by,
       version = s.version + 1
     RETURNING ${COLUMNS}`,
    [
      of.tenantId,
      of.name,
      cron,
      every_seconds,
      once_at,
      zone,
      JSON.stringify(job),
      catch_up,
      overlap,
      jitter_seconds,
      of.nextAt ?? null,
      of.declaredBy,
    ],
  );
  return row!;
}

export async function removeSchedule(tx: Tx, tenantId: string, name: string): Promise<void> {
  await tx.query('DELETE FROM work.schedules WHERE tenant_id = $1 AND name = $2', [tenantId, name]);
}

export async function setPause(
  tx: Tx,
  row: Pick<ScheduleRow, 'tenant_id' | 'name'>,
  pause: { by: string; reason: string | undefined } | undefined,
  nextAt: Date | null,
): Promise<void> {
  await tx.query(
    `UPDATE work.schedules SET paused_at = CASE WHEN $3::text IS NOT NULL THEN clock_timestamp() END, paused_by = $3,
       paused_reason = $4, next_at = $5, version = version + 1 WHERE tenant_id = $1 AND name = $2`,
    [row.tenant_id, row.name, pause?.by ?? null, pause?.reason ?? null, nextAt],
  );
}

/** Locks schedules whose tick has come, longest due first; two engines get different ones. */
export async function lockDue(tx: Tx, limit: number): Promise<ScheduleRow[]> {
  return tx.query<ScheduleRow>(
    `SELECT ${COLUMNS} FROM work.schedules WHERE paused_at IS NULL AND next_at <= clock_timestamp()
     ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED`,
    [limit],
  );
}

export async function moveOn(
  tx: Tx,
  row: Pick<ScheduleRow, 'tenant_id' | 'name'>,
  to: { next: Date | undefined; lastTick: Date | undefined; lastJob: string | undefined },
): Promise<void> {
  await tx.query(
    `UPDATE work.schedules SET next_at = $3, last_tick = coalesce($4, last_tick), last_job = coalesce($5, last_job)
     WHERE tenant_id = $1 AND name = $2`,
    [row.tenant_id, row.name, to.next ?? null, to.lastTick ?? null, to.lastJob ?? null],
  );
}

/** Jobs of the schedule that have not ended: how many in all, and how many of them wait. */
export async function countUnended(
  tx: Tx,
  row: Pick<ScheduleRow, 'tenant_id' | 'name'>,
): Promise<{ all: number; waiting: number }> {
  const [counts] = await tx.query<{ all: number; waiting: number }>(
    `SELECT count(*) AS all, count(*) FILTER (WHERE state <> 'running') AS waiting
     FROM work.jobs WHERE tenant_id = $1 AND schedule = $2`,
    [row.tenant_id, row.name],
  );
  return counts!;
}
