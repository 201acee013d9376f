import { request } from 'node:http';
import { expect, it } from 'vitest';
import { openTestServer } from '../../../test/support/server.ts';

it('a server that closes answers what is under way, also to a client that keeps its connection open', async () => {
  const t = await openTestServer();
  const token = await t.agentToken('closer');
  const answered = new Promise<number>((resolve, reject) => {
    const outgoing = request(`${t.url}/v1/jobs/claims`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'keep-alive' },
    });
    outgoing.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ queues: ['nothing'], wait: 20 }));
  });
  // The claim waits by now: another request on the server was answered after it had been sent.
  await t.request('GET', '/v1/me', { token });
  await t.close();
  expect(await answered).toBe(200);
});
