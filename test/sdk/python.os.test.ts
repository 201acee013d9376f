import { describe, expect, it } from 'vitest';
import { findPython, runUnittest } from './python.ts';

const python = findPython();

describe.skipIf(python === undefined)('the Python SDK (skipped: there is no Python ≥ 3.9 here)', () => {
  it.each(['tests.test_connection', 'tests.test_outbox', 'tests.test_live'])('%s', async (module) => {
    const { code, text } = await runUnittest(python!, module);
    expect(code, text).toBe(0);
    expect(Number(/Ran (\d+) tests/.exec(text)?.[1])).toBeGreaterThan(3);
  });
});
