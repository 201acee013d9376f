// Browser sessions as an operator looks after them: who is signed in from where, and ending one from elsewhere.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../../../test/support/server.ts';

let t: TestServer;
let token: string;
beforeAll(async () => {
  t = await openTestServer();
  token = await t.operatorToken();
});
afterAll(() => t?.close());

/** A browser that has signed in: its cookie. */
async function signIn(userAgent: string): Promise<string> {
  const link = await t.request('POST', '/v1/sign-in-links', { token, body: {} });
  const key = link.body.url.split('#k=')[1];
  const headers = { origin: t.url, 'user-agent': userAgent };
  const answer = await t.request('POST', '/v1/session', { body: { key }, headers });
  expect(answer.status).toBe(201);
  return answer.headers.get('set-cookie')!.split(';', 1)[0]!;
}

const asBrowser = (cookie: string) => ({ headers: { cookie, origin: t.url } });

it('open sessions are told with their browser, newest first, and the asking one is marked', async () => {
  await signIn('Phone/1');
  const cookie = await signIn('Laptop/2');
  const { body } = await t.request('GET', '/v1/sessions', asBrowser(cookie));
  expect(body.items).toMatchObject([
    { operator: 'ada', user_agent: 'Laptop/2', is_current: true, address: expect.any(String) },
    { operator: 'ada', user_agent: 'Phone/1', is_current: false },
  ]);
  expect(JSON.stringify(body)).not.toContain(cookie.split('=')[1]);
  const first = await t.request('GET', '/v1/sessions?limit=1', { token });
  const second = await t.request('GET', `/v1/sessions?limit=1&after=${first.body.next_cursor}`, { token });
  expect([...first.body.items, ...second.body.items].map((item) => item.user_agent)).toEqual(['Laptop/2', 'Phone/1']);
  expect(first.body.items[0].is_current).toBe(false);
});

it('a session that is ended from elsewhere is refused at once, is gone from the list, and the log says so', async () => {
  const cookie = await signIn('Stolen/3');
  expect((await t.request('GET', '/v1/me', asBrowser(cookie))).status).toBe(200);
  const { items } = (await t.request('GET', '/v1/sessions', { token })).body;
  const { session_id } = items.find((item: { user_agent: string }) => item.user_agent === 'Stolen/3');
  const ended = await t.request('DELETE', `/v1/sessions/${session_id}`, { token });
  expect(ended.body).toEqual({ session_id, operator: 'ada' });
  expect((await t.request('GET', '/v1/me', asBrowser(cookie))).status).toBe(401);
  const log = await t.request('GET', '/v1/events?event_type=access.operator.signed_out&order=desc&limit=1', { token });
  expect(log.body.items[0]).toMatchObject({
    payload: { operator: 'ada', session: session_id },
    subject: 'operator:ada',
  });
  const again = await t.request('DELETE', `/v1/sessions/${session_id}`, { token });
  expect([again.status, again.body.code]).toEqual([404, 'access.session_not_found']);
});

it('a tenant’s credential learns of no session and ends none', async () => {
  await t.request('POST', '/v1/tenants', { token, body: { tenant: 'acme' } });
  const made = await t.request('POST', '/v1/tokens', {
    token,
    body: { name: 'acme all', abilities: ['access:read', 'access:write'], tenant: 'acme' },
  });
  const { items } = (await t.request('GET', '/v1/sessions', { token })).body;
  for (const [method, path] of [
    ['GET', '/v1/sessions'],
    ['DELETE', `/v1/sessions/${items[0].session_id}`],
    ['GET', '/v1/server'],
  ] as const) {
    const answer = await t.request(method, path, { token: made.body.token });
    expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'access.fleet_only']);
  }
  expect((await t.request('GET', '/v1/sessions', { token })).body.items).toHaveLength(items.length);
});

it('what is no id of a session is not found, and one that cannot be a position is refused', async () => {
  for (const id of ['ses_nothing', 'tok_0000000000000000000000', '%20'])
    expect((await t.request('DELETE', `/v1/sessions/${id}`, { token })).body.code).toBe('access.session_not_found');
  expect((await t.request('GET', '/v1/sessions?after=x', { token })).status).toBe(422);
});
