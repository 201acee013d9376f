import fc from 'fast-check';
import { expect, test } from 'vitest';
import { freshHistory, judgeEnd } from './restarts.ts';

const end = { restart: 'always', code: 1, ranMs: 10, now: 1_000_000, random: 1 } as const;

test('the first try comes within a second, later ones back off to a minute at most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40 }), fc.double({ min: 0, max: 1, noNaN: true }), (streak, random) => {
      const { verdict } = judgeEnd({ ends: [], streak }, { ...end, random });
      if (verdict.kind !== 'again') throw new Error(verdict.kind);
      expect(verdict.delayMs).toBeGreaterThanOrEqual(500);
      expect(verdict.delayMs).toBeLessThanOrEqual(Math.min(60_000, 1_000 * 2 ** streak));
    }),
  );
});

test('five ends within a minute open the breaker, spread over more than a minute they do not', () => {
  const run = (spacingMs: number) => {
    let history = freshHistory;
    const kinds: string[] = [];
    for (let i = 0; i < 6; i++) {
      const judged = judgeEnd(history, { ...end, now: i * spacingMs });
      history = judged.history;
      kinds.push(judged.verdict.kind);
    }
    return kinds;
  };
  expect(run(10_000)).toEqual(['again', 'again', 'again', 'again', 'crashed', 'crashed']);
  expect(run(16_000)).not.toContain('crashed');
});

test('after a minute of running the back-off starts anew', () => {
  const { history, verdict } = judgeEnd({ ends: [], streak: 9 }, { ...end, ranMs: 60_000 });
  expect(history.streak).toBe(1);
  expect(verdict).toEqual({ kind: 'again', delayMs: 1_000 });
});

test('the restart rule decides whether an end is final', () => {
  const kind = (restart: 'always' | 'on-failure' | 'never', code: number | null) =>
    judgeEnd(freshHistory, { ...end, restart, code }).verdict.kind;
  expect([kind('never', 1), kind('on-failure', 0), kind('never', null)]).toEqual(['done', 'done', 'done']);
  expect([kind('always', 0), kind('on-failure', 1), kind('on-failure', null)]).toEqual(['again', 'again', 'again']);
});
