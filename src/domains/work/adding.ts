// Adding jobs: checks, lanes, unique keys.
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { newUuid, wireId } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import type { Access } from '../access/index.ts';
import type { Log } from '../log/index.ts';
import { CountSums, subjectOf } from './batch.ts';
import { workErrors } from './errors.ts';
import { workEvents } from './events.ts';
import { INLINE_LIMIT, jsonBytes, PAYLOAD_LIMIT } from './jobs.ts';
import { type addJobs, type NewJobInput, newJob } from './operations.ts';
import { findByKeys, insertCountChanges, type JobState } from './read-store.ts';
import { type AddedRow, ensureLanes, insertJobs, type NewJobRow } from './store.ts';

export interface AddingOptions {
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly access: Access;
}

interface Existing {
  readonly id: string;
  readonly state: JobState;
}

const RACE_TRIES = 5;

export class Adding {
  readonly #options: AddingOptions;
  /** Ids of lanes by tenant and queue: lanes are never removed. */
  readonly #lanes = new Map<string, number>();

  constructor(options: AddingOptions) {
    this.#options = options;
  }

  async add(call: Call, input: ParsedInput<typeof addJobs>): Promise<OutputOf<typeof addJobs>> {
    const jobs = oneOrMany(input).map(toRow);
    const { access, log, wakeups } = this.#options;
    const tenantId = await access.tenants.home(call, input.tenant, 'default');
    return call.write(async (tx) => {
      const lanes = await this.#lanesOf(tx, tenantId, new Set(jobs.map((job) => job.queue)));
      const of = { tenantId, createdBy: call.caller.name, lanes };
      const { added, existing } = await insertOrFind(tx, of, jobs);
      if (added.size > 0) {
        const fresh = jobs.filter((job) => added.has(job.id));
        const sums = new CountSums();
        for (const { queue } of fresh) sums.add({ tenant_id: tenantId, queue }, 'added');
        await Promise.all([
          insertCountChanges(tx, sums.changes()),
          log.append(tx, call, [addedEvent(tenantId, fresh, added)]),
        ]);
        tx.afterCommit(() => wakeups.notify('work'));
      }
      return { jobs: jobs.map((job) => answerOf(job, added, existing)) };
    });
  }

  async #lanesOf(tx: Tx, tenantId: string, queues: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const lanes = new Map<string, number>();
    const missing: string[] = [];
    for (const queue of queues) {
      const id = this.#lanes.get(`${tenantId}/${queue}`);
      if (id === undefined) missing.push(queue);
      else lanes.set(queue, id);
    }
    if (missing.length > 0) {
      const found = await ensureLanes(tx, tenantId, missing);
      for (const [queue, id] of found) lanes.set(queue, id);
      // Only what is committed is remembered: a lane of a transaction that failed does not exist.
      tx.afterCommit(() => {
        for (const [queue, id] of found) this.#lanes.set(`${tenantId}/${queue}`, id);
      });
    }
    return lanes;
  }
}

// A job with the key may end between the insert that met it and the look for it: then the insert is tried again.
async function insertOrFind(
  tx: Tx,
  of: Parameters<typeof insertJobs>[1],
  jobs: readonly NewJobRow[],
): Promise<{ added: Map<string, AddedRow>; existing: Map<string, Existing> }> {
  const added = new Map<string, AddedRow>();
  const existing = new Map<string, Existing>();
  let left = jobs;
  for (let attempt = 1; left.length > 0; attempt++) {
    if (attempt > RACE_TRIES) throw platformErrors.conflict();
    for (const row of await insertJobs(tx, of, left)) added.set(row.id, row);
    left = left.filter((job) => !added.has(job.id));
    if (left.length === 0) break;
    const keys = left.flatMap((job) => job.unique_key ?? []);
    for (const row of await findByKeys(tx, of.tenantId, keys)) existing.set(row.unique_key, row);
    left = left.filter((job) => !existing.has(job.unique_key!));
  }
  return { added, existing };
}

function answerOf(
  job: NewJobRow,
  added: ReadonlyMap<string, AddedRow>,
  existing: ReadonlyMap<string, Existing>,
): OutputOf<typeof addJobs>['jobs'][number] {
  const row = added.get(job.id);
  if (row !== undefined) return { id: wireId('job', row.id), state: row.state, existing: false };
  const { id, state } = existing.get(job.unique_key!)!;
  return { id: wireId('job', id), state, existing: true };
}

function addedEvent(tenantId: string, fresh: readonly NewJobRow[], added: ReadonlyMap<string, AddedRow>) {
  const jobs = fresh.map((job) => {
    const { state, run_at } = added.get(job.id)!;
    return {
      id: wireId('job', job.id),
      kind: job.kind,
      queue: job.queue,
      state,
      priority: job.priority,
      max_attempts: job.max_attempts,
      run_at: run_at.toISOString(),
      unique_key: job.unique_key,
    };
  });
  return workEvents.make('job.added', { jobs }, { subject: subjectOf(jobs), tenantId });
}

function oneOrMany(input: ParsedInput<typeof addJobs>): NewJobInput[] {
  const { jobs, tenant: _, ...one } = input;
  const single = Object.values(one).some((value) => value !== undefined);
  if (jobs !== undefined && !single) return jobs;
  if (jobs === undefined && one.kind !== undefined) return [newJob.parse(one)];
  throw platformErrors.invalid_input({
    problem: 'give either `jobs` or the fields of one job',
    errors: [{ field: jobs === undefined ? 'kind' : 'jobs', message: 'either `jobs` or one job' }],
  });
}

// Throws `work.payload_too_large`.
function toRow(job: NewJobInput, index: number): NewJobRow {
  const bytes = jsonBytes(job.payload);
  if (bytes > PAYLOAD_LIMIT) throw workErrors.payload_too_large({ index, limit: PAYLOAD_LIMIT });
  return {
    id: newUuid(),
    queue: job.queue ?? job.kind,
    kind: job.kind,
    priority: job.priority,
    payload: job.payload,
    large: bytes > INLINE_LIMIT,
    // What lies before 1970 is as due as 1970 is, and the database knows no year 0.
    run_at: job.run_at === undefined ? undefined : new Date(Math.max(0, Date.parse(job.run_at))).toISOString(),
    unique_key: job.unique_key,
    max_attempts: job.max_attempts,
  };
}
