// Outcomes of jobs in a file: a finished job is reported once, also when the worker or the server dies in between. For Node,
// Bun and Deno.
import { resolve } from 'node:path';
import type { Outcome } from './job.ts';
import { type Entry, OutboxFile } from './outbox-file.ts';
import { takeLock } from './outbox-lock.ts';
import type { OutcomeStore } from './outcomes.ts';

/** Opens or makes the file, for the `outbox` of a worker. Throws when another living process has it. */
export async function openOutcomes(path: string): Promise<OutcomeStore> {
  const release = await takeLock(resolve(`${path}.lock`));
  try {
    const { file, unsent } = await OutboxFile.open<Outcome>(path);
    return new OutcomeFile(file, unsent, release);
  } catch (error) {
    await release();
    throw error;
  }
}

class OutcomeFile implements OutcomeStore {
  readonly left: readonly Outcome[];
  readonly #file: OutboxFile<Outcome>;
  readonly #release: () => Promise<void>;
  readonly #entries: Entry<Outcome>[];

  constructor(file: OutboxFile<Outcome>, unsent: readonly Entry<Outcome>[], release: () => Promise<void>) {
    this.left = unsent.map(({ item }) => item);
    this.#file = file;
    this.#release = release;
    this.#entries = [...unsent];
  }

  async append(outcome: Outcome): Promise<void> {
    this.#entries.push(await this.#file.append(outcome));
  }

  async heard(count: number): Promise<void> {
    const heard = this.#entries.splice(0, count);
    await this.#file.markSent(heard.at(-1)!.end);
  }

  async close(): Promise<void> {
    await this.#file.close();
    await this.#release();
  }
}
