import { expect, it } from 'vitest';
import { wantsColours } from './colours.ts';

it.each([
  ['on a terminal', true, {}, false, true],
  ['into a pipe', false, {}, false, false],
  ['into a pipe of a build server', false, { CI: 'true' }, false, false],
  ['with NO_COLOR', true, { NO_COLOR: '1' }, false, false],
  ['with an empty NO_COLOR', true, { NO_COLOR: '' }, false, true],
  ['with NO_COLOR and FORCE_COLOR', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false, false],
  ['with FORCE_COLOR into a pipe', false, { FORCE_COLOR: '1' }, false, true],
  ['with FORCE_COLOR=0', false, { FORCE_COLOR: '0' }, false, false],
  ['on a terminal that knows none', true, { TERM: 'dumb' }, false, false],
  ['with --no-color', true, { FORCE_COLOR: '1' }, true, false],
])('colours %s', (_, isTerminal, env, refused, expected) => {
  expect(wantsColours({ isTerminal, env, refused })).toBe(expected);
});
