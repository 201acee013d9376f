// Adding jobs: checks, channels, lanes, unique keys.
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { newUuid, wireId } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { FLEET_TENANT } from '../../platform/tenants.ts';
import type { Access } from '../access/index.ts';
import type { Log } from '../log/index.ts';
import { type Asking, DETAILS_LIMIT, noteAsked } from './approvals/approvals.ts';
import { CountSums, subjectOf } from './batch.ts';
import type { BatchCounter } from './batches/batch-counter.ts';
import { insertJobLimits } from './budgets/budget-store.ts';
import { limitsOf } from './budgets/budgets.ts';
import { cancelLocked } from './cancelling.ts';
import { type ChannelRow, findChannels, judgeAnew } from './channels/channel-store.ts';
import { workErrors } from './errors.ts';
import { workEvents } from './events.ts';
import { INLINE_LIMIT, jsonBytes, PAYLOAD_LIMIT } from './jobs.ts';
import { type AfterJob, DEFAULT_PRIORITY, type NewJobInput, newJob } from './new-job.ts';
import type { addJobs } from './operations.ts';
import { findByKeys, insertCountChanges, type JobState } from './read-store.ts';
import { lockWaitingByKeys } from './selection-store.ts';
import { type AddedRow, ensureLanes, insertJobs, type LaneName, laneKey, type NewJobRow } from './store.ts';

export interface AddingOptions {
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly access: Access;
  readonly batches: BatchCounter;
}

export interface Existing {
  readonly id: string;
  readonly state: JobState;
}

export interface Inserted {
  /** By id. */
  readonly added: ReadonlyMap<string, AddedRow>;
  /** By unique key. */
  readonly existing: ReadonlyMap<string, Existing>;
}

const RACE_TRIES = 5;

export class Adding {
  readonly #options: AddingOptions;
  /** Ids of lanes by tenant and laneKey: lanes are never removed. */
  readonly #lanes = new Map<string, number>();

  constructor(options: AddingOptions) {
    this.#options = options;
  }

  async add(call: Call, input: ParsedInput<typeof addJobs>): Promise<OutputOf<typeof addJobs>> {
    const wanted = oneOrMany(input);
    for (const [index, job] of wanted.entries()) checkPayload(job, index);
    const tenantId = await this.#options.access.tenants.home(call, input.tenant, 'default');
    return call.write(async (tx) => ({ jobs: await this.addAll(tx, call, tenantId, wanted) }));
  }

  /** Adds jobs as somebody outside asked for them; answers each. Throws `work.key_taken` besides what `check` throws. */
  async addAll(
    tx: Tx,
    call: Call,
    tenantId: string,
    wanted: readonly NewJobInput[],
    more: Pick<NewJobRow, 'batch_id'> = {},
  ): Promise<OutputOf<typeof addJobs>['jobs']> {
    if (wanted.length === 0) return [];
    refuseUrgent(call, wanted);
    const { jobs, added, existing } = await this.addIn(tx, call, tenantId, wanted, more);
    refuseDuplicates(wanted, jobs, existing);
    return jobs.map((job) => answerOf(job, added, existing));
  }

  /**
   * Makes sure that a job can be added later, under other locks, without waiting for anybody. Throws what `check` throws.
   */
  async prepare(tx: Tx, call: Call, tenantId: string, job: AfterJob): Promise<void> {
    refuseUrgent(call, [wantedOf(job)]);
    const channels = await this.check(tx, tenantId, [wantedOf(job)]);
    const queue = job.queue ?? job.kind;
    const lanes = [...channels.values()].map((channel) => ({ queue, channel_id: channel.id }));
    await this.#lanesOf(tx, tenantId, [...lanes, { queue, channel_id: undefined }]);
  }

  /** Adds a job that was prepared, whatever became of its channel since: nothing may stop it. Answers its id. */
  async addAfter(tx: Tx, call: Call, tenantId: string, job: AfterJob): Promise<string> {
    const channels = await findChannels(tx, job.channel === undefined ? [] : [job.channel], [tenantId, FLEET_TENANT]);
    const [channel] = channels.values();
    const row = { ...toRow(wantedOf(job), channel), cost: Math.min(job.cost, smallestLimit(channel)) };
    await this.insert(tx, call, tenantId, [row]);
    return row.id;
  }

