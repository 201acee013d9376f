// What becomes of a job when an attempt ends: pure rules, no SQL, no clock.

/** Most bytes of a payload or a result, as JSON. */
export const PAYLOAD_LIMIT = 256 * 1024;
/** A larger payload is kept out of the row that every claim and renewal rewrites. */
export const INLINE_LIMIT = 2 * 1024;
/** The agent that lost a job does not get it again for so long. */
export const AVOID_SECONDS = 10;

/** So many lost workers, and a job is taken out: it is likely what kills them. */
export const MOST_LOSSES = 3;

const FIRST_BACK_OFF_SECONDS = 5;
const LONGEST_BACK_OFF_SECONDS = 3_600;

/**
 * Why an attempt did not end well, or a job was ended: a fixed vocabulary, which says what to do next. `failed`: the
 * worker said so; read `error`, correct the cause, replay the job. `lost_worker`: its lease ran out; look at the agent.
 * `crashed`: it lost its worker three times; look at the job before replaying it. `timeout`: it ran longer than its
 * max_runtime; raise that, or make the job smaller. `cancelled`: somebody ended it. `replaced`: a newer job with the same
 * unique key took its place. `rejected`: an operator did not approve it, or nobody did in time; read `error`.
 * `budget`: what it may use was used up; raise it, or wait for the next window, and replay the job.
 */
export type FailureReason =
  | 'failed'
  | 'lost_worker'
  | 'crashed'
  | 'timeout'
  | 'cancelled'
  | 'replaced'
  | 'rejected'
  | 'budget';

export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly retry: boolean; readonly retryInSeconds?: number | undefined }
  | { readonly kind: 'lost' }
  /** What it may use is used up. */
  | { readonly kind: 'budget' };

/** A job as its attempt ends. */
export interface EndingAttempt {
  /** Of this attempt; 1 is the first. */
  readonly attempt: number;
  readonly max_attempts: number;
  /** Wait before the second attempt, where the job states one. */
  readonly back_off_seconds: number | null;
  /** How many attempts lost their worker before this one. */
  readonly losses: number;
  /** Its lease ended because the attempt may run no longer. */
  readonly timed_out: boolean;
}

export type Verdict =
  | { readonly state: 'done' }
  | { readonly state: 'dead'; readonly reason: FailureReason }
  | { readonly state: 'scheduled'; readonly reason: FailureReason; readonly delaySeconds: number }
  | { readonly state: 'queued'; readonly reason: FailureReason };

/** `random` in [0, 1) spreads the retries of jobs that failed together. */
export function judge(job: EndingAttempt, outcome: Outcome, random: number): Verdict {
  if (outcome.kind === 'done') return { state: 'done' };
  if (outcome.kind === 'budget') return { state: 'dead', reason: 'budget' };
  const isLost = outcome.kind === 'lost' && !job.timed_out;
  if (isLost && job.losses + 1 >= MOST_LOSSES) return { state: 'dead', reason: 'crashed' };
  const reason = isLost ? 'lost_worker' : outcome.kind === 'lost' ? 'timeout' : 'failed';
  const isLast = job.attempt >= job.max_attempts;
  if (isLast || (outcome.kind === 'failed' && !outcome.retry)) return { state: 'dead', reason };
  if (isLost) return { state: 'queued', reason };
  const asked = outcome.kind === 'failed' ? outcome.retryInSeconds : undefined;
  const first = job.back_off_seconds ?? FIRST_BACK_OFF_SECONDS;
  return { state: 'scheduled', reason, delaySeconds: asked ?? backOffSeconds(job.attempt, random, first) };
}

/** The first wait, then doubled up to an hour (or the first, if that is longer), of which the last half is random. */
export function backOffSeconds(attempt: number, random: number, first: number = FIRST_BACK_OFF_SECONDS): number {
  const full = Math.min(Math.max(first, LONGEST_BACK_OFF_SECONDS), first * 2 ** Math.min(attempt - 1, 20));
  return full * (0.5 + random / 2);
}

export function jsonBytes(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
}
