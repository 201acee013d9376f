// Where hooks lay their events down: one small file an event, so that many of them write at once without waiting for one
// another, and without cutting off what the one that sends is about to read.
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn, privateDir } from './state.ts';

export interface HookEvent {
  readonly id: string;
  readonly event_type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly subject?: string;
  readonly correlation_id?: string;
}

/** More events than this wait for no server: the newest are dropped, and counted. */
export const SPOOL_EVENTS = 2_000;
const EVENT_BYTES = 16 * 1024;

export class Spool {
  readonly #dir: string;
  readonly #dropped: string;
  readonly #limit: number;

  constructor(box: string, limit = SPOOL_EVENTS) {
    this.#dir = join(box, 'spool');
    this.#dropped = join(box, 'dropped');
    this.#limit = limit;
  }

  /** Answers whether it was kept. */
  put(event: HookEvent): boolean {
    privateDir(this.#dir);
    const text = JSON.stringify(event);
    if (this.waiting >= this.#limit || Buffer.byteLength(text) > EVENT_BYTES) {
      // A byte for each: an append needs no lock.
      appendFileSync(this.#dropped, '.', { mode: 0o600 });
      return false;
    }
    // In the order in which they were laid down; the clock of one machine is good enough for that.
    const name = `${String(Date.now()).padStart(15, '0')}-${process.pid}-${event.id.slice(-12)}.json`;
    const beside = join(this.#dir, `.${name}`);
    writeFileSync(beside, text, { mode: 0o600 });
    renameSync(beside, join(this.#dir, name));
    return true;
  }

  get waiting(): number {
    return this.#names().length;
  }

  get dropped(): number {
    return statSync(this.#dropped, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Gives each event to `keep`, oldest first, and forgets it when that resolved. */
  async take(keep: (event: HookEvent) => Promise<void>): Promise<void> {
    for (const name of this.#names()) {
      const path = join(this.#dir, name);
      const event = readEvent(path);
      if (event !== undefined) await keep(event);
      rmSync(path, { force: true });
    }
  }

  forgetDropped(): void {
    if (existsSync(this.#dropped)) rmSync(this.#dropped, { force: true });
  }

  #names(): string[] {
    return namesIn(this.#dir).filter((name) => !name.startsWith('.'));
  }
}

// A power cut can leave an empty file: nothing had been promised for it.
function readEvent(path: string): HookEvent | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as HookEvent;
  } catch {
    return undefined;
  }
}
