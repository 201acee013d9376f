// What PostgreSQL tells of itself: size, sessions, and the oldest transaction, which keeps readers of the log and the vacuum
// waiting. Asked as owner: the roles of requests may not look at other sessions.
import { type Family, family } from '../metrics/metrics.ts';
import { type Database, ownerScope } from './database.ts';

interface Row {
  readonly size: number;
  readonly sessions: number;
  readonly most_sessions: number;
  readonly oldest: number;
  readonly waiting: number;
}

/** The size of a large database takes long to find out, and changes slowly. */
const SIZE_FRESH_MS = 60_000;
const sizes = new WeakMap<Database, { readonly at: number; readonly bytes: number }>();

export async function measureDatabase(db: Database): Promise<Family[]> {
  const known = sizes.get(db);
  const needsSize = known === undefined || performance.now() - known.at > SIZE_FRESH_MS;
  const [row] = await db.read(ownerScope, (tx) =>
    tx.query<Row>(
      `SELECT CASE WHEN $1 THEN pg_database_size(current_database()) END AS size,
              count(*) FILTER (WHERE backend_type = 'client backend') AS sessions,
              current_setting('max_connections')::int AS most_sessions,
              coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)
                FILTER (WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid())), 0)::float8 AS oldest,
              count(*) FILTER (WHERE datname = current_database() AND wait_event_type = 'Lock') AS waiting
       FROM pg_stat_activity`,
      [needsSize],
    ),
  );
  const { size, sessions, most_sessions, oldest, waiting } = row!;
  const bytes = needsSize ? size : known.bytes;
  if (needsSize) sizes.set(db, { at: performance.now(), bytes });
  return [
    family('quarterdeck_database_size_bytes', 'Size of the database on its disk', 'gauge', bytes),
    family('quarterdeck_database_sessions', 'Sessions of the server, all databases', 'gauge', sessions),
    family(
      'quarterdeck_database_sessions_most',
      'Sessions that the server takes (max_connections)',
      'gauge',
      most_sessions,
    ),
    family(
      'quarterdeck_database_oldest_transaction_seconds',
      'Age of the oldest open transaction of this database; it holds back readers and vacuum',
      'gauge',
      Math.max(0, oldest),
    ),
    family('quarterdeck_database_lock_waits', 'Sessions that wait for a lock', 'gauge', waiting),
  ];
}
