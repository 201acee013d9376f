// The newest events that the feed has delivered, in order and each once. Positions count all that ever arrived, so a
// reader can remember where it was although old ones are dropped.
import type { EventItem } from '../api/routes.ts';

export interface Tail {
  /** False when it was there already, as happens where two transports overlap. */
  push(event: EventItem): boolean;
  /** Position behind the newest. */
  readonly end: number;
  /** Position of the oldest that is still kept. */
  readonly start: number;
  /** Events from `from` (clipped to what is kept) up to `to`, oldest first. */
  slice(from: number, to?: number): readonly EventItem[];
}

export function makeTail(most = 5000): Tail {
  let items: EventItem[] = [];
  let start = 0;
  const known = new Set<string>();
  return {
    get end() {
      return start + items.length;
    },
    get start() {
      return start;
    },
    push(event) {
      if (known.has(event.cursor)) return false;
      known.add(event.cursor);
      items.push(event);
      // Dropped in large steps, so that the cost of moving the array is spread over many events.
      if (items.length > most * 1.2) {
        const gone = items.length - most;
        for (const old of items.slice(0, gone)) known.delete(old.cursor);
        items = items.slice(gone);
        start += gone;
      }
      return true;
    },
    slice(from, to = start + items.length) {
      return items.slice(Math.max(0, from - start), Math.max(0, to - start));
    },
  };
}

/**
 * Newest first: what the feed brought since the snapshot was asked for, above the snapshot. What the snapshot already
 * holds, and what the feed brought before it, is not shown twice and not out of order.
 */
export function above(snapshot: readonly EventItem[], since: readonly EventItem[]): EventItem[] {
  const held = new Set(snapshot.map((event) => event.cursor));
  const lastHeld = since.findLastIndex((event) => held.has(event.cursor));
  return [...since.slice(lastHeld + 1).reverse(), ...snapshot];
}
