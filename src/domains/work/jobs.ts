// What becomes of a job when an attempt ends: pure rules, no SQL, no clock.

/** Most bytes of a payload or a result, as JSON. */
export const PAYLOAD_LIMIT = 256 * 1024;
/** A larger payload is kept out of the row that every claim and renewal rewrites. */
export const INLINE_LIMIT = 2 * 1024;
/** The agent that lost a job does not get it again for so long. */
export const AVOID_SECONDS = 10;

const FIRST_BACK_OFF_SECONDS = 5;
const LONGEST_BACK_OFF_SECONDS = 3_600;

/**
 * Why an attempt did not end well: a fixed vocabulary, which says what to do next. `failed`: the worker said so; read
 * `error`, correct the cause, add the job again. `lost_worker`: its lease ran out; look at the agent.
 */
type FailureReason = 'failed' | 'lost_worker';

export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly retry: boolean }
  | { readonly kind: 'lost' };

/** A job as its attempt ends. */
export interface EndingAttempt {
  /** Of this attempt; 1 is the first. */
  readonly attempt: number;
  readonly max_attempts: number;
}

export type Verdict =
  | { readonly state: 'done' }
  | { readonly state: 'dead'; readonly reason: FailureReason }
  | { readonly state: 'scheduled'; readonly reason: FailureReason; readonly delaySeconds: number }
  | { readonly state: 'queued'; readonly reason: FailureReason };

/** `random` in [0, 1) spreads the retries of jobs that failed together. */
export function judge(job: EndingAttempt, outcome: Outcome, random: number): Verdict {
  if (outcome.kind === 'done') return { state: 'done' };
  const reason = outcome.kind === 'lost' ? 'lost_worker' : 'failed';
  const isLast = job.attempt >= job.max_attempts;
  if (isLast || (outcome.kind === 'failed' && !outcome.retry)) return { state: 'dead', reason };
  if (outcome.kind === 'lost') return { state: 'queued', reason };
  return { state: 'scheduled', reason, delaySeconds: backOffSeconds(job.attempt, random) };
}

/** 5 s, 10 s, 20 s … up to an hour, of which the last half is random. */
export function backOffSeconds(attempt: number, random: number): number {
  const full = Math.min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS * 2 ** Math.min(attempt - 1, 20));
  return full * (0.5 + random / 2);
}

export function jsonBytes(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
}
