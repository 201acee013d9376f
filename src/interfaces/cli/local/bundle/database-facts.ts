// How the database is: sizes, ages and counts, and of rows only in which state they are.
import { Database, fleetScope, ownerScope, type Scope } from '../../../../platform/db/database.ts';
import { layoutOf } from '../../../../platform/db/embedded/layout.ts';
import { readPidFile } from '../../../../platform/db/embedded/pid-file.ts';
import { ownerUrlOf } from '../../../../platform/db/embedded/provision.ts';
import { ownerSecretFile, readSecret } from '../../../../platform/db/embedded/secrets.ts';

interface Question {
  readonly name: string;
  readonly scope: Scope;
  readonly text: string;
}

const LIMIT_MS = 5_000;

const questions: readonly Question[] = [
  {
    name: 'server',
    scope: ownerScope,
    text: `SELECT version() AS version, pg_postmaster_start_time() AS started_at, pg_is_in_recovery() AS in_recovery,
      pg_database_size(current_database()) AS bytes, now() AS now`,
  },
  {
    name: 'settings',
    scope: ownerScope,
    // Paths, commands and conninfos say more than how the server is set.
    text: `SELECT name, setting, unit, source FROM pg_settings
      WHERE source NOT IN ('default', 'override') AND vartype <> 'string' OR name IN ('server_version', 'wal_level', 'TimeZone')
      ORDER BY name`,
  },
  {
    name: 'migrations',
    scope: ownerScope,
    text: 'SELECT number, name, left(checksum, 12) AS checksum, applied_at FROM platform.migrations ORDER BY number',
  },
  {
    name: 'tables',
    scope: ownerScope,
    text: `SELECT s.schemaname AS schema, s.relname AS table, pg_total_relation_size(s.relid) AS bytes, s.n_live_tup AS rows,
        s.n_dead_tup AS dead_rows, s.last_autovacuum, s.last_autoanalyze, s.seq_scan, s.idx_scan
      FROM pg_stat_user_tables s ORDER BY 3 DESC LIMIT 200`,
  },
  {
    name: 'connections',
    scope: ownerScope,
    text: `SELECT application_name, state, wait_event_type, count(*) FROM pg_stat_activity
      WHERE datname = current_database() GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 100`,
  },
  {
    name: 'oldest-transactions',
    scope: ownerScope,
    text: `SELECT pid, application_name, state, wait_event_type, wait_event, xact_start,
        extract(epoch FROM now() - xact_start)::int AS seconds
      FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 20`,
  },
  {
    name: 'waiting-for-locks',
    scope: ownerScope,
    text: `SELECT pid, pg_blocking_pids(pid) AS blocked_by, application_name, wait_event, state FROM pg_stat_activity
      WHERE cardinality(pg_blocking_pids(pid)) > 0 LIMIT 50`,
  },
  { name: 'jobs', scope: fleetScope, text: 'SELECT state, count(*) FROM work.jobs GROUP BY state ORDER BY state' },
  {
    name: 'ended-jobs',
    scope: fleetScope,
    text: `SELECT state, count(*) FROM work.ended_jobs WHERE ended_at > now() - interval '1 day'
      GROUP BY state ORDER BY state`,
  },
  {
    name: 'agents',
    scope: fleetScope,
    text: 'SELECT desired, count(*) FROM fleet.agents GROUP BY desired ORDER BY desired',
  },
  {
    name: 'problem-events',
    scope: fleetScope,
    // Only types of our own: those that agents chose may be anything.
    text: `SELECT e.event_type, count(*), min(e.at) AS first_at, max(e.at) AS last_at
      FROM (SELECT event_type, at FROM log.event_log ORDER BY seq DESC LIMIT 20000) e
      JOIN log.reserved_event_types r USING (event_type)
      WHERE e.event_type ~ '(failed|lost|dead|denied|refused|exited|crash|silent|late|ended|low|expired|stopped)'
      GROUP BY e.event_type ORDER BY 2 DESC LIMIT 200`,
  },
];

export interface Asked {
  readonly name: string;
  /** Rows, or why there are none. */
  readonly rows?: readonly unknown[];
  readonly problem?: string;
}

/** The address of the embedded server as it runs now; undefined when it does not. */
export function embeddedUrl(dataDir: string): string | undefined {
  const layout = layoutOf(dataDir);
  const password = readSecret(ownerSecretFile(layout.secrets));
  const port = readPidFile(layout.cluster)?.port;
  return password === undefined || port === undefined ? undefined : ownerUrlOf(port, password);
}

/** Asks one question after the other; one that fails or takes too long is left out, and says why. */
export async function askDatabase(url: string): Promise<Asked[]> {
  const database = new Database({ url, connections: 1, name: 'bundle', statementLimitMs: LIMIT_MS });
  const answers: Asked[] = [];
  try {
    for (const { name, scope, text } of questions) {
      // One that does not say its version says nothing else, and each question would take its time to find that out.
      if (answers[0]?.problem !== undefined) {
        answers.push({ name, problem: 'not asked, for the database does not answer' });
        continue;
      }
      try {
        const rows = await database.read(scope, (tx) => tx.query(text));
        answers.push({ name, rows });
      } catch (error) {
        answers.push({ name, problem: problemOf(error) });
      }
    }
  } finally {
    await database.close();
  }
  return answers;
}

function problemOf(error: unknown): string {
  const { code, message, cause } = error as { code?: string; message?: string; cause?: { message?: string } };
  return [code, message, cause?.message].filter((part) => part !== undefined).join(': ');
}
