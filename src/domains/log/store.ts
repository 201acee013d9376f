// All SQL of the log room.
import { type Database, fleetScope, type Tx } from '../../platform/db/database.ts';
import type { NewEvent } from '../../platform/event-table.ts';

export interface EventRow {
  readonly seq: number;
  readonly id: string;
  readonly at: Date;
  readonly tenant_id: string;
  readonly event_type: string;
  readonly source_agent: string;
  readonly subject: string | null;
  readonly payload: Record<string, unknown>;
  readonly correlation_id: string | null;
  readonly causation_id: string | null;
}

/** An event ready to be written. `hash` is set when the sender chose the id, which is then remembered for 72 hours. */
export interface Writing extends NewEvent {
  readonly tenantId: string;
  readonly source_agent: string;
  readonly correlationId?: string | undefined;
  readonly id?: string | undefined;
  readonly hash?: string | undefined;
}

export interface Written {
  readonly tenant_id: string;
  readonly seq: number;
  readonly id: string;
  readonly at: Date;
  /** True when an event with this id was there before. */
  readonly duplicate: boolean;
}

const COLUMNS = `seq, id, at, tenant_id, event_type, source_agent, subject, payload, correlation_id, causation_id`;

function rowsOf(events: readonly Writing[]): string {
  return JSON.stringify(
    events.map((event) => ({
      id: event.id ?? null,
      tenant_id: event.tenantId,
      event_type: event.event_type,
      source_agent: event.source_agent,
      subject: event.subject ?? null,
      payload: event.payload,
      correlation_id: event.correlationId ?? null,
      causation_id: event.causationId ?? null,
      hash: event.hash ?? null,
    })),
  );
}

const INPUT = `jsonb_to_recordset($1::jsonb) AS input(id text, tenant_id uuid, event_type text, source_agent text,
  subject text, payload jsonb, correlation_id text, causation_id text, hash text)`;

/** Events of a room, in the transaction of the change that they tell of. */
export async function insertEvents(tx: Tx, events: readonly Writing[]): Promise<void> {
  await tx.query(
    `INSERT INTO log.event_log (tenant_id, event_type, source_agent, subject, payload, correlation_id, causation_id)
     SELECT tenant_id, event_type, source_agent, subject, payload, correlation_id, causation_id FROM ${INPUT}`,
    [rowsOf(events)],
  );
}

/**
 * Writes events from outside, each with an id of its own, in one statement that is its own transaction. Those whose id is
 * known are not written again but answered with what is there. Throws EventIdReused, with nothing written, when the
 * content differs; a race between two writers of one id ends in a UniqueViolation, and the caller repeats the batch.
 */
export async function writeOnce(db: Database, events: readonly Writing[]): Promise<Written[]> {
  try {
    return await db.writeOne<Written>(fleetScope, WRITE_ONCE, [rowsOf(events)]);
  } catch (error) {
    const { code, detail } = error as { code?: string; detail?: string };
    if (code === 'QD001') throw new EventIdReused(detail ?? '', error);
    throw error;
  }
}

/** An id came again with other content. */
export class EventIdReused extends Error {
  override readonly name = 'EventIdReused';
  readonly id: string;
  constructor(id: string, cause?: unknown) {
    super(`the event id ${id} was used for another event`, { cause });
    this.id = id;
  }
}

const WRITE_ONCE = `
  WITH input AS MATERIALIZED (SELECT * FROM ${INPUT}),
  known AS MATERIALIZED (
    SELECT k.tenant_id, k.id, k.seq, k.at,
           CASE WHEN k.hash <> decode(i.hash, 'hex') THEN log.refuse_reuse(k.id) END AS refused
    FROM log.event_ids k JOIN input i USING (tenant_id, id) WHERE i.hash IS NOT NULL
  ),
  written AS (
    INSERT INTO log.event_log
      (id, tenant_id, event_type, source_agent, subject, payload, correlation_id, causation_id)
    SELECT i.id, i.tenant_id, i.event_type, i.source_agent, i.subject, i.payload, i.correlation_id, i.causation_id
    FROM input i
    WHERE NOT EXISTS (SELECT FROM known k WHERE k.tenant_id = i.tenant_id AND k.id = i.id AND k.refused IS NULL)
    RETURNING tenant_id, id, seq, at
  ),
  remembered AS (
    INSERT INTO log.event_ids (tenant_id, id, seq, at, hash)
    SELECT w.tenant_id, w.id, w.seq, w.at, decode(i.hash, 'hex')
    FROM written w JOIN input i USING (tenant_id, id) WHERE i.hash IS NOT NULL
  )
  SELECT tenant_id, id, seq, at, false AS duplicate FROM written
  UNION ALL
  SELECT tenant_id, id, seq, at, true AS duplicate FROM known`;

