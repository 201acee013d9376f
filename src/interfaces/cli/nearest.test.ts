import { expect, it } from 'vitest';
import { nearest, suggestion } from './nearest.ts';

const states = ['healthy', 'late', 'silent', 'paused'];

it.each([
  ['a letter missing', 'helthy', 'healthy'],
  ['two letters exchanged', 'siletn', 'silent'],
  ['a letter too many', 'latee', 'late'],
  ['something else', 'banana', undefined],
  ['one letter', 'x', undefined],
  ['nothing', '', undefined],
])('%s: %s', (_, typed, expected) => {
  expect(nearest(typed, states)).toBe(expected);
});

it('a text without end is not compared', () => {
  expect(suggestion('late'.repeat(100_000), states)).toBe('');
});
