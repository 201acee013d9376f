import { describe, expect, it } from 'vitest';
import { findPython, runUnittest } from './python.ts';

const python = findPython();

const why = python === undefined ? ' (skipped: there is no Python ≥ 3.9 here)' : '';

describe.skipIf(python === undefined)(`the Python SDK${why}`, () => {
  it.each(['tests.test_connection', 'tests.test_outbox', 'tests.test_live', 'tests.test_held_jobs'])(
    '%s',
    async (module) => {
      const { code, text } = await runUnittest(python!, module);
      expect(code, text).toBe(0);
      expect(Number(/Ran (\d+) tests/.exec(text)?.[1])).toBeGreaterThan(3);
    },
  );
});
