// The SQL of batches. Their rows are locked after those of jobs: those within another batch first, then the others, each
// by id.
import type { Tx } from '../../../platform/db/database.ts';
import type { AfterJob } from '../new-job.ts';
import { HOT, type HotRow } from '../selection-store.ts';
import type { Batch } from './batch-rules.ts';

export interface BatchRow extends Batch {
  readonly id: string;
  readonly tenant_id: string;
  readonly name: string | null;
  readonly parent_id: string | null;
  readonly on_done: AfterJob | null;
  readonly on_done_job: string | null;
  readonly created_at: Date;
  readonly created_by: string;
  readonly cancelled_reason: string | null;
  readonly ended_at: Date | null;
  readonly version: number;
}

const COLUMNS = `b.id, b.tenant_id, b.name, b.parent_id, b.state, b.on_failure, b.on_done, b.on_done_job, b.total, b.done,
  b.dead, b.cancelled, b.created_at, b.created_by, b.cancelled_by, b.cancelled_reason, b.ended_at, b.version`;

export async function insertBatch(
  tx: Tx,
  batch: Pick<BatchRow, 'id' | 'tenant_id' | 'name' | 'parent_id' | 'on_failure' | 'on_done' | 'created_by'>,
): Promise<void> {
  await tx.query(
    `INSERT INTO work.batches (id, tenant_id, name, parent_id, on_failure, on_done, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      batch.id,
      batch.tenant_id,
      batch.name,
      batch.parent_id,
      batch.on_failure,
      batch.on_done === null ? null : JSON.stringify(batch.on_done),
      batch.created_by,
    ],
  );
}

/** Locks those of the batches that are within another one, or those that are not. */
export async function lockBatches(tx: Tx, ids: readonly string[], within: boolean): Promise<BatchRow[]> {
  return tx.query<BatchRow>(
    `SELECT ${COLUMNS} FROM work.batches b WHERE b.id = ANY ($1) AND (b.parent_id IS NOT NULL) = $2
     ORDER BY b.id FOR NO KEY UPDATE`,
    [ids, within],
  );
}

/** Writes what became of batches that this transaction holds locked; answers them as they are now. */
export async function updateBatches(
  tx: Tx,
  batches: readonly (Batch & Pick<BatchRow, 'id' | 'cancelled_reason' | 'on_done_job'> & { ended: boolean })[],
): Promise<BatchRow[]> {
  return tx.query<BatchRow>(
    `UPDATE work.batches b SET state = i.state, total = i.total, done = i.done, dead = i.dead, cancelled = i.cancelled,
       cancelled_by = i.cancelled_by, cancelled_reason = i.cancelled_reason, on_done_job = i.on_done_job,
       ended_at = CASE WHEN i.ended THEN coalesce(b.ended_at, clock_timestamp()) END, version = b.version + 1
     FROM jsonb_to_recordset($1::jsonb) AS i(id uuid, state text, total int, done int, dead int, cancelled int,
       cancelled_by text, cancelled_reason text, on_done_job uuid, ended boolean)
     WHERE b.id = i.id RETURNING ${COLUMNS}`,
    [JSON.stringify(batches)],
  );
}

export async function findBatch(tx: Tx, id: string): Promise<BatchRow | undefined> {
  const [row] = await tx.query<BatchRow>(`SELECT ${COLUMNS} FROM work.batches b WHERE b.id = $1`, [id]);
  return row;
}

export interface BatchQuery {
  readonly state?: string | undefined;
  readonly parent?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Only batches older than this one. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listBatches(tx: Tx, query: BatchQuery): Promise<BatchRow[]> {
  return tx.query<BatchRow>(
    `SELECT ${COLUMNS} FROM work.batches b
     WHERE ($1::text IS NULL OR b.state = $1) AND ($2::uuid IS NULL OR b.parent_id = $2)
       AND ($3::uuid IS NULL OR b.tenant_id = $3) AND ($4::uuid IS NULL OR b.id < $4)
     ORDER BY b.id DESC LIMIT $5`,
    [query.state ?? null, query.parent ?? null, query.tenantId ?? null, query.before ?? null, query.limit],
  );
}

/** Locks jobs of batches that are being stopped; what another transaction holds is come back for. */
export async function lockToStop(
  tx: Tx,
  limit: number,
  only: string | undefined,
): Promise<(HotRow & { readonly why: string | null })[]> {
  return tx.query(
    `SELECT ${HOT}, b.cancelled_reason AS why FROM work.jobs j JOIN work.batches b ON b.id = j.batch_id
     WHERE b.state = 'stopping' AND ($2::uuid IS NULL OR b.id = $2)
     ORDER BY j.id LIMIT $1 FOR UPDATE OF j SKIP LOCKED`,
    [limit, only ?? null],
  );
}

/** Batches within batches that are being stopped, and that are not yet themselves. */
export async function findWithinStopping(
  tx: Tx,
  limit: number,
  only: string | undefined,
): Promise<{ id: string; parent_id: string; why: string | null }[]> {
  return tx.query(
    `SELECT c.id, c.parent_id, p.cancelled_reason AS why
     FROM work.batches p JOIN work.batches c ON c.parent_id = p.id AND c.state IN ('open', 'closed')
     WHERE p.state = 'stopping' AND ($2::uuid IS NULL OR p.id = $2) ORDER BY c.id LIMIT $1`,
    [limit, only ?? null],
  );
}

/** Forgets batches that ended longer ago; answers how many. */
export async function forgetOldBatches(tx: Tx, days: number, limit: number): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM work.batches WHERE id = ANY (ARRAY(
       SELECT id FROM work.batches WHERE ended_at < clock_timestamp() - make_interval(days => $1)
       ORDER BY ended_at LIMIT $2)) RETURNING 1`,
    [days, limit],
  );
  return rows.length;
}
