// One reader of the live feed, whatever its transport: every event it may see and wants, once, in order, from its
// cursor on; or a plain "reset" when that cannot be kept.
import type { Database, Scope } from '../../platform/db/database.ts';
import { fleetScope } from '../../platform/db/database.ts';
import { formatCursor, type Position, parseCursor } from './cursor.ts';
import type { EventItem } from './operations.ts';
import { type EventRow, readHorizon, readNext } from './store.ts';
import type { LogTail, TailedEvent } from './tail.ts';
import type { TopicFilter } from './topics.ts';

export type FeedState = 'resumed' | 'resumed_from_db' | 'reset';

export interface FeedItem {
  readonly cursor: string;
  readonly item: EventItem;
  readonly json: string;
}

export interface FeedSink {
  /** How the subscription starts (or goes on, after `reset`), and the position that is true now. */
  state(state: FeedState, cursor: string): void;
  event(event: FeedItem): void;
}

export interface FeedOptions {
  readonly scope: Scope;
  readonly after: string | undefined;
  readonly wants: TopicFilter;
  readonly sink: FeedSink;
}

const PAGE = 500;

export class FeedSubscription {
  readonly #db: Database;
  readonly #tail: LogTail;
  readonly #options: FeedOptions;
  readonly #stopListening: () => void;
  readonly #toItems: (rows: readonly EventRow[], epoch: string) => Promise<EventItem[]>;
  #buffer: TailedEvent[] | undefined = [];
  #seen: Position = { epoch: '', seq: 0 };
  #closed = false;

  constructor(
    db: Database,
    tail: LogTail,
    toItems: (rows: readonly EventRow[], epoch: string) => Promise<EventItem[]>,
    options: FeedOptions,
  ) {
    this.#db = db;
    this.#tail = tail;
    this.#toItems = toItems;
    this.#options = options;
    // Registered with a buffer first, then read from the table, then the buffer without what was read.
    this.#stopListening = tail.listen({
      events: (batch) => {
        if (this.#buffer !== undefined) this.#buffer.push(...batch);
        else for (const event of batch) this.#pass(event);
      },
      reset: () => this.#reset(),
    });
  }

  /** The position up to which this reader has everything; what a heartbeat carries. */
  get cursor(): string {
    return formatCursor(this.#seen);
  }

  /** Rejects when the database is away; the reader then comes again with its cursor. */
  async start(): Promise<void> {
    await this.#tail.ready;
    const start = await this.#startPosition();
    if (start === undefined) {
      this.#reset();
      this.#buffer = undefined;
      return;
    }
    this.#seen = start.position;
    const recent = this.#tail.recent(start.position.seq);
    this.#options.sink.state(recent === undefined ? 'resumed_from_db' : 'resumed', this.cursor);
    if (recent !== undefined) for (const event of recent) this.#pass(event);
    else await this.#readTable();
    const buffer = this.#buffer ?? [];
    this.#buffer = undefined;
    for (const event of buffer) this.#pass(event);
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
  }

  // Undefined: the position is of another epoch or of the future.
  async #startPosition(): Promise<{ readonly position: Position } | undefined> {
    const { after } = this.#options;
    if (after === undefined) return { position: this.#tail.position };
    const position = parseCursor(after);
    if (position.epoch === this.#tail.position.epoch && position.seq <= this.#tail.position.seq) return { position };
    // The tail of this process may lag behind another's; the database knows.
    const horizon = await this.#db.read(fleetScope, readHorizon);
    return position.epoch === horizon.epoch && position.seq <= horizon.seq ? { position } : undefined;
  }

  async #readTable(): Promise<void> {
    for (;;) {
      const { horizon, rows } = await this.#db.read(this.#options.scope, (tx) => readNext(tx, this.#seen.seq, PAGE));
      if (horizon.epoch !== this.#seen.epoch) {
        this.#reset();
        return;
      }
      const items = await this.#toItems(rows, horizon.epoch);
      for (const [i, row] of rows.entries()) {
        if (this.#closed) return;
        const item = items[i]!;
        this.#deliver({ seq: row.seq, cursor: item.cursor, item, json: JSON.stringify(item) });
      }
      // Under a tenant's scope the page may end below the horizon with nothing left to see.
      if (rows.length < PAGE) {
        const reached = Math.max(this.#seen.seq, Math.min(horizon.seq, this.#tail.position.seq));
        this.#seen = { epoch: horizon.epoch, seq: reached };
        return;
      }
    }
  }

  #pass(event: TailedEvent): void {
    const { scope } = this.#options;
    const maySee = scope.kind !== 'tenant' || scope.tenantId === event.tenantId;
    if (event.seq <= this.#seen.seq) return;
    if (maySee) this.#deliver(event);
    else this.#seen = { ...this.#seen, seq: event.seq };
  }

  #deliver(event: FeedItem & { readonly seq: number }): void {
    this.#seen = { ...this.#seen, seq: event.seq };
    if (!this.#closed && this.#options.wants(event.item)) this.#options.sink.event(event);
  }

  #reset(): void {
    if (this.#closed) return;
    this.#seen = this.#tail.position;
    this.#options.sink.state('reset', this.cursor);
  }
}