  /** Throws what keeps these jobs from being added: `work.payload_too_large`, `work.channel_not_found`, `work.cost_above_limit`. */
  async check(tx: Tx, tenantId: string, wanted: readonly NewJobInput[]): Promise<ReadonlyMap<string, ChannelRow>> {
    const names = [...new Set(wanted.flatMap((job) => job.channel ?? []))];
    const channels = await findChannels(tx, names, [tenantId, FLEET_TENANT]);
    for (const [index, job] of wanted.entries()) {
      checkPayload(job, index);
      channelOf(job, index, channels);
    }
    return channels;
  }

  /** Adds jobs in a transaction that does more. */
  async addIn(
    tx: Tx,
    call: Call,
    tenantId: string,
    wanted: readonly NewJobInput[],
    more: Pick<NewJobRow, 'schedule' | 'batch_id'> = {},
  ): Promise<Inserted & { readonly jobs: readonly NewJobRow[] }> {
    const channels = await this.check(tx, tenantId, wanted);
    const jobs = wanted.map((job, index) => ({ ...toRow(job, channelOf(job, index, channels)), ...more }));
    await this.#replace(tx, call, tenantId, wanted);
    return { jobs, ...(await this.insert(tx, call, tenantId, jobs)) };
  }

  /** Adds jobs, counts them and tells of them; those whose unique key is taken are answered as they are. */
  async insert(tx: Tx, call: Call, tenantId: string, jobs: readonly NewJobRow[]): Promise<Inserted> {
    const { log, wakeups } = this.#options;
    const of = { tenantId, createdBy: call.caller.name, lanes: await this.#lanesOf(tx, tenantId, jobs) };
    const inserted = await insertOrFind(tx, of, jobs);
    const fresh = jobs.filter((job) => inserted.added.has(job.id));
    if (fresh.length === 0) return inserted;
    const sums = new CountSums();
    for (const { queue, batch_id } of fresh) {
      sums.add({ tenant_id: tenantId, queue }, 'added');
      this.#options.batches.count(tx, call, batch_id, { total: 1 });
    }
    await Promise.all([
      insertCountChanges(tx, sums.changes()),
      log.append(tx, call, [addedEvent(tenantId, fresh, inserted.added)]),
    ]);
    await insertJobLimits(
      tx,
      fresh.flatMap(({ id, budget }) => (budget === undefined ? [] : [{ ...budget, job_id: id, tenant_id: tenantId }])),
    );
    await noteAsked(
      tx,
      call,
      log,
      fresh.flatMap((job) => askingOf(tenantId, job)),
    );
    judgeAnew(
      tx,
      fresh.flatMap((job) => (job.urgent || job.priority < DEFAULT_PRIORITY ? (job.channel_id ?? []) : [])),
    );
    tx.afterCommit(() => wakeups.notify('work'));
    return inserted;
  }

  // A waiting job with the same key makes room for the new one; one that runs is left alone and answered.
  async #replace(tx: Tx, call: Call, tenantId: string, wanted: readonly NewJobInput[]): Promise<void> {
    const keys = wanted.flatMap(({ unique_key, on_duplicate }) =>
      unique_key !== undefined && on_duplicate === 'replace' ? [unique_key] : [],
    );
    if (keys.length === 0) return;
    const waiting = await lockWaitingByKeys(tx, tenantId, keys);
    await cancelLocked(tx, call, this.#options, waiting, 'replaced');
  }

  async #lanesOf(tx: Tx, tenantId: string, jobs: readonly LaneName[]): Promise<ReadonlyMap<string, number>> {
    const lanes = new Map<string, number>();
    const missing = new Map<string, LaneName>();
    for (const job of jobs) {
      const key = laneKey(job);
      const id = this.#lanes.get(`${tenantId}/${key}`);
      if (id === undefined) missing.set(key, job);
      else lanes.set(key, id);
    }
    if (missing.size > 0) {
      const found = await ensureLanes(tx, tenantId, [...missing.values()]);
      for (const [key, id] of found) lanes.set(key, id);
      // Only what is committed is remembered: a lane of a transaction that failed does not exist.
      tx.afterCommit(() => {
        for (const [key, id] of found) this.#lanes.set(`${tenantId}/${key}`, id);
      });
    }
    return lanes;
  }
}

