// The verbs of work: add jobs, hand them out, hear how they ended, take back what was lost.
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import { type Database, fleetScope, type Tx } from '../../platform/db/database.ts';
import { findUuid, getUuid, wireId } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import { FLEET_TENANT, type TenantDirectory } from '../../platform/tenants.ts';
import type { Access, FindJobHolder } from '../access/index.ts';
import type { Log } from '../log/index.ts';
import { Adding } from './adding.ts';
import { Approvals } from './approvals/approvals.ts';
import { byTenant, nameJob, subjectOf } from './batch.ts';
import { BatchCounter } from './batches/batch-counter.ts';
import { Batches } from './batches/batches.ts';
import { findJobUsage } from './budgets/budget-store.ts';
import { Budgets, jobUsageOf } from './budgets/budgets.ts';
import { Cancelling } from './cancelling.ts';
import { Channels } from './channels/channels.ts';
import { Claims, type IsPaused } from './claims.ts';
import { Completing } from './completing.ts';
import { applyWork } from './declared.ts';
import { workErrors } from './errors.ts';
import { workEvents } from './events.ts';
import { GRACE_SECONDS, type LeaseGrace, leaseGrace } from './grace.ts';
import type { DeclaredWork } from './manifest.ts';
import type { addJobs, claimJobs, completeJobs, JobItem, listJobs, renewJobs, showJob, summary } from './operations.ts';
import * as reading from './read-store.ts';
import { Schedules } from './schedules/schedules.ts';
import { settle, type Tellers } from './settle.ts';
import { Steps } from './steps/steps.ts';
import * as store from './store.ts';

export interface WorkOptions {
  readonly db: Database;
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly access: Access;
  readonly tenants: TenantDirectory;
  /** How long after an outage nobody is declared lost. */
  readonly graceSeconds?: number;
  /** Told of how long each claim took, and of the leases that ran out: for those who count. */
  readonly claimTook?: (ms: number) => void;
  readonly leasesExpired?: (count: number) => void;
}

const BATCH = 500;
const MOST_DEAD = 100;

export class Work {
  readonly approvals: Approvals;
  readonly budgets: Budgets;
  readonly channels: Channels;
  readonly cancelling: Cancelling;
  readonly schedules: Schedules;
  readonly batches: Batches;
  readonly steps: Steps;
  readonly #options: WorkOptions;
  readonly #tellers: Tellers;
  readonly #adding: Adding;
  readonly #claims: Claims;
  readonly #completing: Completing;
  readonly #stopListening: () => void;

