// The verbs of the log: append, read, follow.
import { createHash } from 'node:crypto';
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import { fleetScope } from '../../platform/db/database.ts';
import type { NewEvent } from '../../platform/event-table.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { FLEET_TENANT, type TenantDirectory } from '../../platform/tenants.ts';
import { formatCursor, parseCursor } from './cursor.ts';
import { logErrors } from './errors.ts';
import { type FeedSink, FeedSubscription } from './feed.ts';
import type { appendEvents, EventItem, listEvents, live, NewEventInput } from './operations.ts';
import { archivedUpTo } from './seals/store.ts';
import * as store from './store.ts';
import { LogTail } from './tail.ts';
import { splitTopics, topicFilter } from './topics.ts';
import { EventWriter } from './writer.ts';

export interface LogOptions {
  readonly db: Database;
  readonly wakeups: Wakeups;
  /** Event types that rooms declare; the outside may not append them. */
  readonly reservedTypes: ReadonlySet<string>;
  readonly tenants: TenantDirectory;
  readonly failed: (name: string, error: unknown, failures: number) => void;
}

const PAYLOAD_LIMIT = 256 * 1024;
/** How long one poll may read through history. */
const LONGEST_LOOK_MS = 2_000;

export class Log {
  readonly tail: LogTail;
  readonly #options: LogOptions;
  readonly #writer: EventWriter;

  constructor(options: LogOptions) {
    this.#options = options;
    // The answer to the sender leaves first; readers learn of it a moment later.
    const committed = () => setImmediate(() => options.wakeups.notify('log'));
    this.#writer = new EventWriter(options.db, committed);
    this.tail = new LogTail(options.db, (rows, epoch) => this.toItems(rows, epoch), options.failed);
  }

