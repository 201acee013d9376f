// Hostile readers of the live feed, by WebSocket, event stream and long poll: each is refused by name or cut off, and
// the others read on.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RateLimit } from '../../src/interfaces/http/rate-limit.ts';
import { openTestServer, type TestServer } from '../support/server.ts';
import { type LiveClient, openLive, openStream, type RawStream } from './live-client.ts';
import { wrongRefusal } from './refusal.ts';
import { exchange, requestBytes, send } from './wire.ts';
import { made } from './world.ts';

let t: TestServer;
let token: string;
const clients: LiveClient[] = [];
const streams: RawStream[] = [];

beforeAll(async () => {
  let now = 0;
  t = await openTestServer({ limits: new RateLimit(() => (now += 120_000)) });
  token = await t.operatorToken();
});
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.terminate();
  for (const { socket } of streams.splice(0)) socket.destroy();
});
afterAll(() => t.close());

function live(
  options: Parameters<typeof openLive>[2] & { token?: string | undefined; path?: string } = {},
): LiveClient {
  const bearer = 'token' in options ? options.token : token;
  const client = openLive(t.url + (options.path ?? '/v1/live'), bearer, options);
  clients.push(client);
  return client;
}

function stream(headers: Readonly<Record<string, string>> = {}, path = '/v1/live', bearer = token): RawStream {
  const opened = openStream(t.port, {
    method: 'GET',
    path,
    token: bearer,
    headers: { accept: 'text/event-stream', connection: 'keep-alive', ...headers },
  });
  streams.push(opened);
  return opened;
}

async function append(event_type: string, payload: object = {}): Promise<string> {
  return (await made(t.request('POST', '/v1/events', { token, body: { event_type, payload } }))).events[0].cursor;
}

/** A reader that is subscribed to everything. */
async function subscribed(client = live()): Promise<LiveClient> {
  await client.opened;
  client.send({ type: 'subscribe', id: 's', topics: ['everything'] });
  await client.until((message) => message.type === 'subscribed');
  return client;
}

/** The client still gets events. */
async function stillReads(client: LiveClient): Promise<void> {
  const cursor = await append('still.there');
  await client.until((message) => message.type === 'event' && message.cursor === cursor);
}

