// Events that survive the server being away and the process dying: on the disk first, then sent, in order and once. For
// Node, Bun and Deno; a browser has no such file.
import { appendFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { randomKey } from './connection.ts';
import { QuarterdeckError } from './errors.ts';
import type { EventAppendInput, EventAppendOutput } from './operations.ts';
import { type Entry, OutboxFile, type StoredEvent } from './outbox-file.ts';
import { takeLock } from './outbox-lock.ts';
import { Quarterdeck } from './quarterdeck.ts';
import { pauseMs } from './retry.ts';
import type { CallOptions } from './wire.ts';

export { openOutcomes } from './outcomes-node.ts';

/** The part of the client that is needed. */
export interface EventSink {
  readonly event: { append(input: EventAppendInput, options?: CallOptions): Promise<EventAppendOutput> };
}

export type EventDetails = Pick<StoredEvent, 'subject' | 'correlation_id' | 'causation_id'> & { readonly id?: string };

const BATCH = 100;

/** Opens or makes the file. Throws when another living process has it. */
export async function openOutbox(path: string, qd: EventSink = new Quarterdeck()): Promise<Outbox> {
  const release = await takeLock(resolve(`${path}.lock`));
  try {
    const { file, unsent } = await OutboxFile.open(path);
    return new Outbox(qd, path, file, unsent, release);
  } catch (error) {
    await release();
    throw error;
  }
}

export class Outbox {
  readonly #qd: EventSink;
  readonly #path: string;
  readonly #file: OutboxFile;
  readonly #release: () => Promise<void>;
  readonly #closing = new AbortController();
  #unsent: Entry[];
  #sending: Promise<void> | undefined;
  #problem: unknown;

  constructor(qd: EventSink, path: string, file: OutboxFile, unsent: readonly Entry[], release: () => Promise<void>) {
    this.#qd = qd;
    this.#path = path;
    this.#file = file;
    this.#unsent = [...unsent];
    this.#release = release;
    this.#wake();
  }

  /** How many events wait to be sent. */
  get waiting(): number {
    return this.#unsent.length;
  }

  /** Why the last try to send failed; undefined when it did not. */
  get problem(): unknown {
    return this.#problem;
  }

  /** Resolves when the event is on the disk. It is sent behind the caller's back, however long that takes. */
  async emit(
    event_type: string,
    payload: Readonly<Record<string, unknown>> = {},
    details: EventDetails = {},
  ): Promise<void> {
    if (this.#closing.signal.aborted) throw new Error('the outbox is closed');
    const entry = await this.#file.append({ id: randomKey(), event_type, payload, ...details });
    this.#unsent.push(entry);
    this.#wake();
  }

  /** Waits until everything is sent, for so long at most; answers whether it is. */
  async flush(ms = 10_000): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.#sending ?? Promise.resolve(), late]);
    clearTimeout(timer);
    return this.#unsent.length === 0;
  }

  /** Waits a little for what is left to be sent; the rest stays in the file for the next time. */
  async close(ms = 5_000): Promise<void> {
    await this.flush(ms);
    this.#closing.abort();
    await this.#sending;
    await this.#file.close();
    await this.#release();
  }

  #wake(): void {
    if (this.#unsent.length === 0) return;
    this.#sending ??= this.#send();
  }

  // One batch after the other; one of which the server refuses the content is sent event by event, to find the bad one.
  async #send(): Promise<void> {
    let singly = 0;
    for (let tries = 0; this.#unsent.length > 0 && !this.#closing.signal.aborted; ) {
      const batch = this.#unsent.slice(0, singly > 0 ? 1 : BATCH);
      try {
        await this.#sendBatch(batch);
        this.#problem = undefined;
        tries = 0;
        singly--;
      } catch (error) {
        this.#problem = error;
        const isRefused = isAboutContent(error);
        if (isRefused && batch.length > 1) singly = batch.length;
        else if (isRefused && (await this.#setAside(batch[0]!, error))) singly--;
        else await this.#wait(pauseMs(tries++, 0, Math.random()));
      }
    }
    // In the same moment as the last look at what is unsent: an event that comes now is sent by a new turn.
    this.#sending = undefined;
  }

  async #sendBatch(batch: readonly Entry[]): Promise<void> {
    const options = { retryForMs: 0, signal: this.#closing.signal };
    await this.#qd.event.append({ events: batch.map(({ item }) => item) }, options);
    await this.#done(batch);
  }

  async #done(batch: readonly Entry[]): Promise<void> {
    this.#unsent.splice(0, batch.length);
    await this.#file.markSent(batch.at(-1)!.end);
  }

  // What the server will never take must not hold up what comes behind it.
  async #setAside(entry: Entry, error: QuarterdeckError): Promise<boolean> {
    const line = JSON.stringify({ code: error.code, detail: error.detail, event: entry.item });
    try {
      await appendFile(`${this.#path}.refused`, `${line}\n`, { mode: 0o600, flush: true });
      await this.#done([entry]);
      return true;
    } catch (cause) {
      this.#problem = cause;
      return false;
    }
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      // A process that has nothing else to do may end: what is not sent is in the file.
      timer.unref();
      if (signal.aborted) done();
      else signal.addEventListener('abort', done);
    });
  }
}

function isAboutContent(error: unknown): error is QuarterdeckError {
  return (
    error instanceof QuarterdeckError && !error.code.startsWith('sdk.') && [400, 409, 413, 422].includes(error.status)
  );
}
