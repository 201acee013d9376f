// Ending jobs from outside, adding ended ones once more, and changing those that wait. Each works on named jobs or on
// what a filter finds, at most a thousand in one transaction.
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { findUuid, getUuid, newUuid, wireId } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import type { TenantDirectory } from '../../platform/tenants.ts';
import type { Log } from '../log/index.ts';
import type { Adding } from './adding.ts';
import { findGates, withdraw } from './approvals/approval-store.ts';
import { byTenant, CountSums, nameJob, subjectOf } from './batch.ts';
import type { BatchCounter } from './batches/batch-counter.ts';
import { findJobLimits } from './budgets/budget-store.ts';
import { judgeAnew } from './channels/channel-store.ts';
import type { cancelJobs, changeJob, replayJobs } from './ending-operations.ts';
import { workErrors } from './errors.ts';
import { workEvents } from './events.ts';
import type { FailureReason } from './jobs.ts';
import { findExisting, insertCountChanges } from './read-store.ts';
import * as store from './selection-store.ts';
import type { Tellers } from './settle.ts';
import { copySteps } from './steps/step-store.ts';
import { endJobs } from './store.ts';

export interface CancellingOptions {
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly tenants: TenantDirectory;
  readonly batches: BatchCounter;
  readonly adding: Adding;
}

type Selected = ParsedInput<typeof cancelJobs> | ParsedInput<typeof replayJobs>;

interface Refusal {
  readonly id: string;
  readonly code: string;
}

export class Cancelling {
  readonly #options: CancellingOptions;

  constructor(options: CancellingOptions) {
    this.#options = options;
  }

  /**
   * Ends jobs in any state that is not an end. The lease of one that runs is void from this moment: its worker learns so
   * by its next renewal, and what it still reports is refused.
   */
  async cancel(call: Call, input: ParsedInput<typeof cancelJobs>): Promise<OutputOf<typeof cancelJobs>> {
    const { wakeups } = this.#options;
    const query = await this.#queryOf(call, input);
    return call.write(async (tx) => {
      const found = query === undefined ? undefined : await store.countHot(tx, query);
      const answer = answerOf(input, found);
      if (input.dry_run) return { cancelled: [], ...answer, more: answer.matched > 0 };
      const rows =
        query === undefined
          ? await store.lockHot(tx, namedIds(input.jobs!))
          : await store.lockHotBy(tx, query, input.limit);
      await cancelLocked(tx, call, this.#options, rows, 'cancelled', input.reason);
      if (rows.some((row) => row.channel_id !== null)) tx.afterCommit(() => wakeups.notify('work'));
      const cancelled = rows.map((row) => wireId('job', row.id));
      return {
        cancelled,
        ...answer,
        refused: await refusalsOf(tx, input.jobs, new Set(cancelled), 'work.job_ended'),
        more: found !== undefined && rows.length === input.limit,
      };
    });
  }

  /** What has ended stays ended: a new job with the same payload takes up where the old one failed. */
  async replay(call: Call, input: ParsedInput<typeof replayJobs>): Promise<OutputOf<typeof replayJobs>> {
    const query = await this.#queryOf(call, input);
    return call.write(async (tx) => {
      const found = query === undefined ? undefined : await store.countEnded(tx, query);
      const answer = answerOf(input, found);
      if (input.dry_run) return { replayed: [], ...answer, more: answer.matched > 0 };
      const rows =
        query === undefined
          ? await store.readEnded(tx, namedIds(input.jobs!))
          : await store.readEndedBy(tx, query, input.limit);
      // Two operators who press the same button add each job once.
      await store.lockReplays(tx);
      const replayed = await store.findReplayed(
        tx,
        rows.map((row) => row.id),
      );
      const tooCostly = rows.filter((row) => !replayed.has(row.id) && row.cost > (row.most_cost ?? row.cost));
      const fresh = rows.filter((row) => !replayed.has(row.id) && !tooCostly.includes(row));
      const jobs = fresh.map((row) => ({ ...row, id: newUuid(), replay_of: row.id }));
      const added = new Set<string>();
      const freshIds = fresh.map((row) => row.id);
      const [gates, budgets] = await Promise.all([findGates(tx, freshIds), findJobLimits(tx, freshIds)]);
      for (const [tenantId, ofTenant] of byTenant(jobs)) {
        const again = ofTenant.map((row) => ({
          ...store.newRowOf(row),
          approval: gates.get(row.replay_of),
          budget: budgets.get(row.replay_of),
        }));
        const inserted = await this.#options.adding.insert(tx, call, tenantId, again);
        for (const id of inserted.added.keys()) added.add(id);
      }
      await copySteps(
        tx,
        jobs.filter(({ id }) => added.has(id)).map(({ id, replay_of }) => ({ from: replay_of, to: id })),
      );
      const refuse = (of: readonly { readonly id: string }[], code: string) =>
        of.map(({ id }) => ({ id: wireId('job', id), code }));
      const refused = [
        ...refuse(
          rows.filter((row) => replayed.has(row.id)),
          'work.already_replayed',
        ),
        ...refuse(tooCostly, 'work.cost_above_limit'),
        ...refuse(
          jobs.filter((job) => !added.has(job.id)).map((job) => ({ id: job.replay_of })),
          'work.key_taken',
        ),
      ];
      const dealtWith = new Set(rows.map((row) => wireId('job', row.id)));
      return {
        replayed: jobs
          .filter((job) => added.has(job.id))
          .map((job) => ({ id: wireId('job', job.replay_of), job: wireId('job', job.id) })),
        ...answer,
        refused: [...refused, ...(await refusalsOf(tx, input.jobs, dealtWith, 'work.job_not_ended'))],
        more: found !== undefined && rows.length === input.limit,
      };
    });
  }

  /** Throws `work.job_not_found`, `work.job_ended`, `work.job_running`, `work.attempts_used`. */
  async change(call: Call, input: ParsedInput<typeof changeJob>): Promise<OutputOf<typeof changeJob>> {
    const { log, wakeups } = this.#options;
    const { job, priority, urgent, run_at, max_attempts } = input;
    const id = findUuid('job', job);
    return call.write(async (tx) => {
      const [row] = id === undefined ? [] : await store.lockHot(tx, [id]);
      if (row === undefined) {
        const [ended] = id === undefined ? [] : await findExisting(tx, [id]);
        throw ended === undefined ? workErrors.job_not_found({ job }) : workErrors.job_ended({ job });
      }
      if (row.state === 'running') throw workErrors.job_running({ job });
      if (max_attempts !== undefined && row.attempt >= max_attempts) {
        throw workErrors.attempts_used({ job, attempt: row.attempt, max_attempts });
      }
      const changed = await store.changeJob(tx, row.id, { priority, urgent, run_at, max_attempts });
      judgeAnew(tx, row.channel_id === null ? [] : [row.channel_id]);
      const changes = { priority, urgent, run_at: run_at && changed.run_at.toISOString(), max_attempts };
      await log.append(tx, call, [
        workEvents.make(
          'job.changed',
          { job: nameJob(row), ...changes },
          { subject: `job:${job}`, tenantId: row.tenant_id },
        ),
      ]);
      tx.afterCommit(() => wakeups.notify('work'));
      return { ...changed, id: job, run_at: changed.run_at.toISOString() };
    });
  }

  // Undefined when jobs are named. Throws `invalid_input` unless it is either the one or the other.
  async #queryOf(call: Call, input: Selected): Promise<store.Selection | undefined> {
    if ((input.jobs === undefined) === (input.filter === undefined)) {
      throw platformErrors.invalid_input({
        problem: 'give either `jobs` or a `filter`',
        errors: [{ field: 'jobs', message: 'either `jobs` or `filter`' }],
      });
    }
    if (input.filter === undefined) return undefined;
    const { tenant, ...filter } = input.filter;
    return {
      ...filter,
      tenantId: tenant === undefined ? undefined : await this.#options.tenants.getId(call, tenant),
      upTo: input.up_to === undefined ? undefined : getUuid('job', input.up_to, 'up_to'),
    };
  }
}

