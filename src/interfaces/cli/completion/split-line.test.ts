import { expect, it } from 'vitest';
import { splitLine } from './split-line.ts';

it.each([
  ['qd agent ', ['qd', 'agent', '']],
  ['qd agent sh', ['qd', 'agent', 'sh']],
  ['qd  job\tadd "a b" c', ['qd', 'job', 'add', 'a b', 'c']],
  ['qd --payload \'{"a": 1}\' x', ['qd', '--payload', '{"a": 1}', 'x']],
  ['qd a\\ b', ['qd', 'a b']],
  ['qd "open en', ['qd', 'open en']],
  ["qd '' x", ['qd', '', 'x']],
  ['', ['']],
])('%j', (line, words) => {
  expect(splitLine(line)).toEqual(words);
});