export interface Horizon {
  readonly epoch: string;
  readonly seq: number;
}

/** The horizon, and the last number drawn: a position above it does not exist yet, one below it may be about to. */
export interface Bounds extends Horizon {
  readonly last: number;
}

/** Up to where the log can be read now. Rows must be read by a later statement. */
export async function readHorizon(tx: Tx): Promise<Bounds> {
  const [row] = await tx.query<Bounds>(
    `SELECT log.epoch() AS epoch, log.horizon() AS seq,
            coalesce(pg_sequence_last_value('log.event_seq'), 0) AS last`,
  );
  return row!;
}

/**
 * Rows above `after` and up to the horizon that the same call determines, oldest first, in one round trip. `sure` is a
 * position known to be final: a writer may take a floor below it late (it had looked at the sequence long before), which
 * takes the horizon back for a moment although nothing is missing up to there.
 */
export async function readNext(
  tx: Tx,
  after: number,
  limit: number,
  sure = 0,
): Promise<{ readonly horizon: Horizon; readonly rows: EventRow[] }> {
  const horizon = tx.query<Horizon>(
    `SELECT epoch, seq, set_config('qd.horizon', seq::text, true)
     FROM (SELECT log.epoch() AS epoch, greatest(log.horizon(), $1::bigint) AS seq) h`,
    [sure],
  );
  const rows = tx.query<EventRow>(
    `SELECT ${COLUMNS} FROM log.event_log
     WHERE seq > $1 AND seq <= current_setting('qd.horizon')::bigint ORDER BY seq LIMIT $2`,
    [after, limit],
  );
  // Both are sent before either is awaited; the second must not stay unhandled when the first fails.
  const [first, second] = await Promise.all([horizon, rows]);
  return { horizon: first[0]!, rows: second };
}

export interface EventQuery {
  readonly after?: number | undefined;
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly event_type?: string | undefined;
  readonly source_agent?: string | undefined;
  readonly subject?: string | undefined;
  readonly correlation_id?: string | undefined;
  readonly tenantId?: string | undefined;
}

export async function findEvents(tx: Tx, query: EventQuery, horizon: number): Promise<EventRow[]> {
  const values: unknown[] = [];
  const value = (v: unknown) => `$${values.push(v)}`;
  const asc = query.order === 'asc';
  const conditions = [`seq <= ${value(horizon)}`];
  if (query.after !== undefined) conditions.push(`seq ${asc ? '>' : '<'} ${value(query.after)}`);
  if (query.tenantId !== undefined) conditions.push(`tenant_id = ${value(query.tenantId)}`);
  if (query.source_agent !== undefined) conditions.push(`source_agent = ${value(query.source_agent)}`);
  if (query.subject !== undefined) conditions.push(`subject = ${value(query.subject)}`);
  if (query.correlation_id !== undefined) conditions.push(`correlation_id = ${value(query.correlation_id)}`);
  if (query.event_type !== undefined) {
    conditions.push(
      query.event_type.endsWith('*')
        ? `starts_with(event_type, ${value(query.event_type.slice(0, -1))})`
        : `event_type = ${value(query.event_type)}`,
    );
  }
  // A time becomes a range of seq first, by the marks, so that partitions outside it are not opened. The margin covers
  // transactions that drew their numbers before the mark and their clock reading after it.
  if (query.since !== undefined) {
    const since = value(query.since);
    conditions.push(
      `at >= ${since}::timestamptz`,
      `seq > coalesce((SELECT max(m.seq) FROM log.time_marks m WHERE m.at < ${since}::timestamptz - interval '2 minutes'), 0)`,
    );
  }
  if (query.until !== undefined) {
    const until = value(query.until);
    conditions.push(
      `at <= ${until}::timestamptz`,
      `seq <= coalesce((SELECT min(m.seq) FROM log.time_marks m WHERE m.at > ${until}::timestamptz + interval '2 minutes'), 9223372036854775807)`,
    );
  }
  return tx.query<EventRow>(
    `SELECT ${COLUMNS} FROM log.event_log WHERE ${conditions.join(' AND ')}
     ORDER BY seq ${asc ? 'ASC' : 'DESC'} LIMIT ${value(query.limit)}`,
    values,
  );
}

export async function findEvent(tx: Tx, seq: number): Promise<EventRow | undefined> {
  const [row] = await tx.query<EventRow>(`SELECT ${COLUMNS} FROM log.event_log WHERE seq = $1`, [seq]);
  return row;
}

