// The steps of a job in hand: parts whose results are kept with the job, so that a further attempt need not do them again.
import { QuarterdeckError } from './errors.ts';
import { type ClaimedJob, type HeldJobs, LeaseLost } from './held-jobs.ts';
import type { StepOperations } from './operations.ts';

export class Steps {
  readonly #operations: Pick<StepOperations, 'listAll' | 'store'>;
  readonly #job: ClaimedJob;
  readonly #held: HeldJobs;
  #kept: Promise<Map<string, unknown>> | undefined;

  constructor(operations: Pick<StepOperations, 'listAll' | 'store'>, job: ClaimedJob, held: HeldJobs) {
    this.#operations = operations;
    this.#job = job;
    this.#held = held;
  }

  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const kept = await this.#known();
    if (!kept.has(name)) {
      await this.#held.keep(this.#job);
      kept.set(name, await this.#store(name, await work()));
    }
    return kept.get(name) as T;
  }

  // Asked for once, with the first step.
  #known(): Promise<Map<string, unknown>> {
    this.#kept ??= this.#load().catch((error: unknown) => {
      this.#kept = undefined;
      throw error;
    });
    return this.#kept;
  }

  async #load(): Promise<Map<string, unknown>> {
    const kept = new Map<string, unknown>();
    for await (const { step, result } of this.#operations.listAll({ job: this.#job.id })) kept.set(step, result);
    return kept;
  }

  // As it is kept, so that this attempt sees what the next one would.
  async #store(step: string, result: unknown): Promise<unknown> {
    const { id: job, lease } = this.#job;
    try {
      return (await this.#operations.store({ job, step, lease, result: result ?? null })).result;
    } catch (error) {
      if (error instanceof QuarterdeckError && error.code === 'work.stale_lease') throw new LeaseLost(job, 'taken');
      throw error;
    }
  }
}
