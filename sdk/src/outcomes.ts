// How finished jobs are reported: collected for a moment, sent together, and kept until the server has heard them; in a
// file too when there is one, so that they survive the death of the worker.
import { randomKey } from './connection.ts';
import { QuarterdeckError } from './errors.ts';
import type { Outcome } from './job.ts';
import type { JobOperations } from './operations.ts';
import { pause } from './retry.ts';

/** Where outcomes wait beside the memory; `openOutcomes` of `@quarterdeck/sdk/outbox` makes one in a file. */
export interface OutcomeStore {
  /** What an earlier worker left. */
  readonly left: readonly Outcome[];
  /** Resolves when it is kept. */
  append(outcome: Outcome): Promise<void>;
  /** The first so many were heard. */
  heard(count: number): Promise<void>;
  close(): Promise<void>;
}

export interface OutcomesOptions {
  readonly operations: Pick<JobOperations, 'complete'>;
  readonly store: OutcomeStore | undefined;
  readonly log: (line: string) => void;
  /** The server has judged it. */
  readonly heard: (outcome: Outcome) => void;
  /** The server refuses to speak to this worker at all. */
  readonly failed: (error: unknown) => void;
}

const COLLECT_MS = 5;
/** So many of the largest results fit into one request. */
const BATCH = 50;
/** One call tries for so long, then the next begins: the pauses stay short, for a server that is back waits 15 s for us. */
const TRY_FOR_MS = 8_000;

export class Outcomes {
  readonly #options: OutcomesOptions;
  readonly #closing = new AbortController();
  #unsent: Unsent[];
  #sending: Promise<void> | undefined;

  constructor(options: OutcomesOptions) {
    this.#options = options;
    this.#unsent = (options.store?.left ?? []).map((outcome) => ({ outcome, isStored: true }));
    if (this.#unsent.length > 0) {
      options.log(`${this.#unsent.length} outcomes of an earlier run are still to be reported`);
      this.#wake();
    }
  }

  get waiting(): number {
    return this.#unsent.length;
  }

  /** Resolves when the outcome is kept. It is sent behind the caller's back. */
  async report(outcome: Outcome): Promise<void> {
    await this.#keep(outcome);
    this.#wake();
  }

  /** Tries for so long to have everything heard; answers how many were not. */
  async close(ms: number): Promise<number> {
    const timer = setTimeout(() => this.#closing.abort(), ms);
    while (this.#unsent.length > 0 && !this.#closing.signal.aborted) await this.#sending;
    clearTimeout(timer);
    this.#closing.abort();
    return this.#unsent.length;
  }

  #wake(): void {
    if (this.#sending !== undefined || this.#closing.signal.aborted) return;
    this.#sending = this.#send().then(
      () => {
        this.#sending = undefined;
        // What came in the moment between the last look and now.
        if (this.#unsent.length > 0) this.#wake();
      },
      (error: unknown) => {
        if (this.#closing.signal.aborted) return;
        this.#closing.abort();
        this.#options.failed(error);
      },
    );
  }

  async #send(): Promise<void> {
    const { signal } = this.#closing;
    await pause(COLLECT_MS, signal);
    for (let singly = 0; this.#unsent.length > 0; singly--) {
      const batch = this.#unsent.slice(0, singly > 0 ? 1 : BATCH).map(({ outcome }) => outcome);
      try {
        await this.#sendBatch(batch, signal);
      } catch (error) {
        if (!isAboutContent(error)) throw error;
        // One by one, to find the bad one.
        if (batch.length > 1) singly = batch.length + 1;
        else await this.#replace(batch[0]!, error.detail);
      }
    }
  }

  async #sendBatch(batch: readonly Outcome[], signal: AbortSignal): Promise<void> {
    // By one key the tries are one, also when an answer was lost.
    const idempotencyKey = randomKey();
    for (;;) {
      try {
        const options = { signal, retryForMs: TRY_FOR_MS, idempotencyKey };
        const { refused } = await this.#options.operations.complete({ jobs: [...batch] }, options);
        return await this.#judged(batch, new Map(refused.map(({ id, code }) => [id, code])));
      } catch (error) {
        if (!(error instanceof QuarterdeckError && error.retryable)) throw error;
      }
    }
  }

  async #judged(batch: readonly Outcome[], refused: ReadonlyMap<string, string>): Promise<void> {
    for (const outcome of batch) {
      const code = refused.get(outcome.id);
      if (code === 'work.result_too_large') await this.#instead(outcome, 'the result is too large');
      else {
        if (code !== undefined) this.#options.log(`${outcome.id}: the outcome was refused (${code})`);
        this.#options.heard(outcome);
      }
    }
    await this.#drop(batch.length);
  }

  // The server will never take this one: the job has failed, and says why. If it does not take that either, it is let go.
  async #replace(outcome: Outcome, why: string): Promise<void> {
    if (outcome.outcome === 'done') await this.#instead(outcome, why);
    else {
      this.#options.log(`${outcome.id}: the outcome was refused (${why})`);
      this.#options.heard(outcome);
    }
    await this.#drop(1);
  }

  async #instead({ id, lease }: Outcome, error: string): Promise<void> {
    this.#options.log(`${id} failed: ${error}`);
    const outcome: Outcome = { id, lease, outcome: 'failed', error, retry: false };
    await this.#keep(outcome);
  }

  // A disk that is full does not take the outcome from the server.
  async #keep(outcome: Outcome): Promise<void> {
    const { store, log } = this.#options;
    let isStored = false;
    try {
      await store?.append(outcome);
      isStored = store !== undefined;
    } catch (error) {
      log(`${outcome.id}: the outcome is kept in memory only (${error instanceof Error ? error.message : error})`);
    }
    this.#unsent.push({ outcome, isStored });
  }

  async #drop(count: number): Promise<void> {
    const stored = this.#unsent.splice(0, count).filter(({ isStored }) => isStored).length;
    if (stored > 0) await this.#options.store?.heard(stored);
  }
}

interface Unsent {
  readonly outcome: Outcome;
  readonly isStored: boolean;
}

function isAboutContent(error: unknown): error is QuarterdeckError {
  return error instanceof QuarterdeckError && !error.code.startsWith('sdk.') && [400, 413, 422].includes(error.status);
}
