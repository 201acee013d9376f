import { expect, it } from 'vitest';
import { BackOff } from './back-off.ts';

it('the pause begins with a tenth of a second, doubles, and stops growing at ten seconds', () => {
  const backOff = new BackOff();
  const pauses = Array.from({ length: 10 }, () => backOff.pauseAfter(0));
  expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
});

it('a life of ten seconds begins it anew', () => {
  const backOff = new BackOff();
  for (let i = 0; i < 8; i++) backOff.pauseAfter(9_999);
  expect(backOff.pauseAfter(9_999)).toBe(10_000);
  expect(backOff.pauseAfter(10_000)).toBe(100);
});
