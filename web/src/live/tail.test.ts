import { describe, expect, it } from 'vitest';
import { event } from './event.fixture.ts';
import { above, makeTail } from './tail.ts';

const cursors = (events: readonly { cursor: string }[]) => events.map((item) => item.cursor);

describe('the tail of the log', () => {
  it('keeps an event that two transports delivered once', () => {
    const tail = makeTail();
    expect([event(1), event(2), event(1)].map((item) => tail.push(item))).toEqual([true, true, false]);
    expect(tail.end).toBe(2);
  });

  it('counts positions on when old events are dropped', () => {
    const tail = makeTail(100);
    for (let n = 0; n < 250; n += 1) tail.push(event(n));
    expect(tail.end).toBe(250);
    expect(tail.end - tail.start).toBeLessThanOrEqual(120);
    expect(cursors(tail.slice(248))).toEqual(['e-248', 'e-249']);
    expect(tail.slice(0)[0]?.cursor).toBe(`e-${tail.start}`);
  });

  it('puts what is newer than a snapshot above it, once and in order', () => {
    const snapshot = [event(5), event(4), event(3)];
    expect(cursors(above(snapshot, [event(4), event(5), event(6), event(7)]))).toEqual([
      'e-7',
      'e-6',
      'e-5',
      'e-4',
      'e-3',
    ]);
    expect(cursors(above([], [event(1), event(2)]))).toEqual(['e-2', 'e-1']);
    expect(cursors(above(snapshot, []))).toEqual(['e-5', 'e-4', 'e-3']);
  });

  it('does not show again what the snapshot was too short to hold', () => {
    const snapshot = [event(5), event(4)];
    expect(cursors(above(snapshot, [event(2), event(3), event(4), event(5), event(6)]))).toEqual(['e-6', 'e-5', 'e-4']);
  });
});
