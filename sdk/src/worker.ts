// The loop of a worker: claims jobs, gives each to its handler, keeps the leases, reports the outcomes, and leaves politely.
import { onLeaving } from './environment.ts';
import { QuarterdeckError } from './errors.ts';
import { type ClaimedJob, HeldJobs, LeaseLost } from './held-jobs.ts';
import type { JobCompleteInput } from './operations.ts';
import { Quarterdeck } from './quarterdeck.ts';

/** A job in hand, as its handler sees it. */
export interface Job extends Omit<ClaimedJob, 'lease' | 'token'> {
  /** Acts as the tenant of the job, while the lease is valid. */
  readonly qd: Quarterdeck;
  /** Call it between the steps of long work: it renews the lease and throws LeaseLost when there is none any more. */
  keep(): Promise<void>;
  /**
   * Appends an event about this job. With `once` a further attempt at the job does not append it again: of all events with
   * the same word the first one stays.
   */
  emit(event_type: string, payload?: Readonly<Record<string, unknown>>, options?: { once?: string }): Promise<void>;
}

/** What it returns is the result of the job; what it throws is the reason why the job failed. */
export type Handler = (job: Job) => Promise<unknown>;

/** Thrown by a handler when a further try cannot help: the job ends at once. */
export class GiveUp extends Error {
  override readonly name = 'GiveUp';
}

export interface WorkOptions {
  /** Default: made from the environment. */
  readonly qd?: Quarterdeck | undefined;
  /** Jobs claimed at once, worked on one after the other; default 1. */
  readonly limit?: number | undefined;
  readonly leaseSeconds?: number | undefined;
  /** Ends the work like SIGTERM does; given one, the signals of the process are left alone. */
  readonly signal?: AbortSignal | undefined;
  /** Where lines about the work go; default: the console. */
  readonly log?: ((line: string) => void) | undefined;
}

const LONG_WAIT_SECONDS = 20;
const SHORT_WAIT_SECONDS = 5;
/** How long calls go on trying once the worker was told to leave. */
const LAST_TRIES_MS = 10_000;

/**
 * Works on the queues until it is told to leave: by SIGTERM, by the signal, or by the operator. What was claimed is finished
 * first. `handler` is one for all kinds, or has one for each. Throws QuarterdeckError when the server refuses to give work.
 */
export async function work(
  queues: readonly string[],
  handler: Handler | Readonly<Record<string, Handler>>,
  options: WorkOptions = {},
): Promise<void> {
  const leaving = new AbortController();
  const givingUp = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const leave = () => {
    leaving.abort();
    timer ??= setTimeout(() => givingUp.abort(new Error('told to leave while the server is away')), LAST_TRIES_MS);
  };
  if (options.signal?.aborted) leave();
  options.signal?.addEventListener('abort', leave, { once: true });
  const stopListening = options.signal === undefined ? onLeaving(leave) : () => undefined;
  try {
    await loop({
      qd: options.qd ?? new Quarterdeck(),
      queues,
      handlerOf: (kind) => (typeof handler === 'function' ? handler : handler[kind]),
      limit: options.limit ?? 1,
      leaseSeconds: options.leaseSeconds ?? 60,
      leaving: leaving.signal,
      givingUp: givingUp.signal,
      log: options.log ?? consoleLog,
    });
  } finally {
    clearTimeout(timer);
    stopListening();
    options.signal?.removeEventListener('abort', leave);
  }
}

interface Loop {
  readonly qd: Quarterdeck;
  readonly queues: readonly string[];
  readonly handlerOf: (kind: string) => Handler | undefined;
  readonly limit: number;
  readonly leaseSeconds: number;
  readonly leaving: AbortSignal;
  readonly givingUp: AbortSignal;
  readonly log: (line: string) => void;
}