// Throws `work.channel_not_found`, `work.cost_above_limit`.
function channelOf(job: NewJobInput, index: number, channels: ReadonlyMap<string, ChannelRow>): ChannelRow | undefined {
  if (job.channel === undefined) return undefined;
  const channel = channels.get(job.channel);
  if (channel === undefined) throw workErrors.channel_not_found({ channel: job.channel });
  const smallest = smallestLimit(channel);
  if (job.cost > smallest) throw workErrors.cost_above_limit({ index, limit: smallest, channel: job.channel });
  return channel;
}

function smallestLimit(channel: ChannelRow | undefined): number {
  return Math.min(...(channel?.limits ?? []).map(({ limit }) => limit));
}

function wantedOf(job: AfterJob): NewJobInput {
  return { ...job, unique_key: undefined, run_at: undefined, on_duplicate: 'ignore' };
}

// Throws `work.key_taken`; nothing of the call is kept then.
function refuseDuplicates(
  wanted: readonly NewJobInput[],
  jobs: readonly NewJobRow[],
  existing: ReadonlyMap<string, Existing>,
): void {
  for (const [index, { on_duplicate, unique_key }] of wanted.entries()) {
    const found = on_duplicate === 'reject' ? existing.get(unique_key ?? '') : undefined;
    if (found !== undefined && jobs[index]!.id !== found.id) {
      throw workErrors.key_taken({ key: unique_key, job: wireId('job', found.id) });
    }
  }
}

// A job with the key may end between the insert that met it and the look for it: then the insert is tried again.
async function insertOrFind(
  tx: Tx,
  of: Parameters<typeof insertJobs>[1],
  jobs: readonly NewJobRow[],
): Promise<Inserted> {
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
      channel: job.channel,
      ...(job.urgent ? { urgent: true } : {}),
      ...(job.schedule === undefined ? {} : { schedule: job.schedule }),
      ...(job.batch_id === undefined ? {} : { batch: wireId('bat', job.batch_id) }),
      ...(job.replay_of === undefined ? {} : { replay_of: wireId('job', job.replay_of) }),
    };
  });
  return workEvents.make('job.added', { jobs }, { subject: subjectOf(jobs), tenantId });
}

function askingOf(tenantId: string, { approval, ...job }: NewJobRow): Asking[] {
  if (approval === undefined) return [];
  return [{ job: { ...job, tenant_id: tenantId, attempt: 0 }, payload: job.payload, request: approval }];
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

// Throws `work.urgent_denied`: what comes before the turns of all tenants is not for one of them to say.
function refuseUrgent(call: Call, wanted: readonly NewJobInput[]): void {
  if (call.scope.kind === 'fleet' || call.caller.abilities.has('work:write')) return;
  const index = wanted.findIndex(({ urgent }) => urgent);
  if (index >= 0) throw workErrors.urgent_denied({ index });
}

// Throws `work.payload_too_large`, `work.details_too_large`.
function checkPayload(job: NewJobInput, index: number): void {
  if (jsonBytes(job.payload) > PAYLOAD_LIMIT) throw workErrors.payload_too_large({ index, limit: PAYLOAD_LIMIT });
  if (jsonBytes(job.approval?.details) > DETAILS_LIMIT) {
    throw workErrors.details_too_large({ job: index, limit: DETAILS_LIMIT });
  }
}

function toRow(job: NewJobInput, channel: ChannelRow | undefined): NewJobRow {
  return {
    id: newUuid(),
    queue: job.queue ?? job.kind,
    kind: job.kind,
    priority: job.priority,
    payload: job.payload,
    large: jsonBytes(job.payload) > INLINE_LIMIT,
    // What lies before 1970 is as due as 1970 is, and the database knows no year 0.
    run_at: job.run_at === undefined ? undefined : new Date(Math.max(0, Date.parse(job.run_at))).toISOString(),
    unique_key: job.unique_key,
    max_attempts: job.max_attempts,
    channel_id: channel?.id,
    channel: channel?.name,
    cost: job.cost,
    urgent: job.urgent,
    max_runtime_seconds: job.max_runtime_seconds,
    back_off_seconds: job.back_off_seconds,
    approval: job.approval,
    budget: job.budget === undefined ? undefined : limitsOf(job.budget),
  };
}
