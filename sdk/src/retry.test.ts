import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pause, pauseMs, retryAfterMs } from './retry.ts';

describe('the pause before the next try', () => {
  it('never undercuts Retry-After and is never longer than half a minute beyond it', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(600_000), fc.double({ min: 0, max: 1, noNaN: true }), (tries, told, chance) => {
        const ms = pauseMs(tries, told, chance);
        expect(ms).toBeGreaterThanOrEqual(told + 125);
        expect(ms).toBeLessThanOrEqual(told + 30_000);
      }),
    );
  });

  it('grows with the tries and differs between those who wait', () => {
    expect([0, 1, 2, 3].map((tries) => pauseMs(tries, 0, 1))).toEqual([250, 500, 1_000, 2_000]);
    expect(pauseMs(3, 0, 0)).toBe(1_000);
  });

  it('ends at once when its signal is aborted, also before it began', async () => {
    const controller = new AbortController();
    const waiting = pause(60_000, controller.signal);
    controller.abort(new Error('leaving'));
    await expect(waiting).rejects.toThrow('leaving');
    await expect(pause(60_000, controller.signal)).rejects.toThrow('leaving');
  });
});

describe('Retry-After', () => {
  it.each([
    ['3', 3_000],
    ['0', 0],
    ['-5', 0],
    ['soon', 0],
    ['Infinity', 0],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 50_000],
    ['Thu, 01 Jan 1970 00:00:05 GMT', 0],
  ])('%s is understood', (header, ms) => {
    expect(retryAfterMs(header, 10_000)).toBe(ms);
  });
});
