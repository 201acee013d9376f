// Each process follows the log once, however many readers it has: woken or by polling it reads what is new, keeps the
// newest events in a ring and hands them on in order. It holds no truth: whoever needs more reads the table.
import type { Database } from '../../platform/db/database.ts';
import { fleetScope } from '../../platform/db/database.ts';
import { Loop } from '../../platform/loop.ts';
import { announce } from '../../platform/signals.ts';
import { formatCursor } from './cursor.ts';
import type { EventItem } from './operations.ts';
import type { EventRow, Horizon } from './store.ts';
import { newestSeq, readHorizon, readNext } from './store.ts';

/** An event ready for every reader: made once, its JSON too. */
export interface TailedEvent {
  readonly seq: number;
  readonly cursor: string;
  readonly tenantId: string;
  readonly item: EventItem;
  readonly json: string;
}

export interface TailListener {
  /** Events in order; none is left out and none comes twice. */
  events(batch: readonly TailedEvent[]): void;
  /** The epoch changed: positions of before mean nothing now. */
  reset(): void;
}

const RING = 1_000;
/** Payloads may be 256 KiB: what is read at once and what is kept is bounded in bytes too. */
const RING_BYTES = 32 * 1024 * 1024;
const PAGE = 200;
const POLL_MS = 1_000;
/** Under load many commits share one look; an event in a quiet log is not delayed. */
const APART_MS = 8;

export class LogTail {
  readonly #db: Database;
  readonly #toItems: (rows: readonly EventRow[], epoch: string) => Promise<EventItem[]>;
  readonly #listeners = new Set<TailListener>();
  readonly #loop: Loop;
  #ring: TailedEvent[] = [];
  #epoch: string | undefined;
  #seq = 0;
  #ready = Promise.withResolvers<void>();
  #catchingUp: (() => void)[] = [];

  constructor(
    db: Database,
    toItems: (rows: readonly EventRow[], epoch: string) => Promise<EventItem[]>,
    failed: (name: string, error: unknown, failures: number) => void,
  ) {
    this.#db = db;
    this.#toItems = toItems;
    this.#loop = new Loop({ name: 'log.tail', everyMs: POLL_MS, apartMs: APART_MS, turn: () => this.#turn(), failed });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  wake(): void {
    this.#loop.wake();
  }

  /** Resolves once the tail knows where the log ends. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves when a look at the log that begins after this call has ended: what was committed before is handed on. */
  caughtUp(): Promise<void> {
    const caughtUp = new Promise<void>((resolve) => this.#catchingUp.push(resolve));
    this.#loop.wake();
    return caughtUp;
  }

  /** The position up to which everything was handed on. */
  get position(): { readonly epoch: string; readonly seq: number } {
    return { epoch: this.#epoch ?? '', seq: this.#seq };
  }

  /** The events above `seq` if the ring still holds all of them, else undefined. */
  recent(seq: number): readonly TailedEvent[] | undefined {
    const oldest = this.#ring[0]?.seq;
    if (seq === this.#seq) return [];
    if (oldest === undefined || seq < oldest || seq > this.#seq) return undefined;
    return this.#ring.filter((event) => event.seq > seq);
  }

  listen(listener: TailListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #turn(): Promise<boolean> {
    const waiting = this.#catchingUp;
    this.#catchingUp = [];
    try {
      const more = await this.#look();
      if (more) this.#catchingUp.push(...waiting);
      else for (const resolve of waiting) resolve();
      return more;
    } catch (error) {
      // Whoever waits goes on with what there is; the failure itself is the loop's to report.
      for (const resolve of waiting) resolve();
      throw error;
    }
  }

  async #look(): Promise<boolean> {
    if (this.#epoch === undefined) {
      await this.#begin();
      return true;
    }
    const { horizon, rows } = await this.#db.read(fleetScope, (tx) => readNext(tx, this.#seq, PAGE));
    if (horizon.epoch !== this.#epoch) {
      // The new position first: whoever is told of the reset reads it here. If this fails, the next turn sees it again.
      await this.#begin();
      for (const listener of this.#listeners) listener.reset();
      return true;
    }
    if (rows.length > 0) await this.#handOn(rows, horizon);
    return rows.length === PAGE;
  }

  async #begin(): Promise<void> {
    const horizon = await this.#db.read(fleetScope, readHorizon);
    // A committed row, not the bare horizon (see cursor.ts).
    const newest = await this.#db.read(fleetScope, (tx) => newestSeq(tx, horizon.seq));
    this.#seq = newest;
    this.#epoch = horizon.epoch;
    this.#ring = [];
    this.#ready.resolve();
  }

  async #handOn(rows: readonly EventRow[], horizon: Horizon): Promise<void> {
    const items = await this.#toItems(rows, horizon.epoch);
    const batch = rows.map((row, i): TailedEvent => {
      const item = items[i]!;
      return {
        seq: row.seq,
        cursor: formatCursor({ epoch: horizon.epoch, seq: row.seq }),
        tenantId: row.tenant_id,
        item,
        json: JSON.stringify(item),
      };
    });
    this.#seq = rows.at(-1)!.seq;
    this.#ring = newest([...this.#ring, ...batch]);
    for (const listener of this.#listeners) listener.events(batch);
    announce('log.tailed', this.#seq);
  }
}

function newest(events: readonly TailedEvent[]): TailedEvent[] {
  let bytes = 0;
  let first = events.length;
  while (first > 0 && events.length - first < RING && bytes < RING_BYTES) {
    first--;
    bytes += events[first]!.json.length;
  }
  return events.slice(first);
}
