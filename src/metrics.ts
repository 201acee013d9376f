// The numbers of the whole installation, for /metrics: what is in the database, asked at most once in a few seconds however
// many look. Labels hold queue names, states and parts of the program; never a tenant, an agent or a job.
import { statfs } from 'node:fs/promises';
import type { App } from './app.ts';
import { measureDatabase } from './platform/db/database-metrics.ts';
import { type Family, family, type Reading } from './platform/metrics/metrics.ts';

/** Queues with a series of their own, the fullest first; what the others hold is counted together. */
const MOST_QUEUES = 50;
const FRESH_MS = 5_000;

export class InstallationMetrics {
  readonly #app: App;
  readonly #dataDir: string | undefined;
  readonly #freshMs: number;
  #last: { readonly at: number; readonly families: Promise<Family[]> } | undefined;

  /** `dataDir`: of this machine; undefined where there is none. `freshMs`: for so long an answer of the database is good. */
  constructor(
    app: App,
    { dataDir, freshMs = FRESH_MS }: { dataDir: string | undefined; freshMs?: number | undefined },
  ) {
    this.#app = app;
    this.#dataDir = dataDir;
    this.#freshMs = freshMs;
  }

  /** Rejects while the database is away; the disk is told of all the same by `disk`. */
  database(): Promise<Family[]> {
    const now = performance.now();
    if (this.#last === undefined || now - this.#last.at > this.#freshMs) {
      const families = this.#ask();
      this.#last = { at: now, families };
      families.catch(() => {
        this.#last = undefined;
      });
    }
    return this.#last.families;
  }

  async disk(): Promise<Family[]> {
    if (this.#dataDir === undefined) return [];
    const { bsize, bavail, blocks } = await statfs(this.#dataDir);
    return [
      family('quarterdeck_data_free_bytes', 'Room left where the data directory lies', 'gauge', bsize * bavail),
      family('quarterdeck_data_size_bytes', 'Size of the file system of the data directory', 'gauge', bsize * blocks),
    ];
  }

  async #ask(): Promise<Family[]> {
    const { db, work, fleet, log } = this.#app;
    const call = this.#app.systemCall();
    const [jobs, { agents, needs }, position, facts] = await Promise.all([
      work.summary(call, {}),
      fleet.status(call, {}),
      log.position(call),
      measureDatabase(db),
    ]);
    const urgent = needs.filter(({ severity }) => severity === 'error').length;
    return [
      family('quarterdeck_jobs', 'Jobs that have not ended, by queue and state', 'gauge', jobReadings(jobs.queues)),
      family('quarterdeck_jobs_scheduled', 'Jobs that wait for their time', 'gauge', jobs.scheduled),
      family(
        'quarterdeck_oldest_queued_job_seconds',
        'For how long the job that waits longest could have run; 0 when none waits',
        'gauge',
        jobs.oldest_queued_seconds ?? 0,
      ),
      family('quarterdeck_jobs_ended_last_hour', 'Jobs that ended within the last hour, by outcome', 'gauge', [
        { labels: { outcome: 'done' }, value: jobs.done_1h },
        { labels: { outcome: 'dead' }, value: jobs.dead_1h },
      ]),
      family(
        'quarterdeck_job_attempts_failed_last_hour',
        'Attempts within the last hour that failed or whose lease ran out',
        'gauge',
        jobs.failed_attempts_1h,
      ),
      family(
        'quarterdeck_agents',
        'Agents by state',
        'gauge',
        Object.entries(agents.by_state).map(([state, value]) => ({ labels: { state }, value })),
      ),
      family('quarterdeck_needs', 'What waits for the operator and is serious', 'gauge', urgent),
      family(
        'quarterdeck_log_events_total',
        'Numbers drawn for events since the log began; a transaction that was rolled back leaves a gap',
        'counter',
        position.last,
      ),
      family(
        'quarterdeck_log_unreadable_events',
        'Events that readers do not see yet because an older transaction is open',
        'gauge',
        Math.max(0, position.last - position.seq),
      ),
      ...facts,
    ];
  }
}

interface QueueRow {
  readonly queue: string;
  readonly queued: number;
  readonly running: number;
}

export function jobReadings(queues: readonly QueueRow[]): Reading[] {
  const fullest = [...queues].sort((a, b) => b.queued + b.running - (a.queued + a.running));
  const rest = fullest.slice(MOST_QUEUES);
  const sum = (what: 'queued' | 'running') => rest.reduce((total, row) => total + row[what], 0);
  // A queue's name begins with a letter or digit, so none can be called like this.
  const shown =
    rest.length === 0
      ? queues
      : [...fullest.slice(0, MOST_QUEUES), { queue: '_others', queued: sum('queued'), running: sum('running') }];
  return shown.flatMap(({ queue, queued, running }) => [
    { labels: { queue, state: 'queued' }, value: queued },
    { labels: { queue, state: 'running' }, value: running },
  ]);
}