async function loop(worker: Loop): Promise<void> {
  const { qd, queues, leaving, log } = worker;
  log(`works on ${queues.join(', ')}`);
  while (!leaving.aborted) {
    // When the beat is not sent the wait is short: otherwise the agent would seem busy for all of a long one.
    const wait = qd.beatIsDue ? LONG_WAIT_SECONDS : SHORT_WAIT_SECONDS;
    const desired = await qd.beat('waiting for work');
    if (desired === 'drain' || desired === 'stop') break;
    const claimedAt = performance.now();
    const jobs = await claim(worker, wait);
    const held = new HeldJobs(qd.job, jobs, worker.leaseSeconds, claimedAt);
    for (const job of jobs) if (held.has(job)) await workOn(worker, job, held);
  }
  log('leaves');
}

async function claim({ qd, queues, limit, leaseSeconds, leaving }: Loop, wait: number): Promise<readonly ClaimedJob[]> {
  try {
    const wanted = { queues, limit, wait, lease_seconds: leaseSeconds };
    return (await qd.job.claim(wanted, { signal: leaving, retryForMs: Number.POSITIVE_INFINITY })).jobs;
  } catch (error) {
    if (leaving.aborted) return [];
    throw error;
  }
}

type Outcome = Pick<JobCompleteInput['jobs'][number], 'outcome' | 'result' | 'error' | 'retry'>;

async function workOn(worker: Loop, job: ClaimedJob, held: HeldJobs): Promise<void> {
  const { qd, log } = worker;
  await qd.beat(`${job.kind}, attempt ${job.attempt}`, job.id);
  let outcome: Outcome;
  try {
    await held.keep(job);
    const handler = worker.handlerOf(job.kind);
    if (handler === undefined) throw new GiveUp(`this agent knows no kind "${job.kind}"`);
    const working: Promise<unknown> = handler(jobInHand(qd, job, held));
    const result = await working;
    // What is no JSON fails here, as the handler's fault, and not while it is reported.
    outcome = { outcome: 'done', result: result === undefined ? undefined : JSON.parse(JSON.stringify(result)) };
  } catch (error) {
    if (error instanceof LeaseLost) return log(`${job.id} was lost: ${error.message}`);
    outcome = failure(error);
    log(`${job.id} (${job.kind}) failed: ${outcome.error}`);
  }
  await complete(worker, job, outcome);
  held.forget(job);
}

async function complete(worker: Loop, job: ClaimedJob, outcome: Outcome): Promise<void> {
  const { qd, givingUp, log } = worker;
  try {
    const jobs = [{ id: job.id, lease: job.lease, ...outcome }];
    const { refused } = await qd.job.complete({ jobs }, { signal: givingUp, retryForMs: Number.POSITIVE_INFINITY });
    for (const { id, code } of refused) log(`${id}: the outcome was refused (${code})`);
  } catch (error) {
    // A result that is too large: the job has failed, and its next attempt would too.
    if (!(error instanceof QuarterdeckError && error.status === 413 && outcome.outcome === 'done')) throw error;
    await complete(worker, job, failure(new GiveUp(error.detail)));
  }
}

function jobInHand(qd: Quarterdeck, claimed: ClaimedJob, held: HeldJobs): Job {
  const { lease: _, token, ...facts } = claimed;
  // What is done for the job belongs to the trace of who added it.
  const ofJob = qd.withToken(token, claimed.traceparent);
  return {
    ...facts,
    qd: ofJob,
    keep: () => held.keep(claimed),
    async emit(event_type, payload = {}, { once } = {}) {
      const id = once === undefined ? undefined : `${facts.id}:${once}`;
      try {
        await ofJob.event.append({ event_type, payload, subject: `job:${facts.id}`, id });
      } catch (error) {
        if (once === undefined || !(error instanceof QuarterdeckError && error.code === 'log.event_id_reused'))
          throw error;
      }
    },
  };
}

function failure(error: unknown): Outcome {
  const text = error instanceof Error ? error.message : String(error);
  return { outcome: 'failed', error: text.slice(0, 8_000), retry: !(error instanceof GiveUp) };
}

function consoleLog(line: string): void {
  // biome-ignore lint/suspicious/noConsole: what an agent prints is its console in the control center
  console.log(line);
}