/** Ends jobs that this transaction holds locked, counts them and tells of them. */
export async function cancelLocked(
  tx: Tx,
  call: Call,
  { log, batches }: Tellers,
  rows: readonly store.HotRow[],
  reason: Extract<FailureReason, 'cancelled' | 'replaced'>,
  why?: string,
): Promise<void> {
  if (rows.length === 0) return;
  judgeAnew(
    tx,
    rows.flatMap(({ state, channel_id }) => (state === 'running' ? [] : (channel_id ?? []))),
  );
  await endJobs(
    tx,
    rows.map(({ id }) => ({ id, state: 'cancelled', reason, error: why })),
  );
  await withdraw(
    tx,
    rows.filter(({ state }) => state === 'awaiting_approval').map(({ id }) => id),
    call.caller.name,
  );
  const sums = new CountSums();
  for (const row of rows) {
    sums.add(row, 'cancelled');
    batches.count(tx, call, row.batch_id, { cancelled: 1 });
  }
  const events = byTenant(rows).map(([tenantId, ofTenant]) => {
    const jobs = ofTenant.map((row) => ({
      ...nameJob(row),
      state: row.state,
      ...(row.state === 'running' ? { agent: row.agent ?? undefined } : {}),
    }));
    return workEvents.make('job.cancelled', { reason: why ?? reason, jobs }, { subject: subjectOf(jobs), tenantId });
  });
  await Promise.all([insertCountChanges(tx, sums.changes()), log.append(tx, call, events)]);
}

function answerOf(input: Selected, found: store.Found | undefined) {
  const newest = found?.newest ?? null;
  return {
    refused: [] as Refusal[],
    matched: found?.count ?? input.jobs!.length,
    newest: newest === null ? null : wireId('job', newest),
  };
}

function namedIds(jobs: readonly string[]): string[] {
  return [...new Set(jobs.flatMap((job) => findUuid('job', job) ?? []))];
}

// Of the named jobs those that were not dealt with: unknown ones, and ones in the wrong state.
async function refusalsOf(
  tx: Tx,
  jobs: readonly string[] | undefined,
  dealtWith: ReadonlySet<string>,
  otherwise: string,
): Promise<Refusal[]> {
  const left = [...new Set(jobs ?? [])].filter((job) => !dealtWith.has(job));
  if (left.length === 0) return [];
  const known = new Set((await findExisting(tx, namedIds(left))).map((row) => wireId('job', row.id)));
  return left.map((id) => ({ id, code: known.has(id) ? otherwise : 'work.job_not_found' }));
}
