import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../support/server.ts';
import { findPython, runUnittest } from './python.ts';

const python = findPython();

let t: TestServer;
beforeAll(async () => {
  t = await openTestServer();
});
afterAll(() => t.close());

const why = python === undefined ? ' (skipped: there is no Python ≥ 3.9 here)' : '';

describe.skipIf(python === undefined)(`the Python SDK${why}`, () => {
  it('lists, follows, works and beats against a real server', async () => {
    await t.agentToken('settler', 'acme');
    const { code, text } = await runUnittest(python!, 'tests.real_server', {
      QUARTERDECK_URL: t.url,
      QUARTERDECK_AGENT: 'pricer',
      QUARTERDECK_TOKEN: await t.agentToken('pricer'),
      OPERATOR_TOKEN: await t.operatorToken(),
    });
    expect(code, text).toBe(0);
    expect(Number(/Ran (\d+) tests/.exec(text)?.[1])).toBeGreaterThan(4);
  });
});
