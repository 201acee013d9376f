// Group commit: what arrives while one commit is under way is the next one. No timers, so a lone item waits for nothing.
import { platformErrors } from './platform-errors.ts';

export interface GroupCommitOptions {
  /** Most weight in one commit. */
  readonly maxWeight: number;
  /** Most weight waiting; above it submissions are refused as `overloaded`. */
  readonly maxWaiting: number;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly weight: number;
  resolve(result: R): void;
  reject(error: unknown): void;
}

export class GroupCommit<T, R> {
  readonly #commit: (items: T[]) => Promise<R[]>;
  readonly #options: GroupCommitOptions;
  readonly #isShared: (error: unknown) => boolean;
  #queue: Waiting<T, R>[] = [];
  #weight = 0;
  #running = false;

  /**
   * `commit` answers one result per item, in order. When it fails and `isShared` denies that the failure concerns all of
   * them (the database is away), each item is tried alone, so that one bad item spoils no other.
   */
  constructor(
    commit: (items: T[]) => Promise<R[]>,
    isShared: (error: unknown) => boolean,
    options: GroupCommitOptions = { maxWeight: 2_000, maxWaiting: 50_000 },
  ) {
    this.#commit = commit;
    this.#isShared = isShared;
    this.#options = options;
  }

  submit(item: T, weight = 1): Promise<R> {
    if (this.#weight + weight > this.#options.maxWaiting) return Promise.reject(platformErrors.overloaded());
    this.#weight += weight;
    const promise = new Promise<R>((resolve, reject) => this.#queue.push({ item, weight, resolve, reject }));
    if (!this.#running) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    // What is submitted in the same turn of the event loop shares the first commit.
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#settle(this.#takeBatch());
    this.#running = false;
  }

  #takeBatch(): Waiting<T, R>[] {
    let weight = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      if (count > 0 && weight + waiting.weight > this.#options.maxWeight) break;
      weight += waiting.weight;
      count++;
    }
    this.#weight -= weight;
    return this.#queue.splice(0, count);
  }

  async #settle(batch: Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.#commit(batch.map((waiting) => waiting.item));
      for (const [i, waiting] of batch.entries()) waiting.resolve(results[i]!);
    } catch (error) {
      if (batch.length === 1 || this.#isShared(error)) for (const waiting of batch) waiting.reject(error);
      else for (const waiting of batch) await this.#settle([waiting]);
    }
  }
}
