// What the suite makes of arguments, of vitest's report and of its own results.
import { expect, test } from 'vitest';
import { countResults } from './results.ts';
import { readArguments, steps } from './steps.ts';
import { stepFailed, summarize } from './summary.ts';

const file = (status: string, ...tests: [fullName: string, status: string][]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map(([fullName, outcome]) => ({ fullName, status: outcome })),
});

test('without a name every step runs, with names those, in the order of the list', () => {
  expect(readArguments([])).toEqual({ steps, long: false });
  expect(readArguments(['--long', 'unit', 'types'])).toMatchObject({
    long: true,
    steps: [{ name: 'types' }, { name: 'unit' }],
  });
});

test('an unknown step is refused by name', () => {
  expect(readArguments(['units'])).toBe('unknown step or option: units');
});

test('skipped and planned tests count as skipped, by name', () => {
  const tests = file('passed', ['a', 'passed'], ['b', 'skipped'], ['c', 'todo'], ['d', 'pending']);
  expect(countResults({ testResults: [tests] })).toEqual({ passed: 1, failed: 0, skipped: ['b', 'c', 'd'] });
});

test('a file that could not be loaded counts as one failed test, one with failed tests as those', () => {
  expect(countResults({ testResults: [file('failed'), file('failed', ['a', 'failed'], ['b', 'failed'])] })).toEqual({
    passed: 0,
    failed: 3,
    skipped: [],
  });
});

test('the last line sums the tests of all steps', () => {
  const text = summarize([
    { name: 'types', seconds: 1, passed: true, complaints: [] },
    { name: 'unit', seconds: 2, passed: true, complaints: [], counts: { passed: 3, failed: 0, skipped: [] } },
    { name: 'db', seconds: 2, passed: false, complaints: [], counts: { passed: 4, failed: 2, skipped: ['x'] } },
  ]);
  expect(text.trimEnd().split('\n').at(-1)).toBe('7 passed, 2 failed, 1 skipped');
});

test('a step that failed without a failed test counts as one failure', () => {
  const types = { name: 'types', seconds: 1, passed: false, complaints: [] };
  const counts = { passed: 3, failed: 0, skipped: [] };
  const unit = { name: 'unit', seconds: 1, passed: true, complaints: ['process 7 still runs'], counts };
  expect([types, unit].map(stepFailed)).toEqual([true, true]);
  expect(summarize([types, unit]).endsWith('\n\n3 passed, 2 failed\n')).toBe(true);
});

test('a green run ends with the plain line', () => {
  const counts = { passed: 3, failed: 0, skipped: [] };
  const text = summarize([{ name: 'unit', seconds: 1, passed: true, complaints: [], counts }]);
  expect(text.endsWith('\n\n3 passed, 0 failed\n')).toBe(true);
});
