import { Agent, request } from 'node:http';
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

it('a request that comes while it closes is refused in our words, and its connection ends', async () => {
  const t = await openTestServer();
  const token = await t.agentToken('late');
  // One connection that is kept: a new one is not accepted any more.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (path: string, body: object) =>
    new Promise<{ status: number | undefined; type: string | undefined; text: string }>((resolve, reject) => {
      const outgoing = request(`${t.url}${path}`, {
        agent,
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      });
      outgoing.on('response', (response) => {
        let text = '';
        response.on('data', (part) => {
          text += part;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode, type: response.headers['content-type'], text }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify(body));
    });
  try {
    const waiting = ask('/v1/jobs/claims', { queues: ['nothing'], wait: 20 });
    const behind = ask('/v1/events', { event_type: 'too.late' });
    await t.request('GET', '/v1/me', { token });
    await t.close();
    expect((await waiting).status).toBe(200);
    const { status, type, text } = await behind;
    expect([status, type]).toEqual([503, expect.stringContaining('application/problem+json')]);
    expect(JSON.parse(text)).toMatchObject({ code: 'closing', retryable: true });
  } finally {
    agent.destroy();
  }
});
