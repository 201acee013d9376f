import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backOffSeconds, judge } from './jobs.ts';

const job = fc
  .record({ max_attempts: fc.integer({ min: 1, max: 100 }), done: fc.integer({ min: 0, max: 99 }) })
  .map(({ max_attempts, done }) => ({
    max_attempts,
    attempt: 1 + (done % max_attempts),
    back_off_seconds: null,
    losses: 0,
    timed_out: false,
  }));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it('tries again exactly while attempts are left', () => {
  fc.assert(
    fc.property(job, random, (attempt, chance) => {
      const isLast = attempt.attempt === attempt.max_attempts;
      expect(judge(attempt, { kind: 'failed', retry: true }, chance).state).toBe(isLast ? 'dead' : 'scheduled');
      expect(judge(attempt, { kind: 'failed', retry: false }, chance).state).toBe('dead');
      expect(judge(attempt, { kind: 'lost' }, chance).state).toBe(isLast ? 'dead' : 'queued');
      expect(judge(attempt, { kind: 'done' }, chance)).toEqual({ state: 'done' });
    }),
  );
});

it('waits twice as long after each failure, half of it by chance, and an hour at most', () => {
  expect([1, 2, 3].map((attempt) => backOffSeconds(attempt, 0))).toEqual([2.5, 5, 10]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), random, (attempt, chance) => {
      const seconds = backOffSeconds(attempt, chance);
      expect(seconds).toBeGreaterThanOrEqual(2.5);
      expect(seconds).toBeLessThanOrEqual(3_600);
      expect(seconds).toBeLessThanOrEqual(2 * backOffSeconds(attempt, 0));
    }),
  );
});

it('takes out a job that lost its worker three times, whatever attempts are left', () => {
  const attempt = { attempt: 3, max_attempts: 100, back_off_seconds: null, timed_out: false };
  expect(judge({ ...attempt, losses: 1 }, { kind: 'lost' }, 0)).toEqual({ state: 'queued', reason: 'lost_worker' });
  expect(judge({ ...attempt, losses: 2 }, { kind: 'lost' }, 0)).toEqual({ state: 'dead', reason: 'crashed' });
});

it('treats an attempt that ran too long as one that failed', () => {
  const attempt = { attempt: 1, max_attempts: 2, back_off_seconds: 60, losses: 0, timed_out: true };
  expect(judge(attempt, { kind: 'lost' }, 0)).toEqual({ state: 'scheduled', reason: 'timeout', delaySeconds: 30 });
  expect(judge({ ...attempt, attempt: 2 }, { kind: 'lost' }, 0)).toEqual({ state: 'dead', reason: 'timeout' });
});

it('waits as long as the worker asks for', () => {
  const attempt = { attempt: 1, max_attempts: 2, back_off_seconds: 60, losses: 0, timed_out: false };
  const outcome = { kind: 'failed', retry: true, retryInSeconds: 7 } as const;
  expect(judge(attempt, outcome, 0.9)).toEqual({ state: 'scheduled', reason: 'failed', delaySeconds: 7 });
});
