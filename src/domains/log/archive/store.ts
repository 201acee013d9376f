// The SQL on archived partitions.
import type { Tx } from '../../../platform/db/database.ts';

export interface Counts {
  readonly types?: Readonly<Record<string, number>>;
  readonly agents?: Readonly<Record<string, number>>;
  readonly tenants?: Readonly<Record<string, number>>;
}

export interface Archive {
  readonly from_seq: number;
  readonly to_seq: number;
  readonly partition: string;
  readonly file: string;
  readonly host: string;
  readonly bytes: number;
  readonly rows: number;
  readonly first_at: Date | null;
  readonly last_at: Date | null;
  readonly first_seal: number;
  readonly last_seal: number;
  readonly offsets: readonly number[];
  readonly counts: Counts;
  readonly written_at: Date;
}

const ARCHIVE = `from_seq, to_seq, partition, file, host, bytes, rows, first_at, last_at, first_seal, last_seal,
  (SELECT array_agg(o::float8) FROM unnest(offsets) o) AS offsets, counts, written_at`;

/**
 * One archiver at a time, on however many machines; goes with the transaction. A number that nobody else has: it is held for
 * as long as a partition takes.
 */
export async function tryBeArchiver(tx: Tx): Promise<boolean> {
  const [row] = await tx.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock(7310584) AS mine');
  if (!row!.mine) return false;
  // Its transaction is idle meanwhile, and a server that ends such ones would take the lock away. Only 17 and newer have the
  // second setting.
  await tx.query(
    `SELECT set_config(name, '0', true) FROM pg_settings
     WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`,
  );
  return true;
}

/** Whether the newest row of these segments is older than so many days by the database's clock. */
export async function isOlderThan(tx: Tx, from: number, to: number, days: number): Promise<boolean> {
  const [row] = await tx.query<{ due: boolean | null }>(
    `SELECT coalesce(max(last_at), max(sealed_at)) < clock_timestamp() - make_interval(days => $3) AS due
     FROM log.seals WHERE to_seq BETWEEN $1 AND $2`,
    [from, to, days],
  );
  return row?.due === true;
}

export async function findArchive(tx: Tx, partition: string): Promise<Archive | undefined> {
  const [row] = await tx.query<Archive>(`SELECT ${ARCHIVE} FROM log.archives WHERE partition = $1`, [partition]);
  return row;
}

/** The archive that holds the segment of this seal. */
export async function findArchiveOfSeal(tx: Tx, seal: number): Promise<Archive | undefined> {
  const [row] = await tx.query<Archive>(
    `SELECT ${ARCHIVE} FROM log.archives WHERE first_seal <= $1 ORDER BY first_seal DESC LIMIT 1`,
    [seal],
  );
  return row === undefined || row.last_seal < seal ? undefined : row;
}

/** Dropped partitions that reach beyond `after`, oldest first. */
export async function findArchives(tx: Tx, after: number, limit: number): Promise<Archive[]> {
  return tx.query<Archive>(
    `SELECT ${ARCHIVE} FROM log.archives
     WHERE to_seq > $1 AND from_seq <= (SELECT archived_up_to FROM log.retention) ORDER BY from_seq LIMIT $2`,
    [after, limit],
  );
}

export async function saveArchive(
  tx: Tx,
  archive: Omit<Archive, 'first_at' | 'last_at' | 'written_at'>,
): Promise<void> {
  await tx.query(
    `INSERT INTO log.archives (from_seq, to_seq, partition, file, host, bytes, rows, first_seal, last_seal, offsets, counts,
       first_at, last_at)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::bigint[], $11::jsonb, min(first_at), max(last_at)
     FROM log.seals WHERE number BETWEEN $8 AND $9
     ON CONFLICT (from_seq) DO UPDATE SET file = excluded.file, host = excluded.host, bytes = excluded.bytes,
       offsets = excluded.offsets, counts = excluded.counts, written_at = excluded.written_at`,
    [
      archive.from_seq,
      archive.to_seq,
      archive.partition,
      archive.file,
      archive.host,
      archive.bytes,
      archive.rows,
      archive.first_seal,
      archive.last_seal,
      archive.offsets,
      JSON.stringify(archive.counts),
    ],
  );
}

/**
 * Drops a partition, whose last event has the number `lastSeq`, and says so, as owner; what is appended afterwards in the same transaction is true with it. Waits
 * only a moment for whoever is writing at this moment, because everybody else would wait behind it.
 */
export async function dropPartition(tx: Tx, name: string, lastSeq: number): Promise<void> {
  if (!/^event_log_[0-9]+$/.test(name)) throw new Error(`${name} is no partition of the log`);
  await tx.query(`SELECT set_config('lock_timeout', '300ms', true)`);
  await tx.query(`DROP TABLE log.${name}`);
  // The owner sees no rows; the rest is done as the fleet.
  await tx.query(`SELECT set_config('role', 'qd_system', true), set_config('qd.tenant', '', true)`);
  await tx.query('UPDATE log.retention SET archived_up_to = greatest(archived_up_to, $1)', [lastSeq]);
  await tx.query(`DELETE FROM log.time_marks WHERE seq < (SELECT max(seq) FROM log.time_marks WHERE seq <= $1)`, [
    lastSeq,
  ]);
}
