// Hearing how jobs ended, from those who hold them; everybody else is refused and changes nothing.
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { findUuid } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import type { Log } from '../log/index.ts';
import { type Approvals, DETAILS_LIMIT } from './approvals/approvals.ts';
import { subjectOf } from './batch.ts';
import type { BatchCounter } from './batches/batch-counter.ts';
import { type Budgets, USED_UP } from './budgets/budgets.ts';
import { HELD_BACK, holdBack } from './channels/channel-store.ts';
import { workEvents } from './events.ts';
import type { LeaseGrace } from './grace.ts';
import { jsonBytes, PAYLOAD_LIMIT } from './jobs.ts';
import type { completeJobs } from './operations.ts';
import { findExisting } from './read-store.ts';
import { type EndedAttempt, settle } from './settle.ts';
import { type EndingRow, lockHeld } from './store.ts';

type Report = ParsedInput<typeof completeJobs>['jobs'][number] & { readonly uuid: string | undefined };

interface Refusal {
  readonly id: string;
  readonly code: string;
  /** Undefined when the job is unknown to the caller: then it is told in the caller's own tenant. */
  readonly tenantId: string | undefined;
}

/** A channel may be the fleet's: the word of one tenant's worker holds all others back for so long at most. */
const LONGEST_BY_TENANT_SECONDS = 600;

export interface CompletingOptions {
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly batches: BatchCounter;
  readonly approvals: Approvals;
  readonly budgets: Budgets;
  readonly grace: () => LeaseGrace;
}

export class Completing {
  readonly #options: CompletingOptions;

  constructor(options: CompletingOptions) {
    this.#options = options;
  }

  /** Each report is judged alone: one that is refused spoils no other. */
  async complete(call: Call, input: ParsedInput<typeof completeJobs>): Promise<OutputOf<typeof completeJobs>> {
    const { log, grace, approvals, budgets } = this.#options;
    const reports = input.jobs.map((job): Report => ({ ...job, uuid: findUuid('job', job.id) }));
    const agentId = call.caller.kind === 'agent' ? call.caller.id : null;
    const tooLarge = new Map(reports.flatMap((report) => tooLargeOf(report)));
    const candidates = firstOfEach(reports.filter((report) => !tooLarge.has(report)));
    return call.write(async (tx) => {
      const locked = await lockHeld(tx, [...candidates.values()].map(holdOf), agentId, grace());
      const held = new Map(locked.map((row) => [row.id, row]));
      const isAccepted = (report: Report) =>
        report.uuid !== undefined && candidates.get(report.uuid) === report && held.has(report.uuid);
      const accepted = reports.filter(isAccepted);
      const refused = await refusals(
        tx,
        reports.filter((report) => !isAccepted(report)),
        tooLarge,
      );
      const jobOf = ({ uuid }: Report) => held.get(uuid!)!;
      const used = accepted.map((report) => ({ job: jobOf(report), usage: report.usage }));
      const over = await budgets.report(tx, call, used);
      const isAsking = ({ outcome, uuid }: Report) => outcome === 'ask' && !over.has(uuid!);
      const ending = accepted.filter((report) => !isAsking(report));
      await settle(
        tx,
        call,
        this.#options,
        ending.map((report) => attemptOf(report, jobOf(report), over.has(report.uuid!))),
      );
      await approvals.suspend(
        tx,
        call,
        accepted.filter(isAsking).map((report) => ({ job: jobOf(report), request: report.approval! })),
      );
      await this.#pauseChannels(tx, call, accepted, held);
      // A slot of a channel is free: whoever waits for one may have it.
      if (locked.some((row) => row.channel_id !== null)) tx.afterCommit(() => this.#options.wakeups.notify('work'));
      await log.append(tx, call, refusedEvents(call.caller.name, refused));
      return {
        accepted: accepted.map((report) => report.id),
        refused: refused.map(({ id, code }) => ({ id, code })),
      };
    });
  }

  // What a provider told the worker holds for everybody on the channel, also when it is one of the fleet.
  async #pauseChannels(
    tx: Tx,
    call: Call,
    accepted: readonly Report[],
    held: ReadonlyMap<string, EndingRow>,
  ): Promise<void> {
    const longest = new Map<number, { seconds: number; tenantId: string }>();
    for (const { uuid, pause_channel_seconds: seconds = 0 } of accepted) {
      const { channel_id, tenant_id: tenantId } = held.get(uuid!)!;
      if (channel_id === null || seconds <= (longest.get(channel_id)?.seconds ?? 0)) continue;
      longest.set(channel_id, { seconds, tenantId });
    }
    for (const [id, { seconds, tenantId }] of [...longest].sort(([a], [b]) => a - b)) {
      const most = call.scope.kind === 'tenant' ? LONGEST_BY_TENANT_SECONDS : seconds;
      const paused = await holdBack(tx, id, Math.min(seconds, most), call.caller.name);
      if (paused === undefined) continue;
      const payload = { channel: paused.name, reason: HELD_BACK, until: paused.paused_until.toISOString() };
      const subject = `channel:${paused.name}`;
      await this.#options.log.append(tx, call, [workEvents.make('channel.paused', payload, { subject, tenantId })]);
    }
  }
}

function tooLargeOf(report: Report): [Report, string][] {
  if (jsonBytes(report.result) > PAYLOAD_LIMIT) return [[report, 'work.result_too_large']];
  return jsonBytes(report.approval?.details) > DETAILS_LIMIT ? [[report, 'work.details_too_large']] : [];
}

// The same job twice in one request: the first report counts.
function firstOfEach(reports: readonly Report[]): Map<string, Report> {
  const first = new Map<string, Report>();
  for (const report of reports) {
    if (report.uuid !== undefined && !first.has(report.uuid)) first.set(report.uuid, report);
  }
  return first;
}

function holdOf(report: Report) {
  return { id: report.uuid!, lease: report.lease };
}

// What is done is done, whatever it cost; else a job that has used up its budget is not tried again.
function attemptOf(report: Report, job: EndingRow, isOver: boolean): EndedAttempt {
  const { retry, retry_in_seconds: retryInSeconds, error, result, artifacts } = report;
  if (report.outcome === 'done') return { job, outcome: { kind: 'done' }, error, result, artifacts };
  if (isOver) return { job, outcome: { kind: 'budget' }, error: error ?? USED_UP, result, artifacts };
  return { job, outcome: { kind: 'failed', retry, retryInSeconds }, error, result, artifacts };
}

async function refusals(tx: Tx, reports: readonly Report[], tooLarge: ReadonlyMap<Report, string>): Promise<Refusal[]> {
  const existing = await findExisting(
    tx,
    reports.flatMap(({ uuid }) => uuid ?? []),
  );
  const tenantOf = new Map(existing.map((row) => [row.id, row.tenant_id]));
  return reports.map((report) => {
    const tenantId = report.uuid === undefined ? undefined : tenantOf.get(report.uuid);
    const known = tenantId === undefined ? 'work.job_not_found' : 'work.stale_lease';
    return { id: report.id, code: tooLarge.get(report) ?? known, tenantId };
  });
}

function refusedEvents(agent: string, refused: readonly Refusal[]) {
  return [...Map.groupBy(refused, ({ tenantId }) => tenantId)].map(([tenantId, ofTenant]) => {
    const jobs = ofTenant.map(({ id, code }) => ({ id, code }));
    return workEvents.make('completion.refused', { agent, jobs }, { subject: subjectOf(jobs), tenantId });
  });
}
