// Canaries: secrets of every kind are made and used in every way, then looked for wherever they must not be.
import { Writable } from 'node:stream';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { abilities } from '../../src/domains/access/index.ts';
import { RateLimit } from '../../src/interfaces/http/rate-limit.ts';
import { redact } from '../../src/platform/logger.ts';
import { takesIdempotencyKey } from '../../src/platform/operation.ts';
import { openTestServer, type RequestOptions, type TestServer } from '../support/server.ts';
import { openStream } from './live-client.ts';
import { wrongRefusal } from './refusal.ts';
import { exampleRequest } from './sample-request.ts';
import { type Secret, secretsIn, secretsInTables } from './traces.ts';
import { send } from './wire.ts';

let t: TestServer;
const secrets: Secret[] = [];
const answers: { readonly what: string; readonly text: string }[] = [];
let logged = '';

/** Asks and keeps the answer; the fields in which it may show a secret, once, are taken out and kept apart. */
// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
async function ask(method: string, path: string, options: RequestOptions = {}, shown: string[] = []): Promise<any> {
  const answer = await t.request(method, path, options);
  const headers = JSON.stringify([...answer.headers].filter(([name]) => name !== 'set-cookie'));
  let { text } = answer;
  for (const field of shown) {
    const value = field.split('.').reduce((at, step) => at?.[step], answer.body);
    if (typeof value !== 'string') throw new Error(`${method} ${path} shows no ${field}: ${answer.status} ${text}`);
    secrets.push({ name: `${method} ${path} ${field}`, text: value.slice(value.indexOf('qd_')) });
    text = text.replace(JSON.stringify(value), '""');
  }
  answers.push({ what: `${method} ${path}`, text: text + headers });
  return answer.body;
}

beforeAll(async () => {
  const kept = new Writable({
    write(chunk, _encoding, done) {
      logged += String(chunk);
      done();
    },
  });
  const logger = pino({ level: 'trace' }, kept);
  let now = 0;
  t = await openTestServer({ logger, limits: new RateLimit(() => (now += 120_000)) });
});
afterAll(() => t.close());

