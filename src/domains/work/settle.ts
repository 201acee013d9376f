// What happens to jobs whose attempt ends: by their worker's report or because it is lost. Both go through here, so that
// the history, the retries, the counts and the events cannot disagree.
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { redact } from '../../platform/logger.ts';
import type { Log } from '../log/index.ts';
import { byTenant, CountSums, nameJob, subjectOf } from './batch.ts';
import type { BatchCounter } from './batches/batch-counter.ts';
import { workEvents } from './events.ts';
import { AVOID_SECONDS, judge, type Outcome, type Verdict } from './jobs.ts';
import type { Artifact } from './new-job.ts';
import { insertCountChanges } from './read-store.ts';
import { type Ending, type EndingRow, endJobs, type Return, returnJobs } from './store.ts';

export interface EndedAttempt {
  /** Locked in this transaction. */
  readonly job: EndingRow;
  readonly outcome: Outcome;
  readonly error?: string | undefined;
  readonly result?: unknown;
  readonly artifacts?: readonly Artifact[] | undefined;
}

interface Judged extends EndedAttempt {
  readonly verdict: Verdict;
}

const ERROR_IN_EVENT = 500;

/** Whom the ends of jobs are told. */
export interface Tellers {
  readonly log: Log;
  readonly batches: BatchCounter;
}

export async function settle(
  tx: Tx,
  call: Call,
  { log, batches }: Tellers,
  attempts: readonly EndedAttempt[],
): Promise<void> {
  if (attempts.length === 0) return;
  const judged = attempts.map(
    (attempt): Judged => ({
      ...attempt,
      // A worker's words may quote a secret of ours.
      error: attempt.error === undefined ? undefined : redact(attempt.error),
      verdict: judge(attempt.job, attempt.outcome, Math.random()),
    }),
  );
  const [, runAt] = await Promise.all([
    endJobs(tx, judged.flatMap(endingOf)),
    returnJobs(tx, judged.flatMap(returnOf)),
  ]);
  for (const { job, verdict } of judged) {
    if (verdict.state === 'done' || verdict.state === 'dead')
      batches.count(tx, call, job.batch_id, { [verdict.state]: 1 });
  }
  const lost = judged.filter(({ outcome }) => outcome.kind === 'lost');
  const reported = judged.filter(({ outcome }) => outcome.kind !== 'lost');
  await Promise.all([
    insertCountChanges(tx, countsOf(judged)),
    log.append(tx, call, [...lostEvents(lost, runAt), ...completedEvents(call.caller.name, reported, runAt)]),
  ]);
}

function endingOf({ job, verdict, error, result, artifacts }: Judged): Ending[] {
  const ending = { id: job.id, result, artifacts };
  if (verdict.state === 'done') return [{ ...ending, state: verdict.state }];
  if (verdict.state === 'dead') return [{ ...ending, state: verdict.state, reason: verdict.reason, error }];
  return [];
}

function returnOf({ job, verdict, error }: Judged): Return[] {
  if (verdict.state !== 'queued' && verdict.state !== 'scheduled') return [];
  return [
    {
      id: job.id,
      state: verdict.state,
      delay_seconds: verdict.state === 'scheduled' ? verdict.delaySeconds : 0,
      avoid_seconds: verdict.reason === 'lost_worker' ? AVOID_SECONDS : 0,
      lost: verdict.reason === 'lost_worker',
      reason: verdict.reason,
      error,
    },
  ];
}

function countsOf(judged: readonly Judged[]) {
  const sums = new CountSums();
  for (const { job, verdict } of judged) {
    if (verdict.state === 'done' || verdict.state === 'dead') sums.add(job, verdict.state);
    if (verdict.state !== 'done') sums.add(job, 'failed_attempts');
  }
  return sums.changes();
}

function completedEvents(agent: string, judged: readonly Judged[], runAt: ReadonlyMap<string, Date>) {
  return perTenant(judged).map(([tenantId, ofTenant]) => {
    const jobs = ofTenant.map(({ job, verdict, error }) => ({
      ...nameJob(job),
      attempt: job.attempt,
      // Only a lost worker's job is queued again at once.
      state: verdict.state as Exclude<Verdict['state'], 'queued'>,
      ...(verdict.state === 'scheduled' ? { run_at: runAt.get(job.id)!.toISOString() } : {}),
      ...(verdict.state === 'done' ? {} : { reason: verdict.reason }),
      ...(error === undefined || verdict.state === 'done' ? {} : { error: error.slice(0, ERROR_IN_EVENT) }),
    }));
    return workEvents.make('job.completed', { agent, jobs }, { subject: subjectOf(jobs), tenantId });
  });
}

function lostEvents(judged: readonly Judged[], runAt: ReadonlyMap<string, Date>) {
  return perTenant(judged).map(([tenantId, ofTenant]) => {
    const jobs = ofTenant.map(({ job, verdict }) => ({
      ...nameJob(job),
      attempt: job.attempt,
      agent: job.agent,
      state: verdict.state as Exclude<Verdict['state'], 'done'>,
      ...(verdict.state === 'scheduled' ? { run_at: runAt.get(job.id)!.toISOString() } : {}),
      reason: verdict.state === 'done' ? '' : verdict.reason,
    }));
    return workEvents.make('job.lost', { jobs }, { subject: subjectOf(jobs), tenantId });
  });
}

function perTenant(judged: readonly Judged[]) {
  return byTenant(judged.map((one) => ({ ...one, tenant_id: one.job.tenant_id })));
}
