// Ends the history of ended jobs: a whole week at a time, where a setting says for how long it is kept. Its SQL stands
// here too, because it runs as the owner of the tables and nothing else does.
import type { Call } from '../../platform/call.ts';
import { type Database, fleetScope, ownerScope, type Tx } from '../../platform/db/database.ts';
import { isAppError } from '../../platform/errors.ts';
import { announce } from '../../platform/signals.ts';
import type { Log } from '../log/index.ts';
import { workEvents } from './events.ts';

interface Week {
  readonly name: string;
  /** The first moment after it. */
  readonly until: Date;
  readonly about: number;
}

/**
 * Drops the oldest week that ended longer ago, and says so in the same transaction; answers whether there was one. Old is
 * what lies so long before the newest that was counted, not before now: a clock that is ahead drops nothing by itself.
 */
export async function dropOldWeek(db: Database, log: Log, call: Call, keepDays: number): Promise<boolean> {
  const [newest] = await db.read(fleetScope, (tx) =>
    tx.query<{ minute: Date | null }>('SELECT max(minute) AS minute FROM work.minute_counts'),
  );
  if (newest?.minute == null) return false;
  const { minute } = newest;
  try {
    const week = await db.write(ownerScope, async (tx) => {
      const week = await findOldWeek(tx, minute, keepDays);
      if (week === undefined) return undefined;
      // Everybody who ends a job would wait behind this one: better come again than wait for long.
      await tx.query(`SELECT set_config('lock_timeout', '300ms', true)`);
      await tx.query(`DROP TABLE work.${week.name}`);
      await tx.query(`SELECT set_config('role', 'qd_system', true), set_config('qd.tenant', '', true)`);
      await log.append(tx, call, [
        workEvents.make('history.dropped', {
          partition: week.name,
          until: week.until.toISOString(),
          about_jobs: week.about,
        }),
      ]);
      return week;
    });
    if (week !== undefined) announce('work.history_dropped', week.name);
    return week !== undefined;
  } catch (error) {
    if (isAppError(error) && error.code === 'overloaded') return false;
    throw error;
  }
}

// One at a time, on however many engines.
async function findOldWeek(tx: Tx, newest: Date, keepDays: number): Promise<Week | undefined> {
  const [row] = await tx.query<Week>(
    `SELECT w.name, w.until, w.about
     FROM (SELECT c.relname AS name, greatest(c.reltuples, 0)::float8 AS about,
             (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1]::timestamptz AS until
           FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = 'work.ended_jobs'::regclass) w
     WHERE w.until <= least(clock_timestamp(), $2) - make_interval(days => $1) AND w.name ~ '^ended_jobs_[0-9]{4}w[0-9]{2}$'
       AND pg_try_advisory_xact_lock(7310583)
     ORDER BY w.until LIMIT 1`,
    [keepDays, newest],
  );
  return row;
}