describe('secrets of every kind, made and used', () => {
  it('are shown once where they are made', async () => {
    const token = await t.operatorToken();
    secrets.push({ name: 'the operator’s token', text: token });
    const headers = { 'idempotency-key': 'keep-nothing' };
    const body = { name: 'ci', abilities, tenant: 'default' };
    const made = await ask('POST', '/v1/tokens', { token, body, headers }, ['token']);
    await ask('POST', '/v1/agents', { token, body: { agent: 'canary' }, headers: { 'idempotency-key': 'a' } }, [
      'token',
    ]);
    const agent = await ask('POST', '/v1/agents/canary/tokens', { token, headers: { 'idempotency-key': 'b' } }, [
      'token',
    ]);
    const link = await ask('POST', '/v1/sign-in-links', { token, headers: { 'idempotency-key': 'c' } }, ['url']);
    await ask('POST', '/v1/sign-in-links', { token }, ['url']);

    const key = link.url.split('#k=')[1];
    const signedIn = await t.request('POST', '/v1/session', { body: { key }, headers: { 'idempotency-key': 'd' } });
    const cookie = /qd_session=([^;]+)/.exec(signedIn.headers.get('set-cookie') ?? '')?.[1];
    expect(cookie).toMatch(/^qd_session_/);
    secrets.push({ name: 'the session', text: cookie! });
    answers.push({ what: 'POST /v1/session', text: signedIn.text });

    const job = { kind: 'canary', payload: { n: 1 } };
    await ask('POST', '/v1/jobs', { token: made.token, body: job });
    const claim = { queues: ['canary'], limit: 1 };
    const claimed = await ask('POST', '/v1/jobs/claims', { token: agent.token, body: claim }, ['jobs.0.token']);
    await ask('POST', '/v1/events', { token: claimed.jobs[0].token, body: { event_type: 'canary.sang' } });
    const { id, lease } = claimed.jobs[0];
    const outcome = { id, lease, outcome: 'failed', error: 'on purpose', retry: false };
    await ask('POST', '/v1/jobs/completions', { token: agent.token, body: { jobs: [outcome] } });
    await ask('POST', '/v1/agents/canary/beats', { token: agent.token, body: { status: 'well' } });
    expect(secrets.length).toBeGreaterThanOrEqual(8);
    expect(new Set(secrets.map(({ text }) => text)).size).toBe(secrets.length);
  });

  it('are used in every way that could fail', async () => {
    for (const { text } of [...secrets]) {
      const wrong = `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`;
      await ask('GET', '/v1/me', { token: text });
      await ask('GET', '/v1/me', { token: wrong });
      await ask('GET', `/v1/me?token=${text}`);
      await ask('GET', `/v1/agents/${text}`, { token: secrets[0]!.text });
      await ask('POST', '/v1/session', { body: { key: wrong } });
      await ask('POST', '/v1/session', { body: `{"key": "${text}"` });
      await ask('GET', '/v1/me', { headers: { cookie: `qd_session=${text}` } });
      await ask('GET', '/v1/me', { headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` } });
    }
  });

  it('are used on every operation', async () => {
    for (const { operation } of t.app.operations.filter((bound) => bound.operation.effect === 'read')) {
      const { path } = exampleRequest(operation);
      for (const { text } of secrets) await ask(operation.method, path, { token: text });
    }
  });

  it('are used for a stream', async () => {
    const token = secrets[0]!.text;
    const headers = { accept: 'text/event-stream', connection: 'keep-alive', 'last-event-id': '' };
    const [first] = (await t.request('GET', '/v1/events?limit=1', { token })).body.items;
    const path = `/v1/live?after=${first.cursor}`;
    const stream = openStream(t.port, { method: 'GET', path, token, headers });
    try {
      answers.push({ what: 'the stream', text: await stream.until('canary.sang') });
    } finally {
      stream.socket.destroy();
    }
  });
});

it('a failure that nobody expected is logged, and the caller is told its id and nothing else', async () => {
  const token = secrets[0]!.text;
  const admin = new pg.Client({ connectionString: t.database.adminUrl });
  await admin.connect();
  try {
    await admin.query('REVOKE INSERT ON access.tokens FROM qd_system');
    const parts = { method: 'POST', path: '/v1/tokens', token, body: '{"name":"x","abilities":["log:read"]}' };
    const answer = await send(t.port, parts);
    expect(wrongRefusal(answer, { status: [500], codes: ['internal'] })).toEqual([]);
    const { request_id } = JSON.parse(answer.text);
    expect(logged).toContain(request_id);
    expect(logged).toContain('permission denied');
    answers.push({ what: 'the failure', text: answer.text });
  } finally {
    await admin.query('GRANT INSERT ON access.tokens TO qd_system');
    await admin.end();
  }
});

describe('afterwards they stand', () => {
  it('in no answer but the one that showed them', () => {
    // An address that holds a token is repeated by nothing but the words that say there is no such agent.
    const echoes = (what: string) => /^GET \/v1\/agents\/qd_/.test(what);
    const found = answers
      .filter(({ what }) => !echoes(what))
      .flatMap(({ what, text }) => secretsIn(text, secrets).map((name) => `${what}: ${name}`));
    expect(found).toEqual([]);
  });

  it('in no table, in no form', async () => {
    expect(await secretsInTables(t.database.adminUrl, secrets)).toEqual([]);
  });

  it('in no line that was logged', () => {
    expect(logged).not.toBe('');
    expect(secretsIn(logged, secrets)).toEqual([]);
  });

  it('the search for them finds what is there', async () => {
    const planted = { name: 'planted', text: secrets[0]!.text };
    expect(secretsIn(`a ${planted.text} b`, [planted])).toEqual(['planted']);
    for (const prefix of ['', 'a', 'ab', 'abc']) {
      const base64 = Buffer.from(`${prefix}${planted.text} and more`).toString('base64');
      expect(secretsIn(base64, [planted])).toEqual(['planted']);
    }
    const token = planted.text;
    await t.request('POST', '/v1/events', { token, body: { event_type: 'leak', payload: { text: token } } });
    expect(await secretsInTables(t.database.adminUrl, [planted])).toEqual(['log.event_log: planted']);
  });
});

describe('a request that showed a secret and comes again', () => {
  it('is told that no copy was kept, and makes no second one', async () => {
    const token = secrets[0]!.text;
    const headers = { 'idempotency-key': 'again' };
    const body = { name: 'once', abilities: ['log:read'] };
    expect((await t.request('POST', '/v1/tokens', { token, body, headers })).status).toBe(201);
    const again = await t.request('POST', '/v1/tokens', { token, body, headers });
    expect(again).toMatchObject({ status: 409, body: { code: 'idempotent_secret_not_kept' } });
    const other = await t.request('POST', '/v1/tokens', { token, body: { ...body, name: 'twice' }, headers });
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_key_reused' } });
    const { items } = (await t.request('GET', '/v1/tokens', { token })).body;
    expect(items.filter((item: { name: string }) => item.name === 'once')).toHaveLength(1);
  });

  it('is carried out when the first one failed', async () => {
    const token = secrets[0]!.text;
    const headers = { 'idempotency-key': 'failed-first' };
    const body = { agent: 'late', tenant: 'later' };
    expect((await t.request('POST', '/v1/agents', { token, body, headers })).status).toBe(404);
    await t.request('POST', '/v1/tenants', { token, body: { tenant: 'later' } });
    expect((await t.request('POST', '/v1/agents', { token, body, headers })).status).toBe(201);
  });

  it('gets the first answer where that held no secret', async () => {
    const token = secrets[0]!.text;
    const headers = { 'idempotency-key': 'no-secret' };
    const first = await t.request('POST', '/v1/jobs', { token, body: { kind: 'once' }, headers });
    const again = await t.request('POST', '/v1/jobs', { token, body: { kind: 'once' }, headers });
    expect(again.text).toBe(first.text);
  });

  it('is every operation that shows a secret and takes a key', () => {
    const showing = t.app.operations.map(({ operation }) => operation).filter((o) => o.secretOutput.length > 0);
    expect(showing.filter(takesIdempotencyKey).map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'access.token.create',
        'access.sign_in_link.create',
        'fleet.agent.add',
        'fleet.agent.token',
      ]),
    );
  });
});

it('the logger cuts secrets out of whatever it is given', () => {
  for (const { text } of secrets) expect(redact(`GET /x?t=${text}&y ${JSON.stringify({ text })}`)).not.toContain(text);
  expect(redact('postgres://qd:hunter2@db/x')).not.toContain('hunter2');
});

it('a session cookie can be read by no script and is sent to no other site', async () => {
  const token = secrets[0]!.text;
  const { url } = (await t.request('POST', '/v1/sign-in-links', { token })).body;
  const answer = await send(t.port, {
    method: 'POST',
    path: '/v1/session',
    body: JSON.stringify({ key: url.split('#k=')[1] }),
  });
  expect(answer.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Strict$/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
});
