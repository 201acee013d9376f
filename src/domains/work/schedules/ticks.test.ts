import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findTimingProblem, judgeTicks, nextTick, nextTicks, type Timing } from './ticks.ts';

const NOW = new Date('2026-03-01T00:00:00Z');
const cron = (line: string, zone = 'UTC'): Timing => ({
  cron: line,
  everySeconds: null,
  onceAt: null,
  zone,
  anchor: NOW,
});
const every = (seconds: number): Timing => ({
  cron: null,
  everySeconds: seconds,
  onceAt: null,
  zone: 'UTC',
  anchor: NOW,
});
const iso = (ticks: readonly Date[]) => ticks.map((tick) => tick.toISOString().replace('.000Z', 'Z'));

describe('the next ticks', () => {
  it('come exactly once in the night that loses an hour, and once in the night that has one twice', () => {
    const line = cron('30 2 * * *', 'Europe/Berlin');
    expect(iso(nextTicks(line, new Date('2026-03-28T12:00:00Z'), 2))).toEqual([
      '2026-03-29T01:00:00Z',
      '2026-03-30T00:30:00Z',
    ]);
    expect(iso(nextTicks(line, new Date('2026-10-24T12:00:00Z'), 2))).toEqual([
      '2026-10-25T00:30:00Z',
      '2026-10-26T01:30:00Z',
    ]);
  });

  it('of an interval keep their distance from the first moment on, whenever one looks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 100_000 }), fc.nat(10_000_000), (seconds, later) => {
        const after = new Date(NOW.getTime() + later * 1_000);
        const tick = nextTick(every(seconds), after)!;
        expect((tick.getTime() - NOW.getTime()) % (seconds * 1_000)).toBe(0);
        expect(tick.getTime()).toBeGreaterThan(after.getTime());
        expect(tick.getTime() - after.getTime()).toBeLessThanOrEqual(seconds * 1_000);
      }),
    );
  });

  it('of a single moment end with it', () => {
    const once: Timing = { ...every(10), everySeconds: null, onceAt: new Date('2026-03-02T00:00:00Z') };
    expect(iso(nextTicks(once, NOW, 5))).toEqual(['2026-03-02T00:00:00Z']);
    expect(nextTick(once, new Date('2026-03-02T00:00:00Z'))).toBe(undefined);
  });
});

describe('a timing is refused', () => {
  it.each([
    ['four fields', '* * * *', 'cron_invalid'],
    ['a minute that is none', '60 * * * *', 'cron_invalid'],
    ['words', 'every night', 'cron_invalid'],
    ['a day that no month has', '0 0 30 2 *', 'cron_never_runs'],
    ['every second', '* * * * * *', 'cron_too_often'],
    ['twice within ten seconds', '0,5 0 * * * *', 'cron_too_often'],
  ])('for %s', (_, line, problem) => {
    expect(findTimingProblem(cron(line), NOW)?.problem).toBe(problem);
  });

  it('for a zone that is none, and for nothing else', () => {
    expect(findTimingProblem(cron('0 3 * * *', 'Mars/Olympus'), NOW)?.problem).toBe('zone_unknown');
    expect(findTimingProblem(cron('0 3 * * *', 'Europe/Berlin'), NOW)).toBe(undefined);
    expect(findTimingProblem(cron('* * * * *'), NOW)).toBe(undefined);
    expect(findTimingProblem(cron('0 0 29 2 *'), NOW)).toBe(undefined);
    expect(findTimingProblem(cron('*/10 * * * * *'), NOW)).toBe(undefined);
  });
});

describe('ticks that nobody acted on in time', () => {
  const due = new Date('2026-03-01T01:00:00Z');
  const hourly = cron('0 * * * *');

  it('in time: each policy acts on the one tick', () => {
    for (const catchUp of ['skip', 'once', 'all'] as const) {
      const judged = judgeTicks(hourly, due, new Date('2026-03-01T01:00:30Z'), catchUp);
      expect([iso(judged.run), judged.missed, iso([judged.next!])]).toEqual([
        ['2026-03-01T01:00:00Z'],
        undefined,
        ['2026-03-01T02:00:00Z'],
      ]);
    }
  });

  it('late: `skip` acts on none, `once` on the last, `all` on each', () => {
    const now = new Date('2026-03-01T04:30:00Z');
    expect(judgeTicks(hourly, due, now, 'skip')).toMatchObject({ run: [], missed: { count: 4 } });
    const once = judgeTicks(hourly, due, now, 'once');
    expect([iso(once.run), once.missed!.count]).toEqual([['2026-03-01T04:00:00Z'], 3]);
    expect(judgeTicks(hourly, due, now, 'all')).toMatchObject({ run: { length: 4 }, missed: undefined });
  });

  it('are looked at up to a thousand, and the next one lies in the future whatever there was', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 5_000 }),
        fc.nat(30_000_000),
        fc.constantFrom('skip' as const, 'once' as const, 'all' as const),
        (seconds, late, catchUp) => {
          const timing = every(seconds);
          const first = nextTick(timing, NOW)!;
          const now = new Date(first.getTime() + late * 1_000);
          const { run, missed, more, next } = judgeTicks(timing, first, now, catchUp);
          expect(next!.getTime()).toBeGreaterThan(now.getTime());
          const passed = Math.floor(late / seconds) + 1;
          expect(run.length + (missed?.count ?? 0)).toBe(Math.min(passed, 1_000));
          expect(more).toBe(passed > 1_000);
          for (const tick of run) expect(tick.getTime()).toBeLessThanOrEqual(now.getTime());
        },
      ),
      { numRuns: 60 },
    );
  });
});
