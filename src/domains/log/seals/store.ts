// The SQL on seals, and on the rows as they are hashed.
import type { Tx } from '../../../platform/db/database.ts';
import { type CanonicalRow, type Line, lineOf, type SealFacts } from './canonical.ts';

export interface Seal extends SealFacts {
  readonly hash: Buffer;
}

/** A seal without its leaves, for where many are held at once: the leaves of a partition weigh some 90 MB. */
export type SealOutline = Omit<Seal, 'leaves'>;

export interface Partition {
  readonly name: string;
  readonly lower_bound: number;
  /** Its first number belongs to the next partition. */
  readonly upper_bound: number;
}

const moment = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const OUTLINE = `number, from_seq, to_seq, rows, bytes, ${moment('first_at')} AS first_at, ${moment('last_at')} AS last_at,
  rows_hash, prev_hash, hash, ${moment('sealed_at')} AS sealed_at`;
const SEAL = `${OUTLINE}, leaves`;

export async function logIdentity(tx: Tx): Promise<string> {
  const [row] = await tx.query<{ id: string }>('SELECT id FROM log.identity');
  return row!.id;
}

export async function partitions(tx: Tx): Promise<Partition[]> {
  return tx.query<Partition>('SELECT name, lower_bound, upper_bound FROM log.partition_bounds() ORDER BY lower_bound');
}

/** The number of the last event that is in the archive only; 0 when nothing was archived. */
export async function archivedUpTo(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ archived_up_to: number }>('SELECT archived_up_to FROM log.retention');
  return row!.archived_up_to;
}

export async function lastSeal(tx: Tx): Promise<Seal | undefined> {
  const [row] = await tx.query<Seal>(`SELECT ${SEAL} FROM log.seals ORDER BY number DESC LIMIT 1`);
  return row;
}

export async function findSeal(tx: Tx, number: number): Promise<Seal | undefined> {
  const [row] = await tx.query<Seal>(`SELECT ${SEAL} FROM log.seals WHERE number = $1`, [number]);
  return row;
}

export async function findNextSeal(tx: Tx, after: number): Promise<Seal | undefined> {
  const [row] = await tx.query<Seal>(`SELECT ${SEAL} FROM log.seals WHERE number > $1 ORDER BY number LIMIT 1`, [
    after,
  ]);
  return row;
}

/** The segment that holds the number behind this one. */
export async function findSealBehind(tx: Tx, seq: number): Promise<Seal | undefined> {
  const [row] = await tx.query<Seal>(`SELECT ${SEAL} FROM log.seals WHERE to_seq > $1 ORDER BY to_seq LIMIT 1`, [seq]);
  return row;
}

export async function hasSealHash(tx: Tx, hash: Buffer): Promise<boolean> {
  return (await tx.query('SELECT 1 FROM log.seals WHERE hash = $1', [hash])).length > 0;
}

/** The seals whose segments end within these numbers, in order. */
export async function sealsWithin(tx: Tx, from: number, to: number): Promise<SealOutline[]> {
  return tx.query<SealOutline>(`SELECT ${OUTLINE} FROM log.seals WHERE to_seq BETWEEN $1 AND $2 ORDER BY number`, [
    from,
    to,
  ]);
}

/** Answers whether it is the first with this number; the second of two engines writes nothing. */
export async function insertSeal(tx: Tx, seal: Seal): Promise<boolean> {
  // A seal that a crash forgets would leave the head that was told of without its seal.
  await tx.query(
    `SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`,
  );
  const rows = await tx.query(
    `INSERT INTO log.seals (number, from_seq, to_seq, rows, bytes, first_at, last_at, rows_hash, leaves, prev_hash, hash, sealed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING 1`,
    [
      seal.number,
      seal.from_seq,
      seal.to_seq,
      seal.rows,
      seal.bytes,
      seal.first_at,
      seal.last_at,
      seal.rows_hash,
      seal.leaves,
      seal.prev_hash,
      seal.hash,
      seal.sealed_at,
    ],
  );
  return rows.length === 1;
}

export interface Waiting {
  readonly rows: number;
  /** Seconds since the oldest of them, not counting the log's own word of a seal: that alone asks for no new one. */
  readonly age: number;
  readonly now: string;
}

/** What lies between two numbers unsealed, counted up to `most`. */
export async function waitingRows(tx: Tx, from: number, to: number, most: number): Promise<Waiting> {
  const [row] = await tx.query<Waiting>(
    `SELECT count(*) AS rows, ${moment('clock_timestamp()')} AS now,
            coalesce(extract(epoch FROM clock_timestamp() - min(r.at) FILTER (WHERE r.event_type <> 'log.segment.sealed')), 0)::float8 AS age
     FROM (SELECT at, event_type FROM log.event_log WHERE seq BETWEEN $1 AND $2 ORDER BY seq LIMIT $3) r`,
    [from, to, most],
  );
  return row!;
}

/** Rows in their canonical form, in order. */
export async function readLines(tx: Tx, from: number, to: number, limit: number): Promise<Line[]> {
  const rows = await tx.query<CanonicalRow>(
    `SELECT seq, id, ${moment('at')} AS at, tenant_id::text, event_type, source_agent, subject, correlation_id,
            causation_id, payload::text AS payload
     FROM log.event_log WHERE seq BETWEEN $1 AND $2 ORDER BY seq LIMIT $3`,
    [from, to, limit],
  );
  return rows.map(lineOf);
}
