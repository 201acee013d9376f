import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../platform/errors.ts';
import { RateLimit } from './rate-limit.ts';

/** Whether the use was counted, else the seconds after which another makes sense. */
function use(limit: RateLimit, perMinute: number, key = 'a'): true | number {
  try {
    limit.use(key, perMinute);
    return true;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return error.details['retry_after'] as number;
  }
}

const pauses = fc.array(fc.integer({ min: 0, max: 25_000 }), { maxLength: 200 });
const most = fc.integer({ min: 1, max: 20 });

describe('a rate limit', () => {
  it('never lets more than the limit through in any 60 seconds, wherever they begin', () => {
    fc.assert(
      fc.property(pauses, most, (gaps, perMinute) => {
        let now = 0;
        const limit = new RateLimit(() => now);
        const passed: number[] = [];
        for (const gap of gaps) {
          now += gap;
          if (use(limit, perMinute) === true) passed.push(now);
        }
        for (const start of passed) {
          expect(passed.filter((at) => at >= start && at < start + 60_000).length).toBeLessThanOrEqual(perMinute);
        }
      }),
    );
  });

  it('refuses nothing that stays below the limit', () => {
    fc.assert(
      fc.property(pauses, most, (gaps, perMinute) => {
        let now = 0;
        const limit = new RateLimit(() => now);
        const passed: number[] = [];
        for (const gap of gaps) {
          now += gap;
          const within = passed.filter((at) => now - at < 60_000).length;
          expect(use(limit, perMinute) === true).toBe(within < perMinute);
          if (within < perMinute) passed.push(now);
        }
      }),
    );
  });

  it('tells the truth about when to come again, to the second', () => {
    fc.assert(
      fc.property(pauses, most, (gaps, perMinute) => {
        let now = 0;
        const limit = new RateLimit(() => now);
        for (const gap of gaps) {
          now += gap;
          const answer = use(limit, perMinute);
          if (answer === true) continue;
          expect(answer).toBeGreaterThan(0);
          expect(answer).toBeLessThanOrEqual(60);
          now += answer * 1000;
          expect(use(limit, perMinute)).toBe(true);
        }
      }),
    );
  });

  it('keeps keys apart, and forgets rather than grows without end', () => {
    const limit = new RateLimit(() => 0);
    expect(use(limit, 1, 'a')).toBe(true);
    expect(use(limit, 1, 'b')).toBe(true);
    expect(use(limit, 1, 'a')).toBe(60);
    for (let i = 0; i < 60_000; i++) use(limit, 1, `key ${i}`);
    expect(use(limit, 1, 'a')).toBe(true);
  });
});