  constructor(options: WorkOptions) {
    this.#options = options;
    const batches = new BatchCounter({ log: options.log, addAfter: (...job) => this.#adding.addAfter(...job) });
    const told = { ...options, batches };
    this.#tellers = told;
    this.#adding = new Adding(told);
    this.#claims = new Claims(options);
    this.approvals = new Approvals(told);
    this.budgets = new Budgets(told);
    this.#completing = new Completing({
      ...told,
      approvals: this.approvals,
      budgets: this.budgets,
      grace: () => this.#grace(),
    });
    this.channels = new Channels(options);
    this.cancelling = new Cancelling({ ...told, adding: this.#adding });
    this.batches = new Batches({ ...told, adding: this.#adding });
    this.steps = new Steps({ log: options.log, grace: () => this.#grace() });
    this.schedules = new Schedules({ ...options, adding: this.#adding });
    this.#stopListening = options.wakeups.on('work', () => this.#claims.waiting.wake());
  }

  /** The fleet room is to the right of this one, so it says here how a pause is looked up. */
  usePauses(isPaused: IsPaused): void {
    this.#claims.usePauses(isPaused);
  }

  /** Makes channels and schedules what the operator's file says of them. */
  apply(call: Call, declared: DeclaredWork, declarer: string): Promise<void> {
    const { tenants } = this.#options;
    return applyWork({ tenants, channels: this.channels, schedules: this.schedules }, call, declared, declarer);
  }

  /** For the fleet room: which of these agents work, however quiet they are. */
  busyAgents(tx: Tx, agentIds: readonly string[]): Promise<ReadonlySet<string>> {
    return reading.findBusy(tx, agentIds);
  }

  /** For the access room: who may use a job's token. */
  readonly findJobHolder: FindJobHolder = async (jobUuid, hash) => {
    const row = await this.#options.db.read(fleetScope, (tx) => store.findHolder(tx, jobUuid, hash, this.#grace()));
    if (row === undefined) return undefined;
    return { jobId: wireId('job', jobUuid), tenantId: row.tenant_id, agentId: row.agent_id };
  };

  add(call: Call, input: ParsedInput<typeof addJobs>): Promise<OutputOf<typeof addJobs>> {
    return this.#adding.add(call, input);
  }

  claim(call: Call, input: ParsedInput<typeof claimJobs>): Promise<OutputOf<typeof claimJobs>> {
    return this.#claims.claim(call, input);
  }

  complete(call: Call, input: ParsedInput<typeof completeJobs>): Promise<OutputOf<typeof completeJobs>> {
    return this.#completing.complete(call, input);
  }

  async renew(call: Call, input: ParsedInput<typeof renewJobs>): Promise<OutputOf<typeof renewJobs>> {
    const asked = input.jobs.map((job) => ({ ...job, uuid: findUuid('job', job.id) }));
    const holds = asked.flatMap(({ uuid, lease, progress, usage }) =>
      uuid === undefined ? [] : [{ id: uuid, lease, progress, usage }],
    );
    const agentId = call.caller.kind === 'agent' ? call.caller.id : null;
    return call.write(async (tx) => {
      const grace = this.#grace();
      const over = await this.budgets.reportHeld(tx, call, holds, grace);
      const rows = await store.renew(tx, holds, agentId, input.lease_seconds, grace, over);
      const stopped = new Set(rows.filter(({ reason }) => reason === 'budget').map(({ id }) => id));
      await this.budgets.stop(
        tx,
        call,
        holds.filter(({ id }) => stopped.has(id)),
        grace,
      );
      const renewed = rows.flatMap(({ id, lease_until }) =>
        lease_until === null ? [] : [{ id: wireId('job', id), lease_until: lease_until.toISOString() }],
      );
      const lost = rows.flatMap(({ id, reason }) => (reason === null ? [] : [{ id: wireId('job', id), reason }]));
      const unknown = asked.filter(({ uuid }) => uuid === undefined).map(({ id }) => ({ id, reason: 'ended' }));
      return { renewed, lost: [...lost, ...unknown] };
    });
  }

  async list(call: Call, input: ParsedInput<typeof listJobs>): Promise<OutputOf<typeof listJobs>> {
    const { tenants, log } = this.#options;
    const tenantId = input.tenant === undefined ? undefined : await tenants.getId(call, input.tenant);
    const before = input.after === undefined ? undefined : getUuid('job', input.after, 'after');
    const batchId = input.batch === undefined ? undefined : getUuid('bat', input.batch, 'batch');
    const as_of = await log.asOf(call);
    const rows = await call.read((tx) => reading.listJobs(tx, { ...input, tenantId, before, batchId }));
    const slugs = await tenants.slugs(rows.map((row) => row.tenant_id));
    return {
      items: rows.map((row) => jobItem(row, slugs)),
      next_cursor: rows.length === input.limit ? wireId('job', rows.at(-1)!.id) : null,
      as_of,
    };
  }

  async show(call: Call, job: string): Promise<OutputOf<typeof showJob>> {
    const id = findUuid('job', job);
    const found =
      id === undefined ? [] : await call.read((tx) => Promise.all([reading.findJob(tx, id), findJobUsage(tx, id)]));
    const [row, usage] = found;
    if (row === undefined) throw workErrors.job_not_found({ job });
    const slugs = await this.#options.tenants.slugs([row.tenant_id]);
    return {
      ...jobItem(row, slugs),
      payload: row.payload,
      result: row.result,
      artifacts: [...(row.artifacts ?? [])],
      usage: usage === undefined ? null : jobUsageOf(usage),
    };
  }

  async summary(call: Call, input: ParsedInput<typeof summary>): Promise<OutputOf<typeof summary>> {
    const { tenants, log } = this.#options;
    const tenantId = input.tenant === undefined ? undefined : await tenants.getId(call, input.tenant);
    const as_of = await log.asOf(call);
    const { queues, recent } = await call.read(async (tx) => {
      const [queues, recent] = await Promise.all([
        reading.countBacklog(tx, tenantId),
        reading.countRecent(tx, tenantId, 60),
      ]);
      return { queues, recent };
    });
    const total = (what: 'queued' | 'scheduled' | 'running') => queues.reduce((sum, queue) => sum + queue[what], 0);
    const waits = queues.flatMap((queue) => queue.oldest_queued_seconds ?? []);
    return {
      queued: total('queued'),
      scheduled: total('scheduled'),
      running: total('running'),
      done_1h: recent.done,
      dead_1h: recent.dead,
      failed_attempts_1h: recent.failed_attempts,
      oldest_queued_seconds: waits.length === 0 ? null : Math.max(...waits),
      queues: queues.map(({ queue, queued, running }) => ({ queue, queued, running })),
      pauses: await this.channels.listPauses(call, tenantId),
      as_of,
    };
  }

  /** Jobs given up within the last hour, newest first: they want the operator. */
  async listDead(call: Call, tenantId: string | undefined): Promise<JobItem[]> {
    const rows = await call.read((tx) => reading.listDead(tx, tenantId, MOST_DEAD));
    const slugs = await this.#options.tenants.slugs(rows.map((row) => row.tenant_id));
    return rows.map((row) => jobItem(row, slugs));
  }

  /** Queues scheduled jobs that have become due; true when there may be more. */
  async queueDue(call: Call): Promise<boolean> {
    const { log, wakeups } = this.#options;
    return call.write(async (tx) => {
      const rows = await store.queueDue(tx, BATCH);
      if (rows.length === 0) return false;
      await log.append(
        tx,
        call,
        byTenant(rows).map(([tenantId, ofTenant]) => {
          const jobs = ofTenant.map(nameJob);
          return workEvents.make('job.due', { jobs }, { subject: subjectOf(jobs), tenantId });
        }),
      );
      tx.afterCommit(() => wakeups.notify('work'));
      return rows.length === BATCH;
    });
  }

  /** Takes back jobs whose lease has run out; true when there may be more. */
  async rescue(call: Call): Promise<boolean> {
    const { wakeups } = this.#options;
    return call.write(async (tx) => {
      const rows = await store.lockExpired(tx, BATCH, this.#grace());
      if (rows.length === 0) return false;
      await settle(
        tx,
        call,
        this.#tellers,
        rows.map((job) => ({ job, outcome: { kind: 'lost' } })),
      );
      tx.afterCommit(() => {
        this.#options.leasesExpired?.(rows.length);
        wakeups.notify('work');
      });
      return rows.length === BATCH;
    });
  }

  /** Ends waiting claims with an empty answer. */
  stop(): void {
    this.#stopListening();
    this.#claims.waiting.close();
  }

  #grace(): LeaseGrace {
    return leaseGrace(this.#options.db.availability, this.#options.graceSeconds ?? GRACE_SECONDS);
  }
}

function jobItem(row: reading.JobRow, slugs: ReadonlyMap<string, string>): JobItem {
  return {
    id: wireId('job', row.id),
    kind: row.kind,
    queue: row.queue,
    tenant: slugs.get(row.tenant_id) ?? (row.tenant_id === FLEET_TENANT ? 'fleet' : row.tenant_id),
    state: row.state,
    priority: row.priority,
    attempt: row.attempt,
    max_attempts: row.max_attempts,
    run_at: row.run_at.toISOString(),
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    started_at: row.started_at?.toISOString() ?? null,
    ended_at: row.ended_at?.toISOString() ?? null,
    agent: row.agent,
    lease_until: row.lease_until?.toISOString() ?? null,
    reason: row.reason,
    error: row.error,
    channel: row.channel,
    cost: row.cost,
    urgent: row.urgent,
    max_runtime_seconds: row.max_runtime_seconds,
    replay_of: row.replay_of === null ? null : wireId('job', row.replay_of),
    batch: row.batch_id === null ? null : wireId('bat', row.batch_id),
    progress: row.progress,
    schedule: row.schedule,
    version: row.version,
  };
}