/** The newest committed number up to the horizon, over all tenants that the scope sees; 0 in an empty log. */
export async function newestSeq(tx: Tx, horizon: number): Promise<number> {
  const [row] = await tx.query<{ seq: number | null }>('SELECT max(seq) AS seq FROM log.event_log WHERE seq <= $1', [
    horizon,
  ]);
  return row?.seq ?? 0;
}

export async function countSince(tx: Tx, seconds: number): Promise<number> {
  const [row] = await tx.query<{ n: number }>(
    `SELECT count(*) AS n FROM log.event_log
     WHERE at > clock_timestamp() - make_interval(secs => $1)
       AND seq > coalesce((SELECT max(m.seq) FROM log.time_marks m
                           WHERE m.at < clock_timestamp() - make_interval(secs => $1 + 120)), 0)`,
    [seconds],
  );
  return row?.n ?? 0;
}

export async function addTimeMark(tx: Tx): Promise<void> {
  await tx.query(
    `INSERT INTO log.time_marks (at, seq)
     SELECT date_trunc('minute', clock_timestamp()), coalesce(pg_sequence_last_value('log.event_seq'), 1)
     ON CONFLICT (at) DO NOTHING`,
  );
}

/** Adds them to the types that nobody may append from outside; none is ever taken away. */
export async function reserveTypes(tx: Tx, types: readonly string[]): Promise<void> {
  await tx.query(
    `INSERT INTO log.reserved_event_types (event_type) SELECT unnest($1::text[]) ON CONFLICT (event_type) DO NOTHING`,
    [types],
  );
}

/** Of marks older than a month one an hour is enough: a time then becomes a somewhat wider range. */
export async function thinTimeMarks(tx: Tx): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM log.time_marks WHERE at IN (
       SELECT at FROM log.time_marks
       WHERE at < clock_timestamp() - interval '32 days' AND extract(minute FROM at) <> 0 LIMIT 10000) RETURNING 1`,
  );
  return rows.length;
}

export async function forgetOldIds(tx: Tx): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM log.event_ids WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM log.event_ids WHERE at < clock_timestamp() - interval '72 hours' LIMIT 10000)) RETURNING 1`,
  );
  return rows.length;
}

/** Makes partitions ahead; returns how many lie ready. As owner. */
export async function ensurePartitions(tx: Tx, ready: number): Promise<number> {
  await tx.query('SELECT log.ensure_partitions($1)', [ready]);
  const [row] = await tx.query<{ ready: number }>(
    `SELECT count(*) AS ready FROM log.partition_bounds() p, log.event_seq s WHERE p.lower_bound > s.last_value`,
  );
  return row!.ready;
}

export interface FloorHolder {
  readonly pid: number | null;
  /** The virtual transaction, or the prepared one's `-1/xid`: tells one transaction from the next of the same backend. */
  readonly transaction: string;
  readonly application: string;
  readonly role: string;
  /** Name of the prepared transaction, where it is one. */
  readonly prepared: string | null;
}

/** Who holds a floor now, besides the asker. */
export async function floorHolders(tx: Tx): Promise<FloorHolder[]> {
  return tx.query<FloorHolder>(
    `SELECT DISTINCT l.pid, l.virtualtransaction AS transaction, coalesce(a.application_name, '') AS application,
            coalesce(a.usename, p.owner, '') AS role, p.gid AS prepared
     FROM pg_locks l
     LEFT JOIN pg_stat_activity a ON a.pid = l.pid
     LEFT JOIN pg_prepared_xacts p ON l.pid IS NULL AND l.virtualtransaction = '-1/' || p.transaction::text
     WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid::bigint >> 16 = 20804 AND l.mode = 'ShareLock'
       AND l.granted AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
       AND l.pid IS DISTINCT FROM pg_backend_pid()`,
  );
}

/** Ends the backend if it is still in the transaction that was seen, not in the next one of the same connection. */
export async function endBackend(tx: Tx, pid: number, transaction: string): Promise<void> {
  await tx.query(
    `SELECT pg_terminate_backend(l.pid)
     FROM (SELECT pid FROM pg_locks WHERE pid = $1 AND virtualtransaction = $2 LIMIT 1) l`,
    [pid, transaction],
  );
}

/** The statement that ends a prepared transaction; it takes no parameters and cannot run inside a transaction. */
export function rollBackPrepared(name: string): string {
  return `ROLLBACK PREPARED '${name.replaceAll("'", "''")}'`;
}