describe('an upgrade is refused', () => {
  it.each(['http://evil.example', 'http://127.0.0.1:1', 'https://127.0.0.1', 'null'])(
    'from the origin %s',
    async (origin) => {
      expect(await live({ origin }).refused).toBe(403);
    },
  );

  it('for another host', async () => {
    expect(await live({ headers: { host: 'evil.example' } }).refused).toBe(421);
  });

  it('without a token, with a token in the query only, with a wrong one', async () => {
    expect(await live({ token: undefined }).refused).toBe(401);
    expect(await live({ token: undefined, path: `/v1/live?token=${token}&access_token=${token}` }).refused).toBe(401);
    expect(await live({ token: 'qd_agent_wrong' }).refused).toBe(401);
  });

  it('without the ability to read the log', async () => {
    const body = { name: 'writer', abilities: ['log:append'] };
    const writer = await made(t.request('POST', '/v1/tokens', { token, body }));
    expect(await live({ token: writer.token }).refused).toBe(403);
  });

  it.each(['/', '//', '///v1/live', '/v1/events', '/v1/live/', '/%zz', '*', 'http://evil.example/v1/live'])(
    'at the address %s, and the server lives on',
    async (path) => {
      const bytes = requestBytes({
        method: 'GET',
        path,
        token,
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        },
      });
      const answer = await exchange(t.port, bytes);
      expect(wrongRefusal(answer, { status: [400, 404, 421] })).toEqual([]);
      expect((await send(t.port, { method: 'GET', path: '/v1/me', token })).status).toBe(200);
    },
  );

  it('that is not a WebSocket’s', async () => {
    for (const headers of [
      { upgrade: 'h2c' },
      { upgrade: 'websocket', 'sec-websocket-version': '1', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
      { upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'short' },
    ]) {
      const parts = { method: 'GET', path: '/v1/live', token, headers: { ...headers, connection: 'Upgrade' } };
      expect((await exchange(t.port, requestBytes(parts))).status).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('a WebSocket', () => {
  it('is closed with 1003 for a binary frame', async () => {
    const client = await subscribed();
    client.socket.send(Buffer.from([1, 2, 3]));
    expect(await client.closed).toBe(1003);
  });

  it('is closed with 1009 for a frame of 2 MiB', async () => {
    const client = await subscribed();
    client.send('x'.repeat(2 * 1024 * 1024));
    expect(await client.closed).toBe(1009);
  });

  it('is closed with 1007 for text that is not UTF-8', async () => {
    const client = await subscribed();
    client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect(await client.closed).toBe(1007);
  });

  it.each([
    ['text that is no JSON', 'nonsense', 'bad_json'],
    ['JSON that is cut off', '{"type":', 'bad_json'],
    ['the key __proto__', '{"type":"ping","__proto__":{}}', 'bad_json'],
    ['depth', `${'['.repeat(30_000)}`, 'too_deep'],
    ['no object', '[]', 'invalid_input'],
    ['an unknown type', '{"type":"become_admin"}', 'invalid_input'],
    ['an unknown field', '{"type":"ping","as":"admin"}', 'invalid_input'],
    ['no topics', '{"type":"subscribe","id":"x","topics":[]}', 'invalid_input'],
    [
      '51 topics',
      JSON.stringify({ type: 'subscribe', id: 'x', topics: Array(51).fill('everything') }),
      'invalid_input',
    ],
    ['a topic that is none', '{"type":"subscribe","id":"x","topics":["secrets"]}', 'log.bad_topic'],
    ['a cursor that is none', '{"type":"subscribe","id":"x","topics":["everything"],"after":"abc"}', 'log.bad_cursor'],
    ['a NUL', '{"type":"subscribe","id":"\\u0000","topics":["everything"]}', 'invalid_text'],
  ])('that sends %s is told so and stays', async (_, text, code) => {
    const client = await subscribed();
    client.send(text);
    const error = await client.until((message) => message.type === 'error');
    expect(error.code).toBe(code);
    await stillReads(client);
  });

  it('that subscribes 1,000 times is told the limit and stays', async () => {
    const client = await subscribed();
    for (let i = 0; i < 1_000; i++) client.send({ type: 'subscribe', id: `s${i}`, topics: ['type:never.*'] });
    const error = await client.until((message) => message.type === 'error');
    expect(error.code).toBe('log.too_many_topics');
    await stillReads(client);
    expect(client.messages.filter((message) => message.type === 'subscribed').length).toBeLessThanOrEqual(100);
  });

  it('that never reads is cut off with its memory bounded, and resumes without a gap; others read on', async () => {
    const other = await subscribed();
    const slow = await subscribed();
    const start = await append('flood.before');
    slow.socket.pause();
    const text = 'x'.repeat(200_000);
    const sent: string[] = [];
    const cursors = async (count: number) => {
      const events = Array.from({ length: count }, () => ({ event_type: 'flood.part', payload: { text } }));
      const body = await made(t.request('POST', '/v1/events', { token, body: { events } }));
      sent.push(...body.events.map(({ cursor }: { cursor: string }) => cursor));
    };
    // The system's own buffers hold up to ten megabytes before anything is felt here; these are twenty-four.
    for (let i = 0; i < 8; i++) await cursors(15);
    await other.until((message) => message.cursor === sent.at(-1));
    slow.socket.resume();
    expect(await slow.closed).toBe(4008);
    const isPart = (message: { type: string; event?: { event_type: string } }) =>
      message.type === 'event' && message.event?.event_type === 'flood.part';
    const got = slow.messages.filter(isPart).map(({ cursor }) => cursor);
    expect(got.length).toBeLessThan(sent.length);
    expect(got).toEqual(sent.slice(0, got.length));

    // Megabytes at once, but read as they come: that is no slow reader.
    const again = live();
    await again.opened;
    again.send({ type: 'subscribe', id: 'again', topics: ['type:flood.part'], after: got.at(-1) ?? start });
    await again.until((message) => message.cursor === sent.at(-1));
    got.push(...again.messages.filter(isPart).map(({ cursor }) => cursor));
    expect(got).toEqual(sent);
  });
});

describe('an event stream', () => {
  it.each(['abc', '-1', '1e30', '0', '../../x', '00000000-1e3', `00000000-${'9'.repeat(16)}`])(
    'with the Last-Event-ID «%s» is refused',
    async (id) => {
      const headers = { accept: 'text/event-stream', 'last-event-id': id };
      const answer = await send(t.port, { method: 'GET', path: '/v1/live', token, headers });
      expect(wrongRefusal(answer, { status: [400], codes: ['log.bad_cursor'] })).toEqual([]);
    },
  );

  it.each([
    ['no token', { authorization: '' }, 401],
    ['another origin', { origin: 'http://evil.example' }, 403],
    ['another host', { host: 'evil.example' }, 421],
  ])('with %s is refused', async (_, headers, status) => {
    const answer = await send(t.port, {
      method: 'GET',
      path: '/v1/live',
      token,
      headers: { accept: 'text/event-stream', ...headers },
    });
    expect(wrongRefusal(answer, { status: [status] })).toEqual([]);
  });

  it('with a cursor from the future is told reset and goes on from now', async () => {
    const cursor = await append('now');
    // What this process has not yet seen of the log comes after the reset, which hurts nobody but is not meant here.
    await t.app.log.tail.caughtUp();
    const [epoch, seq] = cursor.split('-');
    const reader = stream({ 'last-event-id': `${epoch}-${Number(seq) + 1_000_000}` });
    expect(await reader.until('"state":"reset"')).toContain('event: state');
    const next = await append('after.reset');
    expect(await reader.until(`id: ${next}\n`)).not.toContain(`id: ${cursor}\ndata: {"cursor"`);
  });

  it('holds one event as one, whatever line breaks its text has', async () => {
    const reader = stream();
    await reader.until('event: state');
    const text = 'a\r\nevent: forged\r\ndata: {}\r\n\r\nid: 0\n\n\rb\u2028c\u2029d\u0085e';
    const cursor = await append('text.forged', { text, 'key\n\nevent: forged': 1 });
    const received = await reader.until(`id: ${cursor}\n`);
    const after = await append('text.after');
    const all = await reader.until(`id: ${after}\n`);
    expect(received).not.toMatch(/^event: forged/m);
    expect(all).not.toMatch(/^(event: forged|id: 0$)/m);
    const line = all.split('\n').find((candidate) => candidate.includes('text.forged'))!;
    expect(JSON.parse(line.slice('data: '.length)).payload.text).toBe(text);
  });

  it('that is never read is cut off', async () => {
    const reader = stream();
    await reader.until('event: state');
    reader.socket.pause();
    const events = Array.from({ length: 15 }, () => ({
      event_type: 'flood.sse',
      payload: { text: 'x'.repeat(200_000) },
    }));
    for (let i = 0; i < 4; i++) await made(t.request('POST', '/v1/events', { token, body: { events } }));
    const witness = stream({}, '/v1/live?topics=type:witness');
    await witness.until('event: state');
    const last = await append('witness');
    await witness.until(`id: ${last}\n`);
    reader.socket.resume();
    await reader.closed;
    await expect(reader.until(`id: ${last}\n`)).rejects.toThrow();
  });
});

describe('a long poll', () => {
  it('with room for one event reads no more of the log than it answers', async () => {
    const [first] = (await made(t.request('GET', '/v1/events?limit=1', { token }))).items;
    const before = Array.from({ length: 3 }, (_, n) => ({ event_type: 'page.part', payload: { n } }));
    const { events } = await made(t.request('POST', '/v1/events', { token, body: { events: before } }));
    const poll = (after: string) =>
      made(t.request('GET', `/v1/live?topics=type:page.part&limit=1&after=${after}`, { token }));
    let cursor: string = first.cursor;
    for (const event of events) {
      const page = await poll(cursor);
      expect(page.items).toHaveLength(1);
      expect(page.next_cursor).toBe(event.cursor);
      cursor = page.next_cursor;
    }
  });

  it.each(['abc', '-1', '1e30', '00000000-01'])('with the cursor «%s» is refused', async (after) => {
    const answer = await send(t.port, { method: 'GET', path: `/v1/live?after=${after}`, token });
    expect(wrongRefusal(answer, { status: [400], codes: ['log.bad_cursor'] })).toEqual([]);
  });

  it('that waits longer than is allowed is refused', async () => {
    const answer = await send(t.port, { method: 'GET', path: '/v1/live?wait=26', token });
    expect(wrongRefusal(answer, { status: [422], field: 'wait' })).toEqual([]);
  });
});

describe('topics of another tenant', () => {
  it('give nothing, the same as names that nobody has', async () => {
    const bravo = await t.agentToken('seer', 'bravo');
    await t.agentToken('hidden', 'alpha');
    const heard: unknown[] = [];
    for (const topics of [
      ['tenant:alpha', 'agent:hidden@alpha'],
      ['tenant:nobody', 'agent:none@nobody'],
    ]) {
      const client = live({ token: bravo });
      await client.opened;
      client.send({ type: 'subscribe', id: 's', topics });
      const answer = await client.until((message) => message.type === 'subscribed');
      await made(
        t.request('POST', '/v1/events', { token, body: { event_type: 'alpha.secret', payload: {}, tenant: 'alpha' } }),
      );
      client.send({ type: 'subscribe', id: 'own', topics: ['everything'] });
      await client.until((message) => message.id === 'own');
      const own = await made(t.request('POST', '/v1/events', { token: bravo, body: { event_type: 'own.last' } }));
      await client.until((message) => message.cursor === own.events[0].cursor);
      expect(client.messages.filter((message) => message.event?.tenant === 'alpha')).toEqual([]);
      heard.push({ ...answer, cursor: '' });
    }
    expect(heard[0]).toEqual(heard[1]);
  });
});
