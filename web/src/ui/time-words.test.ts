import { describe, expect, it } from 'vitest';
import { agoWords, durationWords, exactWords } from './time-words.ts';

describe('times in words', () => {
  it('name a unit at every size', () => {
    expect([0.45, 12, 99, 180, 3900, 172_800, 180_000].map(durationWords)).toEqual([
      '0.4 s',
      '12 s',
      '99 s',
      '3 m',
      '1 h 05 m',
      '2 d 0 h',
      '2 d 2 h',
    ]);
  });

  it('say ago, now and in', () => {
    expect(agoWords(0, 12_000)).toBe('12 s ago');
    expect(agoWords(1000, 1500)).toBe('now');
    expect(agoWords(180_000, 0)).toBe('in 3 m');
  });

  it('carry date and zone when they are exact', () => {
    expect(exactWords(new Date())).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d$/);
  });
});
