import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Loop } from './loop.ts';
import { platformErrors } from './platform-errors.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A loop whose turns answer or throw as told, with the times of its turns in milliseconds. */
function startLoop(everyMs: number, turn: () => unknown) {
  const startedAt = Date.now();
  const turns: number[] = [];
  const failures: number[] = [];
  const loop = new Loop({
    name: 'test',
    everyMs,
    turn: async () => {
      turns.push(Date.now() - startedAt);
      return turn();
    },
    failed: (_name, _error, count) => failures.push(count),
  }).start();
  return { loop, turns, failures };
}

it('a turn that throws is reported, and the pauses double', async () => {
  const { loop, turns, failures } = startLoop(1_000, () => {
    throw new Error('broken');
  });
  await vi.advanceTimersByTimeAsync(8_000);
  expect(turns).toEqual([0, 2_000, 6_000]);
  expect(failures).toEqual([1, 2, 3]);
  await loop.stop();
});

it('while the database is away it looks on, reports nothing, and goes on as soon as that is back', async () => {
  let isAway = true;
  const { loop, turns, failures } = startLoop(10_000, () => {
    if (isAway) throw platformErrors.unavailable();
  });
  await vi.advanceTimersByTimeAsync(60_200);
  isAway = false;
  const before = turns.length;
  await vi.advanceTimersByTimeAsync(500);
  expect(turns.length).toBe(before + 1);
  expect(failures).toEqual([]);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(turns.length).toBe(before + 1);
  await loop.stop();
});

it('a wake-up brings the next turn at once, but not while the database is away', async () => {
  let isAway = false;
  const { loop, turns } = startLoop(10_000, () => {
    if (isAway) throw platformErrors.unavailable();
  });
  await vi.advanceTimersByTimeAsync(100);
  isAway = true;
  loop.wake();
  await vi.advanceTimersByTimeAsync(0);
  loop.wake();
  await vi.advanceTimersByTimeAsync(400);
  expect(turns).toEqual([0, 100]);
  await loop.stop();
});
