// The jobs of which a worker has the lease. One request renews all of them, sent by the worker's own loop: who blocks it
// loses them, and so does a handler that gives no sign for too long.
import { QuarterdeckError } from './errors.ts';
import type { JobClaimOutput, JobOperations, JobRenewInput } from './operations.ts';

export type ClaimedJob = JobClaimOutput['jobs'][number];
export type Progress = NonNullable<JobRenewInput['jobs'][number]['progress']>;

/**
 * Why a job's signal fires, and what is thrown to its handler: the job may be somebody else's by now, so it stops without an
 * outcome. `reason`: what the server said (`expired`, `taken`, `ended`, `timeout`, `cancelled`, `budget`, …), `stalled` when
 * the handler gave no sign for too long, or `away` when the server was gone for longer than the lease.
 */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
  readonly reason: string;

  constructor(job: string, reason: string) {
    super(`${job}: ${SAID[reason] ?? reason}`);
    this.reason = reason;
  }
}

const SAID: Readonly<Record<string, string>> = {
  away: 'the server was away for longer than the lease',
  stalled: 'its handler gave no sign for too long',
};

export interface HeldJobsOptions {
  readonly operations: Pick<JobOperations, 'renew'>;
  readonly leaseSeconds: number;
  /** How long a job is kept whose handler gives no sign. */
  readonly stallSeconds: number;
  readonly log: (line: string) => void;
}

/** The server's bound on a message. */
const MOST_MESSAGE = 500;

interface Hold {
  readonly job: ClaimedJob;
  readonly controller: AbortController;
  /** No renewal goes beyond: the end of its `max_runtime`. */
  readonly endsAt: number;
  renewedAt: number;
  /** When its handler last gave a sign; infinity once it has ended and the outcome waits to be heard. */
  signAt: number;
  stalled: boolean;
  /** What its handler said and no renewal has carried yet. */
  progress?: Progress | undefined;
}

export class HeldJobs {
  readonly #options: HeldJobsOptions;
  readonly #leaseMs: number;
  readonly #holds = new Map<string, Hold>();
  #renewing: Promise<void> | undefined;

  constructor(options: HeldJobsOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseSeconds * 1000;
  }

  get size(): number {
    return this.#holds.size;
  }

  /** Whether there are jobs in hand, and not one of them gives a sign any more. */
  get allStalled(): boolean {
    return this.#holds.size > 0 && [...this.#holds.values()].every(({ stalled }) => stalled);
  }

  /** `claimedAt`: when the claim was sent, by the clock of `performance.now()`. Answers the signal of the job. */
  add(job: ClaimedJob, claimedAt: number): AbortSignal {
    const controller = new AbortController();
    const endsAt = claimedAt + this.#leaseMs + runtimeBeyondLeaseMs(job);
    const hold = { job, controller, endsAt, renewedAt: claimedAt, signAt: performance.now(), stalled: false };
    this.#holds.set(job.id, hold);
    return controller.signal;
  }

  has(job: ClaimedJob): boolean {
    return this.#holds.has(job.id);
  }

  forget(job: Pick<ClaimedJob, 'id'>): void {
    this.#holds.delete(job.id);
  }

  /** The handler is alive. */
  sign(job: ClaimedJob): void {
    const hold = this.#holds.get(job.id);
    if (hold === undefined) return;
    hold.signAt = Math.max(hold.signAt, performance.now());
    hold.stalled = false;
  }

  /** How far the handler says to be; goes with the next renewal. */
  progress(job: ClaimedJob, { fraction, message }: Progress): void {
    this.sign(job);
    const hold = this.#holds.get(job.id);
    if (hold === undefined) return;
    hold.progress = {
      ...(fraction === undefined || Number.isNaN(fraction) ? {} : { fraction: Math.min(1, Math.max(0, fraction)) }),
      ...(message === undefined ? {} : { message: message.slice(0, MOST_MESSAGE) }),
    };
  }

