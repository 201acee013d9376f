// A log of small partitions with events of the past, for tests of what happens to old ones.
import pg from 'pg';
import { sealNext } from '../../src/domains/log/seals/sealer.ts';
import type { TestApp } from './app.ts';

export interface SmallLog {
  /** As superuser, who may write and change what nobody else may. */
  readonly admin: pg.Client;
  /** Appends events from that many weeks up to today, `each` for each week; answers how many. */
  fill(weeks: number, each: number): Promise<number>;
  /** Seals all there is, in segments of so many rows at most. */
  seal(rows?: number): Promise<void>;
  partitionNames(): Promise<string[]>;
  close(): Promise<void>;
}

/** Must come before the first event: the partitions that a new database has are replaced by ones of `size` numbers. */
export async function openSmallLog(t: TestApp, size: number, count: number): Promise<SmallLog> {
  const admin = new pg.Client({ connectionString: t.database.adminUrl });
  await admin.connect();
  const partitionNames = async () => {
    const { rows } = await admin.query('SELECT name FROM log.partition_bounds() ORDER BY lower_bound');
    return rows.map(({ name }) => name as string);
  };
  for (const name of await partitionNames()) await admin.query(`DROP TABLE log.${name}`);
  const owner = new pg.Client({ connectionString: t.database.url });
  await owner.connect();
  await owner.query('SELECT log.ensure_partitions($1, $2)', [count, size]);
  await owner.end();
  return {
    admin,
    partitionNames,
    async fill(weeks, each) {
      const { rowCount } = await admin.query(
        `INSERT INTO log.event_log (at, event_type, source_agent, subject, payload)
         SELECT clock_timestamp() - make_interval(weeks => $1 - 1 - w, secs => $2 - e), 'week.counted', 'clerk-' || (w % 3),
                'week:' || w, jsonb_build_object('week', w, 'n', e, 'exact', 12345678901234567890.10)
         FROM generate_series(0, $1 - 1) w, generate_series(1, $2) e ORDER BY w, e`,
        [weeks, each],
      );
      return rowCount ?? 0;
    },
    async seal(rows = 8) {
      const limits = { rows, bytes: 1_000_000, ageSeconds: 0 };
      const { db, log } = t.app;
      // What is said of each seal would be sealed next without end: the last look leaves it.
      const { rows: found } = await admin.query('SELECT coalesce(max(seq), 0)::bigint AS seq FROM log.event_log');
      for (;;) {
        const { rows: last } = await admin.query('SELECT coalesce(max(to_seq), 0)::bigint AS seq FROM log.seals');
        if (Number(last[0].seq) >= Number(found[0].seq)) return;
        if (!(await sealNext(db, log, t.app.systemCall(), limits))) return;
      }
    },
    close: () => admin.end(),
  };
}
