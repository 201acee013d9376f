// One reader of the live feed, whatever its transport: every event it may see and wants, once, in order, from its
// cursor on; or a plain "reset" when that cannot be kept.
import type { Database, Scope } from '../../platform/db/database.ts';
import { fleetScope } from '../../platform/db/database.ts';
import { formatCursor, type Position, parseCursor } from './cursor.ts';
import type { EventItem } from './operations.ts';
import { archivedUpTo } from './seals/store.ts';
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
  /**
   * While what the reader missed is read out: resolves once it can take more; undefined means at once. So a reader that
   * comes back after long is not taken for a slow one. Absent: it can always take more.
   */
  ready?(): Promise<void> | undefined;
}

export interface FeedOptions {
  readonly scope: Scope;
  readonly after: string | undefined;
  readonly wants: TopicFilter;
  readonly sink: FeedSink;
}

const PAGE = 100;
/** Events that may arrive while a reader still reads what it missed; above it they are read from the table as well. */
const MOST_BUFFERED = 1_000;

export class FeedSubscription {
  readonly #db: Database;
  readonly #tail: LogTail;
  readonly #options: FeedOptions;
  readonly #stopListening: () => void;
  readonly #toItems: (rows: readonly EventRow[], epoch: string) => Promise<EventItem[]>;
  #buffer: TailedEvent[] | undefined = [];
  #overflowed = false;
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
        if (this.#buffer === undefined) for (const event of batch) this.#pass(event);
        else if (this.#buffer.length + batch.length <= MOST_BUFFERED) this.#buffer.push(...batch);
        else {
          this.#buffer = [];
          this.#overflowed = true;
        }
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
    if (recent !== undefined) await this.#passPaced(recent);
    else await this.#readTable();
    await this.#catchUp();
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
  }

  // What came meanwhile, and meanwhile, until nothing is left; from then on events are handed on as they come.
  async #catchUp(): Promise<void> {
    while (!this.#closed && this.#buffer !== undefined && (this.#overflowed || this.#buffer.length > 0)) {
      const buffer = this.#buffer;
      const overflowed = this.#overflowed;
      this.#buffer = [];
      this.#overflowed = false;
      if (overflowed) await this.#readTable();
      else await this.#passPaced(buffer);
    }
    this.#buffer = undefined;
  }

  async #passPaced(events: readonly TailedEvent[]): Promise<void> {
    const { epoch } = this.#seen;
    for (const event of events) {
      // A reset while it waited: what is left belongs to a log that is no more.
      if (this.#closed || this.#seen.epoch !== epoch) return;
      this.#pass(event);
      await this.#options.sink.ready?.();
    }
  }

  // Undefined: the position is of another epoch, of the future, or what follows it was archived.
  async #startPosition(): Promise<{ readonly position: Position } | undefined> {
    const { after } = this.#options;
    if (after === undefined) return { position: this.#tail.position };
    const position = parseCursor(after);
    if (position.epoch === this.#tail.position.epoch && position.seq <= this.#tail.position.seq) {
      if (this.#tail.recent(position.seq) !== undefined) return { position };
      const archived = await this.#db.read(this.#options.scope, archivedUpTo);
      return position.seq < archived ? undefined : { position };
    }
    // The tail of this process may lag behind another's; the database knows.
    const horizon = await this.#db.read(fleetScope, readHorizon);
    return position.epoch === horizon.epoch && position.seq <= horizon.last ? { position } : undefined;
  }

  async #readTable(): Promise<void> {
    for (;;) {
      // What the tail has handed on is final, and whatever comes from it next lies behind that.
      const sure = this.#tail.position.epoch === this.#seen.epoch ? this.#tail.position.seq : 0;
      const { horizon, rows, archived } = await this.#db.read(this.#options.scope, async (tx) => {
        const [next, archived] = await Promise.all([readNext(tx, this.#seen.seq, PAGE, sure), archivedUpTo(tx)]);
        return { ...next, archived };
      });
      // Asked after the rows: what was archived while this reader came along may be missing among them.
      if (horizon.epoch !== this.#seen.epoch || this.#seen.seq < archived) {
        this.#reset();
        return;
      }
      const items = await this.#toItems(rows, horizon.epoch);
      for (const [i, row] of rows.entries()) {
        if (this.#closed) return;
        if (this.#seen.epoch !== horizon.epoch) break;
        const item = items[i]!;
        this.#deliver({ seq: row.seq, cursor: item.cursor, item, json: JSON.stringify(item) });
        await this.#options.sink.ready?.();
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
    if (this.#buffer !== undefined) {
      // What waits in it belongs to a log that is no more.
      this.#buffer = [];
      this.#overflowed = false;
    }
    this.#seen = this.#tail.position;
    this.#options.sink.state('reset', this.cursor);
  }
}