  /** The handler has ended: the lease is kept until the outcome is heard. */
  finished(job: ClaimedJob): void {
    const hold = this.#holds.get(job.id);
    if (hold !== undefined) hold.signAt = Number.POSITIVE_INFINITY;
  }

  /** Fires all signals, for who leaves. The jobs stay held until their outcomes are heard. */
  abortAll(reason: Error): void {
    for (const { controller } of this.#holds.values()) controller.abort(reason);
  }

  /** Asks before a step that must not be done by two: throws LeaseLost when the lease of `job` may not be valid any more. */
  async keep(job: ClaimedJob): Promise<void> {
    this.sign(job);
    const hold = this.#holds.get(job.id);
    if (hold !== undefined && this.#isDue(hold)) await this.renew();
    hold?.controller.signal.throwIfAborted();
    if (hold === undefined || !this.#holds.has(job.id)) throw new LeaseLost(job.id, 'ended');
    if (performance.now() >= hold.renewedAt + this.#leaseMs) throw new LeaseLost(job.id, 'away');
  }

  /** Renews what is due; to be called again and again. Rejects when the server refuses to speak to this worker at all. */
  async tick(): Promise<void> {
    const now = performance.now();
    for (const hold of this.#holds.values()) {
      if (now >= hold.endsAt) this.#lose(hold, 'timeout');
      else if (now - hold.signAt > this.#options.stallSeconds * 1000) this.#stall(hold, now);
    }
    if ([...this.#holds.values()].some((hold) => this.#isDue(hold))) await this.renew();
  }

  /** One request for all that give signs. One that gets no answer changes nothing: the server says later what is lost. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renewAll().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  #isDue(hold: Hold): boolean {
    return !hold.stalled && performance.now() - hold.renewedAt >= this.#leaseMs / 4;
  }

  #stall(hold: Hold, now: number): void {
    if (!hold.stalled) this.#options.log(`${hold.job.id} gives no sign: its lease is not renewed any more`);
    hold.stalled = true;
    if (now >= hold.renewedAt + this.#leaseMs) this.#lose(hold, 'stalled');
  }

  async #renewAll(): Promise<void> {
    const holds = [...this.#holds.values()].filter(({ stalled }) => !stalled);
    if (holds.length === 0) return;
    const jobs = holds.map(({ job: { id, lease }, progress }) => ({ id, lease, progress }));
    const said = new Map(jobs.map(({ id, progress }) => [id, progress]));
    const sentAt = performance.now();
    try {
      const { renewed, lost } = await this.#options.operations.renew(
        { jobs, lease_seconds: this.#options.leaseSeconds },
        { retryForMs: 0, timeoutMs: Math.max(1_000, Math.min(10_000, this.#leaseMs / 2)) },
      );
      const isRenewed = new Set(renewed.map(({ id }) => id));
      const reasons = new Map(lost.map(({ id, reason }) => [id, reason]));
      for (const hold of holds) {
        if (isRenewed.has(hold.job.id)) {
          hold.renewedAt = sentAt;
          if (hold.progress === said.get(hold.job.id)) hold.progress = undefined;
        }
        const reason = reasons.get(hold.job.id);
        if (reason !== undefined) this.#lose(hold, reason);
      }
    } catch (error) {
      if (!(error instanceof QuarterdeckError && error.retryable)) throw error;
    }
  }

  #lose(hold: Hold, reason: string): void {
    this.#holds.delete(hold.job.id);
    hold.controller.abort(new LeaseLost(hold.job.id, reason));
  }
}

// Both moments are by the server's clock, so that the one here need not agree with it. When the runtime ends with the lease
// or before it, how long that is stays unknown, and the server says it.
function runtimeBeyondLeaseMs(job: ClaimedJob): number {
  if (job.run_until === null || job.run_until === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(0, Date.parse(job.run_until) - Date.parse(job.lease_until));
}