  /** Writes events of a room in the transaction of the change they tell of. */
  async append(tx: Tx, call: Call, events: readonly NewEvent[]): Promise<void> {
    if (events.length === 0) return;
    await store.insertEvents(
      tx,
      events.map((event) => ({
        ...event,
        tenantId: event.tenantId ?? tenantOf(call),
        source_agent: call.caller.name,
        correlationId: call.correlationId,
      })),
    );
    tx.afterCommit(() => this.#options.wakeups.notify('log'));
  }

  async appendFromOutside(call: Call, input: ParsedInput<typeof appendEvents>): Promise<OutputOf<typeof appendEvents>> {
    const events = oneOrMany(input);
    const tenantId = await this.tenantId(call, input.tenant);
    const writings = events.map((event, index): store.Writing => {
      if (this.#options.reservedTypes.has(event.event_type)) {
        throw logErrors.reserved_event_type({ event_type: event.event_type });
      }
      if (Buffer.byteLength(JSON.stringify(event.payload)) > PAYLOAD_LIMIT) {
        throw logErrors.event_too_large({ index, limit: PAYLOAD_LIMIT });
      }
      const key = call.idempotencyKey;
      return {
        event_type: event.event_type,
        payload: event.payload,
        subject: event.subject ?? (call.caller.job === undefined ? undefined : `job:${call.caller.job.id}`),
        tenantId,
        source_agent: call.caller.name,
        correlationId: event.correlation_id ?? call.correlationId,
        causationId: event.causation_id,
        // An Idempotency-Key gives every event of the request an id that a repeat has too.
        id: event.id ?? (key === undefined ? undefined : keyedId(call, key, index)),
      };
    });
    // Before the write: once that is committed nothing may fail that would tell the writer that nothing was changed.
    const epoch = await this.#epoch();
    const written = await this.#writer.append(writings);
    return {
      events: written.map((row) => ({
        cursor: formatCursor({ epoch, seq: row.seq }),
        id: row.id,
        at: row.at.toISOString(),
        duplicate: row.duplicate,
      })),
      durable: 'db',
    };
  }

  async list(call: Call, input: ParsedInput<typeof listEvents>): Promise<OutputOf<typeof listEvents>> {
    const tenantId = input.tenant === undefined ? undefined : await this.tenantId(call, input.tenant);
    const horizon = await call.read((tx) => store.readHorizon(tx));
    const after = input.after === undefined ? undefined : seqWithin(input.after, horizon);
    const { rows, newest, archived } = await call.read(async (tx) => {
      // The last one is asked after the rows: what was archived meanwhile is not taken for what never was.
      const [rows, newest, archived] = await Promise.all([
        store.findEvents(tx, { ...input, after, tenantId }, horizon.seq),
        store.newestSeq(tx, horizon.seq),
        archivedUpTo(tx),
      ]);
      return { rows, newest, archived };
    });
    if (after !== undefined && after < archived) throw beforeKept(input.after!, horizon.epoch, archived);
    const items = await this.toItems(rows, horizon.epoch);
    return {
      items,
      next_cursor: rows.length === input.limit ? items.at(-1)!.cursor : null,
      as_of: formatCursor({ epoch: horizon.epoch, seq: newest }),
      archived_up_to: archived === 0 ? null : formatCursor({ epoch: horizon.epoch, seq: archived }),
    };
  }

  async show(call: Call, cursor: string): Promise<EventItem> {
    const horizon = await call.read((tx) => store.readHorizon(tx));
    const seq = seqWithin(cursor, horizon);
    const row = await call.read((tx) => store.findEvent(tx, seq));
    if (row === undefined) {
      const archived = await call.read(archivedUpTo);
      if (seq > 0 && seq <= archived) throw beforeKept(cursor, horizon.epoch, archived);
      throw logErrors.event_not_found({ cursor });
    }
    return (await this.toItems([row], horizon.epoch))[0]!;
  }

  /** The position of the log at which a snapshot read *after* this call is true. */
  async asOf(call: Call): Promise<string> {
    return call.read(async (tx) => {
      const horizon = await store.readHorizon(tx);
      return formatCursor({ epoch: horizon.epoch, seq: await store.newestSeq(tx, horizon.seq) });
    });
  }

  /** Tells the database which types rooms declare, so that plain SQL is refused them too. */
  async reserveTypes(): Promise<void> {
    const types = [...this.#options.reservedTypes];
    await this.#options.db.write(fleetScope, (tx) => store.reserveTypes(tx, types));
  }

  async eventsPerSecond(call: Call): Promise<number> {
    return (await call.read((tx) => store.countSince(tx, 60))) / 60;
  }

  /** How far the log can be read now, and how far it was written. */
  async position(call: Call): Promise<store.Bounds> {
    return call.read((tx) => store.readHorizon(tx));
  }

  /** Opens a reader of the live feed. Throws `log.bad_topic`, `log.too_many_topics`. */
  subscribe(
    call: Call,
    options: { topics: readonly string[]; after: string | undefined; sink: FeedSink },
  ): FeedSubscription {
    if (options.after !== undefined) parseCursor(options.after);
    return new FeedSubscription(this.#options.db, this.tail, (rows, epoch) => this.toItems(rows, epoch), {
      scope: call.scope,
      after: options.after,
      wants: topicFilter(options.topics),
      sink: options.sink,
    });
  }

  /** The long poll of `/v1/live`: what is there, or the first that comes within `wait` seconds. */
  async poll(call: Call, input: ParsedInput<typeof live>): Promise<OutputOf<typeof live>> {
    // Asked without waiting, the answer must hold what is committed by now, not only what this process has seen of it.
    if (input.wait === 0) await this.tail.caughtUp();
    const items: EventItem[] = [];
    let state: 'resumed' | 'resumed_from_db' | 'reset' = 'resumed';
    const arrived = Promise.withResolvers<void>();
    let next: string | undefined;
    const feed = this.subscribe(call, {
      topics: splitTopics(input.topics),
      after: input.after,
      sink: {
        state: (now) => {
          state = now;
          if (now === 'reset') arrived.resolve();
        },
        event: (event) => {
          items.push(event.item);
          next = event.cursor;
          arrived.resolve();
          // A full page needs no more of the log to be read.
          if (items.length >= input.limit) feed.close();
        },
      },
    });
    const ended = () => arrived.resolve();
    call.signal.addEventListener('abort', ended, { once: true });
    const timer = setTimeout(ended, input.wait * 1000);
    // A filter that little passes may have to look through all of the log: the answer then says how far it came.
    const reading = setTimeout(() => feed.close(), Math.max(input.wait * 1000, LONGEST_LOOK_MS));
    try {
      await feed.start();
      await arrived.promise;
      // A full page may have left events behind it: the reader goes on from the last one it got.
      const cursor = items.length >= input.limit ? next! : feed.cursor;
      return { items, next_cursor: cursor, state };
    } finally {
      clearTimeout(timer);
      clearTimeout(reading);
      call.signal.removeEventListener('abort', ended);
      feed.close();
    }
  }

  /** The id of a tenant by its name; the caller's own without one. Throws `access.tenant_not_found`. */
  async tenantId(call: Call, slug: string | undefined): Promise<string> {
    if (slug === undefined) return tenantOf(call);
    return this.#options.tenants.getId(call, slug);
  }

  async #epoch(): Promise<string> {
    if (this.tail.position.epoch !== '') return this.tail.position.epoch;
    return (await this.#options.db.read(fleetScope, store.readHorizon)).epoch;
  }

  /** Rows as they are answered. */
  async toItems(rows: readonly store.EventRow[], epoch: string): Promise<EventItem[]> {
    if (rows.length === 0) return [];
    const ids = new Set(rows.map((row) => row.tenant_id));
    const slugs = await this.#options.tenants.slugs(ids);
    return rows.map((row) => ({
      cursor: formatCursor({ epoch, seq: row.seq }),
      id: row.id,
      at: row.at.toISOString(),
      event_type: row.event_type,
      source_agent: row.source_agent,
      tenant: slugs.get(row.tenant_id) ?? row.tenant_id,
      subject: row.subject,
      payload: row.payload,
      correlation_id: row.correlation_id,
      causation_id: row.causation_id,
    }));
  }
}

function tenantOf(call: Call): string {
  return call.scope.kind === 'tenant' ? call.scope.tenantId : FLEET_TENANT;
}

function oneOrMany(input: ParsedInput<typeof appendEvents>): NewEventInput[] {
  const { events, tenant: _, ...one } = input;
  const single = Object.values(one).some((value) => value !== undefined);
  if (events !== undefined && !single) return events;
  if (events === undefined && one.event_type !== undefined) {
    return [{ ...one, event_type: one.event_type, payload: one.payload ?? {} }];
  }
  throw platformErrors.invalid_input({
    problem: 'give either `events` or the fields of one event',
    errors: [{ field: events === undefined ? 'event_type' : 'events', message: 'either `events` or one event' }],
  });
}

// Keys belong to whoever sends them, so two agents of a tenant may use the same one; the hash also keeps the id short.
function keyedId(call: Call, key: string, index: number): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([call.caller.id, key]))
    .digest('base64url');
  return `key:${hash}:${index}`;
}

function beforeKept(cursor: string, epoch: string, archived: number): Error {
  return logErrors.archived({ cursor, archived_up_to: formatCursor({ epoch, seq: archived }) });
}

/** Throws `log.cursor_reset` for another epoch or a position that does not exist yet. */
export function seqWithin(cursor: string, horizon: store.Bounds): number {
  const position = parseCursor(cursor);
  if (position.epoch !== horizon.epoch || position.seq > horizon.last) throw logErrors.cursor_reset();
  return position.seq;
}
