import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openTestServer, type TestServer } from '../../../test/support/server.ts';

let t: TestServer;
let token: string;
beforeAll(async () => {
  t = await openTestServer();
  token = await t.operatorToken();
});
afterAll(() => t.close());

async function post(type: string, n: number): Promise<string> {
  const answer = await t.request('POST', '/v1/events', { token, body: { event_type: type, payload: { n } } });
  expect(answer.status).toBe(201);
  return answer.body.events[0].cursor;
}

async function withAdmin(work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client({ connectionString: t.database.adminUrl });
  await admin.connect();
  await work(admin).finally(() => admin.end());
}

/** Messages of a WebSocket, waited for with a limit. */
function openSocket(options: { token?: string; origin?: string; query?: string } = {}) {
  const socket = new WebSocket(`${t.url.replace('http', 'ws')}/v1/live${options.query ?? ''}`, {
    headers: { authorization: `Bearer ${options.token ?? token}` },
    ...(options.origin === undefined ? {} : { origin: options.origin }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  const messages: any[] = [];
  const waiting: (() => void)[] = [];
  socket.on('message', (data) => {
    messages.push(JSON.parse(String(data)));
    for (const wake of waiting.splice(0)) wake();
  });
  const closed = new Promise<number>((resolve) => socket.on('close', (code) => resolve(code)));
  const refused = new Promise<number>((resolve) =>
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0)),
  );
  socket.on('error', () => undefined);
  return {
    socket,
    messages,
    closed,
    refused,
    opened: new Promise<void>((resolve) => socket.on('open', () => resolve())),
    // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
    async until(accept: (message: any) => boolean, limitMs = 5_000): Promise<any> {
      const deadline = performance.now() + limitMs;
      for (;;) {
        const found = messages.find(accept);
        if (found !== undefined) return found;
        const left = deadline - performance.now();
        if (left <= 0) throw new Error(`not received; have ${JSON.stringify(messages).slice(0, 500)}`);
        await Promise.race([
          new Promise<void>((resolve) => waiting.push(resolve)),
          new Promise((resolve) => setTimeout(resolve, left)),
        ]);
      }
    },
  };
}

describe('the live feed', () => {
  it('gives a WebSocket every event behind its cursor, then what comes, once and in order', async () => {
    const start = await post('live.a', 0);
    for (let n = 1; n <= 5; n++) await post('live.a', n);
    const client = openSocket();
    await client.opened;
    client.socket.send(JSON.stringify({ type: 'subscribe', id: 's', topics: ['type:live.a'], after: start }));
    await client.until((m) => m.type === 'event' && m.event.payload.n === 5);
    for (let n = 6; n <= 10; n++) await post('live.a', n);
    await client.until((m) => m.type === 'event' && m.event.payload.n === 10);
    const numbers = client.messages.filter((m) => m.type === 'event').map((m) => m.event.payload.n);
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    client.socket.close();
  });

  it('takes topics and cursor from the address of a WebSocket too', async () => {
    const start = await post('live.d', 0);
    await post('live.d', 1);
    const client = openSocket({ query: `?topics=type:live.d&after=${start}` });
    await client.until((m) => m.type === 'event' && m.event.payload.n === 1);
    client.socket.close();
    const wrong = openSocket({ query: '?topics=nonsense' });
    expect(await wrong.until((m) => m.type === 'error')).toMatchObject({ code: 'log.bad_topic' });
    expect(await wrong.closed).toBe(1008);
    expect(await openSocket({ query: '?token=x' }).refused).toBe(422);
  });

  it('gives SSE the same, and a reader may change to polling in the middle', async () => {
    const start = await post('live.b', 0);
    for (let n = 1; n <= 3; n++) await post('live.b', n);
    const response = await fetch(`${t.url}/v1/live?topics=type:live.b`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'last-event-id': start },
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('"n":2')) text += (await reader.read()).value ?? '';
    await reader.cancel();
    const second = /id: (\S+)\ndata: [^\n]*"n":2/.exec(text)![1]!;
    const poll = await t.request('GET', `/v1/live?topics=type:live.b&after=${second}`, { token });
    expect(poll.body.items.map((item: { payload: { n: number } }) => item.payload.n)).toEqual([3]);
    const waiting = t.request('GET', `/v1/live?topics=type:live.b&wait=10&after=${poll.body.next_cursor}`, { token });
    await post('live.b', 4);
    expect((await waiting).body.items).toMatchObject([{ payload: { n: 4 } }]);
  });

  it('answers reset to a cursor of the future or of another epoch, never silently "now"', async () => {
    const here = await post('live.c', 0);
    const [epoch, seq] = here.split('-') as [string, string];
    const future = await t.request('GET', `/v1/live?after=${epoch}-${Number(seq) + 1_000_000}`, { token });
    expect(future.body).toMatchObject({ state: 'reset', items: [] });
    const other = await t.request('GET', `/v1/live?after=00000000-${seq}`, { token });
    expect(other.body.state).toBe('reset');
    expect((await t.request('GET', '/v1/live?after=nonsense', { token })).body.code).toBe('log.bad_cursor');
  });

  it('takes the cursor of an append for known while another writer is still under way', async () => {
    await withAdmin(async (admin) => {
      await admin.query('BEGIN');
      await admin.query(`INSERT INTO log.event_log (event_type, source_agent) VALUES ('slow.writer', 'sql')`);
      const cursor = await post('live.e', 1);
      const list = await t.request('GET', `/v1/events?after=${cursor}`, { token });
      expect(list.status).toBe(200);
      expect((await t.request('GET', `/v1/live?after=${cursor}`, { token })).body.state).not.toBe('reset');
      await admin.query('ROLLBACK');
    });
  });

  it('tells a reader that the log is another one, and goes on with what that one brings', async () => {
    const client = openSocket();
    await client.opened;
    client.socket.send(JSON.stringify({ type: 'subscribe', id: 's', topics: ['type:live.f'] }));
    const { cursor: before } = await client.until((m) => m.type === 'subscribed');
    await withAdmin((admin) => admin.query('UPDATE log.identity SET id = gen_random_uuid()'));
    const reset = await client.until((m) => m.type === 'subscribed' && m.state === 'reset');
    expect(reset.cursor).toMatch(/^[0-9a-f]{8}-\d+$/);
    expect(reset.cursor.slice(0, 8)).not.toBe(before.slice(0, 8));
    await post('live.f', 1);
    await client.until((m) => m.type === 'event' && m.event.payload.n === 1);
    client.socket.close();
  });

  it('shows a tenant its own events only', async () => {
    const acme = await t.agentToken('seer', 'acme');
    await t.agentToken('seer', 'other');
    const client = openSocket({ token: acme });
    await client.opened;
    client.socket.send(JSON.stringify({ type: 'subscribe', id: 's', topics: ['everything'] }));
    await client.until((m) => m.type === 'subscribed');
    await t.request('POST', '/v1/events', { token, body: { event_type: 'secret.fleet', payload: {} } });
    const other = await t.agentToken('seer', 'other');
    await t.request('POST', '/v1/events', { token: other, body: { event_type: 'secret.other', payload: {} } });
    await t.request('POST', '/v1/events', { token: acme, body: { event_type: 'own.last', payload: {} } });
    await client.until((m) => m.type === 'event' && m.event.event_type === 'own.last');
    expect(client.messages.filter((m) => m.type === 'event').every((m) => m.event.tenant === 'acme')).toBe(true);
    client.socket.close();
  });

  it('closes the stream of a revoked token before the next event', async () => {
    const made = await t.request('POST', '/v1/tokens', { token, body: { name: 'short', abilities: ['log:read'] } });
    const client = openSocket({ token: made.body.token });
    await client.opened;
    client.socket.send(JSON.stringify({ type: 'subscribe', id: 's', topics: ['everything'] }));
    await client.until((m) => m.type === 'subscribed');
    await t.request('DELETE', `/v1/tokens/${made.body.token_id}`, { token });
    await post('after.revocation', 1);
    expect(await client.closed).toBe(4401);
    expect(client.messages.some((m) => m.event?.event_type === 'after.revocation')).toBe(false);
    expect((await t.request('GET', '/v1/me', { token: made.body.token })).status).toBe(401);
  });

  it('refuses an upgrade without a credential, from another origin, or elsewhere', async () => {
    expect(await openSocket({ token: 'qd_agent_wrong' }).refused).toBe(401);
    expect(await openSocket({ origin: 'http://evil.example' }).refused).toBe(403);
    expect(await openSocket({ origin: 'http://127.0.0.1:1' }).refused).toBe(403);
  });
});
