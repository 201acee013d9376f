import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clockChanges,
  dayTimeWords,
  laneOf,
  lengthWords,
  localField,
  momentOf,
  PREVIEWED,
  timingWords,
} from './timing.ts';

const HOUR = 3_600_000;
const from = Date.parse('2026-01-02T00:00:00.000Z');
const to = from + 24 * HOUR;
const iso = (at: number) => new Date(at).toISOString();
const base = { cron: null, every_seconds: null, at: null, zone: 'UTC', next_at: iso(from + HOUR), paused: null };
const tick = (at: number) => ({ at: iso(at), local: iso(at).slice(0, 19).replace('T', ' ') });

describe('the timing of a schedule', () => {
  it('is said in words', () => {
    expect(timingWords({ ...base, cron: '0 3 * * *' })).toBe('0 3 * * *');
    expect(timingWords({ ...base, every_seconds: 300 })).toBe('every 5 minutes');
    expect(timingWords({ ...base, at: iso(from) })).toBe('once');
    expect([10, 60, 90, 3600, 86_400, 172_800].map(lengthWords)).toEqual([
      '10 seconds',
      'minute',
      '90 seconds',
      'hour',
      'day',
      '2 days',
    ]);
  });

  it('is drawn tick by tick within the day, and as a band where it comes often', () => {
    expect(laneOf({ ...base, at: iso(from + HOUR) }, undefined, from, to)).toEqual({
      ticks: [from + HOUR],
      often: undefined,
    });
    expect(
      laneOf({ ...base, every_seconds: 6 * 3600 }, undefined, from, to).ticks.map((at) => (at - from) / HOUR),
    ).toEqual([1, 7, 13, 19]);
    expect(laneOf({ ...base, every_seconds: 60 }, undefined, from, to)).toEqual({ ticks: [], often: from + HOUR });
    const daily = [from + HOUR, from + 25 * HOUR].map(tick);
    expect(laneOf({ ...base, cron: '0 1 * * *' }, daily, from, to).ticks).toEqual([from + HOUR]);
    const minutes = Array.from({ length: PREVIEWED }, (_, n) => tick(from + n * 60_000));
    expect(laneOf({ ...base, cron: '* * * * *' }, minutes, from, to)).toEqual({ ticks: [], often: from });
  });

  it('is an empty lane while it is paused or never comes again', () => {
    const paused = { since: iso(from), by: 'ada', reason: null };
    expect(laneOf({ ...base, every_seconds: 3600, paused }, undefined, from, to).ticks).toEqual([]);
    expect(laneOf({ ...base, every_seconds: 3600, next_at: null }, undefined, from, to).ticks).toEqual([]);
  });

  it('keeps the ticks of an interval within the day, a step apart', () => {
    const seconds = fc.integer({ min: 10, max: 200_000 });
    const offset = fc.integer({ min: -100_000_000, max: 100_000_000 });
    fc.assert(
      fc.property(seconds, offset, (every_seconds, ms) => {
        const { ticks } = laneOf({ ...base, every_seconds, next_at: iso(from + ms) }, undefined, from, to);
        expect(ticks.every((at) => at >= from && at < to)).toBe(true);
        expect(ticks.every((at, n) => n === 0 || at - ticks[n - 1]! === every_seconds * 1000)).toBe(true);
        const isBetween = from + ms >= from && from + ms < to;
        if (isBetween && ticks.length > 0) expect(ticks[0]).toBe(from + ms);
      }),
    );
  });

  it('tells where the clocks change between two ticks', () => {
    const ticks = [
      { at: '2026-03-28T02:00:00.000Z', local: '2026-03-28 03:00:00' },
      { at: '2026-03-29T01:00:00.000Z', local: '2026-03-29 03:00:00' },
      { at: '2026-03-30T01:00:00.000Z', local: '2026-03-30 03:00:00' },
    ];
    expect([...clockChanges(ticks)]).toEqual(['2026-03-29T01:00:00.000Z']);
    expect(clockChanges([]).size).toBe(0);
  });

  it('is read from and written to the fields of a form', () => {
    const at = new Date('2026-03-29T10:15:00.000Z');
    expect(momentOf(localField(at))).toBe(at.toISOString());
    for (const bad of ['', 'soon', '2026-13-40T00:00']) expect(momentOf(bad), bad).toBe(undefined);
    expect(dayTimeWords(at, 'Europe/Berlin')).toBe('Sun 12:15');
    expect(dayTimeWords(at, 'No/Where')).toMatch(/^\w{3} \d\d:\d\d$/);
  });
});
