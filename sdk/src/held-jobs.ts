// The jobs of which a worker has the lease. One request renews all of them, sent by the work itself: who hangs loses them.
import { QuarterdeckError } from './errors.ts';
import type { JobClaimOutput, JobOperations } from './operations.ts';

export type ClaimedJob = JobClaimOutput['jobs'][number];

/** Thrown to a handler: its job may be somebody else's by now, so it stops without an outcome. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export class HeldJobs {
  readonly #operations: Pick<JobOperations, 'renew'>;
  readonly #leaseSeconds: number;
  readonly #jobs: Map<string, ClaimedJob>;
  #renewedAt: number;

  /** `claimedAt`: when the claim was sent, by the clock of `performance.now()`. */
  constructor(
    operations: Pick<JobOperations, 'renew'>,
    jobs: readonly ClaimedJob[],
    leaseSeconds: number,
    claimedAt: number,
  ) {
    this.#operations = operations;
    this.#leaseSeconds = leaseSeconds;
    this.#jobs = new Map(jobs.map((job) => [job.id, job]));
    this.#renewedAt = claimedAt;
  }

  has(job: ClaimedJob): boolean {
    return this.#jobs.has(job.id);
  }

  forget(job: ClaimedJob): void {
    this.#jobs.delete(job.id);
  }

  /** Renews all leases when a quarter of their time is over. Throws LeaseLost when that of `job` is gone. */
  async keep(job: ClaimedJob): Promise<void> {
    const age = performance.now() - this.#renewedAt;
    let reason = 'its lease was lost before';
    if (this.has(job)) {
      if (age < this.#leaseSeconds * 250) return;
      reason = await this.#renew(job, this.#leaseSeconds * 1000 - age);
    }
    if (!this.has(job)) throw new LeaseLost(`${job.id}: ${reason}`);
  }

  // Tries for as long as the leases can still be valid; after that nothing may be done in their name.
  async #renew(job: ClaimedJob, leftMs: number): Promise<string> {
    const jobs = [...this.#jobs.values()].map(({ id, lease }) => ({ id, lease }));
    const sentAt = performance.now();
    try {
      const { lost } = await this.#operations.renew(
        { jobs, lease_seconds: this.#leaseSeconds },
        { retryForMs: Math.max(0, leftMs), timeoutMs: Math.max(1_000, Math.min(30_000, leftMs)) },
      );
      this.#renewedAt = sentAt;
      for (const { id } of lost) this.#jobs.delete(id);
      return lost.find(({ id }) => id === job.id)?.reason ?? '';
    } catch (error) {
      if (!(error instanceof QuarterdeckError && error.retryable)) throw error;
      this.#jobs.clear();
      return 'the server was away for longer than the lease';
    }
  }
}
