import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowsWords, fieldOf, fullAlready, readForm, windowWords } from './limits.ts';

describe('what a channel allows', () => {
  it('is said in one sentence, short windows first', () => {
    const day = { limit: 5000, window_seconds: 86_400 };
    const second = { limit: 10, window_seconds: 1 };
    expect(allowsWords(null, [])).toBe('Any number of jobs may start at any time.');
    expect(allowsWords(1, [])).toBe('At most 1 runs at once.');
    expect(allowsWords(null, [day, second])).toBe('At most 10 start in any second and 5,000 in any day.');
    expect(allowsWords(4, [day, { limit: 60, window_seconds: 90 }, second])).toBe(
      'At most 4 run at once and at most 10 start in any second, 60 in any 90 seconds and 5,000 in any day.',
    );
  });

  it('names windows by their largest whole unit', () => {
    expect([1, 10, 60, 90, 300, 3600, 5400, 86_400, 604_800].map(windowWords)).toEqual([
      'second',
      '10 seconds',
      'minute',
      '90 seconds',
      '5 minutes',
      'hour',
      '90 minutes',
      'day',
      '7 days',
    ]);
  });

  it('comes out of the form as it went in, whatever it is', () => {
    const limit = fc.record({
      limit: fc.integer({ min: 1, max: 1_000_000_000 }),
      window_seconds: fc.integer({ min: 1, max: 31_536_000 }),
    });
    const limits = fc.uniqueArray(limit, { maxLength: 8, selector: (one) => one.window_seconds });
    const concurrency = fc.option(fc.integer({ min: 1, max: 100_000 }));
    fc.assert(
      fc.property(concurrency, limits, (most, given) => {
        const read = readForm(most === null ? '' : String(most), given.map(fieldOf));
        expect(read).toEqual({ concurrency: most, limits: given, problems: [] });
      }),
    );
  });

  it('is refused with words when it cannot be meant', () => {
    const field = { key: 0, limit: '10', count: '1', unit: 60 };
    const problemsOf = (concurrency: string, change: object = {}) =>
      readForm(concurrency, [field, { ...field, count: '2', ...change }]).problems;
    expect(problemsOf('')).toEqual([]);
    for (const bad of ['0', '-1', '1.5', 'many', '100001']) expect(problemsOf(bad), bad).toHaveLength(1);
    for (const bad of ['', '0', '1e10']) expect(problemsOf('', { limit: bad }), bad).toHaveLength(1);
    expect(problemsOf('', { count: '0' })).toHaveLength(1);
    expect(problemsOf('', { count: '60', unit: 1 })).toEqual(['Two limits are for any minute: keep one of them']);
  });

  it('says which windows a change finds full', () => {
    const now = [{ limit: 10, window_seconds: 3600, used: 7 }];
    expect(fullAlready(now, [{ limit: 8, window_seconds: 3600 }])).toEqual([]);
    expect(fullAlready(now, [{ limit: 7, window_seconds: 3600 }])).toEqual([
      '7 count already in this hour: nothing starts until enough of them are older than that.',
    ]);
  });
});
