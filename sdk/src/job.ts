// A job in hand, as its handler sees it, and what the handler may throw to say how it ended.
import { QuarterdeckError } from './errors.ts';
import { type ClaimedJob, type HeldJobs, LeaseLost, type Progress } from './held-jobs.ts';
import type { JobCompleteInput } from './operations.ts';
import type { Quarterdeck } from './quarterdeck.ts';
import { Steps } from './steps.ts';

export interface Job extends Omit<ClaimedJob, 'lease' | 'token'> {
  /** Acts as the tenant of the job, while the lease is valid. */
  readonly qd: Quarterdeck;
  /**
   * Fires when the lease is lost (its reason is a LeaseLost: cancelled, out of time, …) or when the worker must leave. Hand
   * it to whatever takes long: `fetch(url, { signal: job.signal })`.
   */
  readonly signal: AbortSignal;
  /**
   * Call it between the steps of long work, and before what must not be done by two. It says that the handler is alive, and
   * throws LeaseLost when the job may be somebody else's.
   */
  keep(): Promise<void>;
  /**
   * A part of the work that is done once: what it gives is kept with the job as JSON, and a further attempt gets it without
   * `work` being called again. The name is the same in every attempt.
   */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** How far the job is, from 0 to 1, in words, or both: shown with the job from the next renewal on. Costs no request. */
  progress(said: Progress): void;
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

/**
 * Thrown by a handler whose provider refuses for so many seconds: the job is tried again after that, and until then nothing
 * else of its channel starts, on no worker.
 */
export class RateLimited extends Error {
  override readonly name = 'RateLimited';
  readonly seconds: number;

  constructor(seconds: number, message = `the provider refuses for ${seconds} s`) {
    super(message);
    this.seconds = seconds;
  }
}

/**
 * Thrown by a handler that will not go on without an operator's decision: the job waits, held by nobody. Once it is approved
 * its next attempt has `job.approval`; keep in a step what it must not find anew.
 */
export class Ask extends Error {
  override readonly name = 'Ask';
  readonly approval: NonNullable<Outcome['approval']>;

  constructor(summary: string, more: Omit<NonNullable<Outcome['approval']>, 'summary'> = {}) {
    super(summary);
    this.approval = { summary, ...more };
  }
}

/** Why the signals of jobs fire when their worker leaves before they are done. */
export class Leaving extends Error {
  override readonly name = 'Leaving';
}

/** How a job ended, as it is reported. */
export type Outcome = JobCompleteInput['jobs'][number];
export type Ending = Omit<Outcome, 'id' | 'lease'>;

/** The server's bound on a result. */
const RESULT_BYTES = 256 * 1024;
const LONGEST_RETRY_SECONDS = 7 * 86_400;
const LONGEST_PAUSE_SECONDS = 86_400;

export function jobInHand(qd: Quarterdeck, claimed: ClaimedJob, held: HeldJobs, signal: AbortSignal): Job {
  const { lease: _, token, ...facts } = claimed;
  // What is done for the job belongs to the trace of who added it.
  const ofJob = qd.withToken(token, claimed.traceparent);
  const steps = new Steps(qd.step, claimed, held);
  return {
    ...facts,
    qd: ofJob,
    signal,
    keep: () => held.keep(claimed),
    step: (name, work) => steps.step(name, work),
    progress: (said) => held.progress(claimed, said),
    async emit(event_type, payload = {}, { once } = {}) {
      held.sign(claimed);
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

/** What the handler's answer says. What is no JSON, or too much of it, fails here, as the handler's fault. */
export function endingOf(result: unknown): Ending {
  if (result === undefined) return { outcome: 'done' };
  const text = JSON.stringify(result) as string | undefined;
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > RESULT_BYTES) throw new GiveUp(`the result has ${bytes} bytes; at most ${RESULT_BYTES} are kept`);
  return { outcome: 'done', result: text === undefined ? undefined : JSON.parse(text) };
}

/** What the handler threw says; undefined when nothing is to be reported, for the job is not ours any more. */
export function failureOf(error: unknown, signal: AbortSignal): Ending | undefined {
  if (error instanceof LeaseLost || signal.reason instanceof LeaseLost) return undefined;
  const text = (error instanceof Error ? error.message : String(error)).slice(0, 8_000);
  if (error instanceof Ask) return { outcome: 'ask', approval: error.approval };
  if (error instanceof GiveUp) return { outcome: 'failed', error: text, retry: false };
  if (error instanceof RateLimited) {
    const seconds = Number.isFinite(error.seconds) ? Math.max(0, error.seconds) : 0;
    return {
      outcome: 'failed',
      error: text,
      retry_in_seconds: Math.min(seconds, LONGEST_RETRY_SECONDS),
      pause_channel_seconds: Math.min(seconds, LONGEST_PAUSE_SECONDS),
    };
  }
  // It was stopped, it has not failed: somebody else may go on with it at once.
  if (signal.aborted) return { outcome: 'failed', error: (signal.reason as Error).message, retry_in_seconds: 0 };
  return { outcome: 'failed', error: text };
}
