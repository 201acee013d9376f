// What a route does besides running its operation.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestServer, type TestServer } from '../../../test/support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server?.close());

test('any call with an agent’s token is a sign of life', async () => {
  const operator = await server.operatorToken();
  const token = await server.agentToken('caller');
  const state = async () => (await server.request('GET', '/v1/agents/caller', { token: operator })).body.state;
  expect(await state()).toBe('unknown');
  await server.request('GET', '/v1/me', { token });
  await expect.poll(state, { timeout: 5_000 }).toBe('healthy');
});
