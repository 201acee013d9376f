// Hostile requests against every operation of the api: each is refused by name, changes nothing, shows nothing of the
// inside, and the next request works.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { newSecret } from '../../src/domains/access/secrets.ts';
import { RateLimit } from '../../src/interfaces/http/rate-limit.ts';
import { createApiServer } from '../../src/interfaces/http/server.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { type AnyOperation, pathParameters } from '../../src/platform/operation.ts';
import { openTestServer, type TestServer } from '../support/server.ts';
import { type Footprint, openFootprint } from './footprint.ts';
import { hostileBodies } from './hostile-bodies.ts';
import { type Expected, wrongRefusal } from './refusal.ts';
import { exampleRequest, hasBody } from './sample-request.ts';
import { exchange, type RawAnswer, type RequestParts, requestBytes, send } from './wire.ts';
import { wrongBodies, wrongQueries } from './wrong-values.ts';

let t: TestServer;
let token: string;
let footprint: Footprint;
let operations: AnyOperation[];

beforeAll(async () => {
  // Every use lies minutes after the one before: limits have a case of their own.
  let now = 0;
  t = await openTestServer({ limits: new RateLimit(() => (now += 120_000)) });
  token = await t.operatorToken();
  operations = t.app.operations.map(({ operation }) => operation).filter(({ listener }) => listener === 'api');
  footprint = await openFootprint(t.database.adminUrl);
});
afterAll(async () => {
  await footprint.close();
  await t.close();
});

interface Attempt {
  readonly operation: AnyOperation;
  readonly parts: RequestParts;
  readonly expected: Expected;
  /** Tells attempts of one operation apart. */
  readonly note?: string;
}

/** Makes the attempts; answers what was not as it must be. */
async function attempt(attempts: readonly Attempt[]): Promise<string[]> {
  const before = await footprint.take();
  const wrong: string[] = [];
  for (const { operation, parts, expected, note = '' } of attempts) {
    const name = `${operation.name} ${note}`;
    const answer = await send(t.port, { token, ...parts }).catch((error: Error) => error);
    if (answer instanceof Error) wrong.push(`${name}: ${answer.message}`);
    else wrong.push(...wrongRefusal(answer, expected).map((problem) => `${name}: ${problem}`));
  }
  const next = await send(t.port, { method: 'GET', path: '/v1/me', token });
  if (next.status !== 200) wrong.push(`the next request got ${next.status}`);
  const after = await footprint.take();
  for (const [table, content] of Object.entries(before)) {
    if (after[table] !== content) wrong.push(`${table} changed from ${content} to ${after[table]}`);
  }
  return wrong;
}

const TOO_LARGE: Expected = { status: [413], codes: ['payload_too_large'] };

const withBody = () => operations.filter(hasBody);
const guarded = () => operations.filter(({ ability }) => ability !== 'public');

it('there are operations to test', () => {
  expect(operations.length).toBeGreaterThan(10);
  expect(withBody().length).toBeGreaterThan(3);
});

describe('every operation with a body refuses', () => {
  it.each(hostileBodies)('$title', async ({ parts: partsOf, expected: refusal }) => {
    const attempts = withBody().map((operation) => {
      const parts = partsOf(operation);
      const isTooLarge = Buffer.byteLength(parts.body ?? '') > operation.bodyLimit;
      return { operation, parts, expected: isTooLarge ? TOO_LARGE : refusal };
    });
    expect(await attempt(attempts)).toEqual([]);
  });

  it('a wrong value in any of its fields, naming the field', async () => {
    const attempts = withBody().flatMap((operation) =>
      wrongBodies(operation).map(({ field, json, body }) => ({
        operation,
        note: `${field} = ${json.slice(0, 40)}`,
        parts: { ...exampleRequest(operation), body },
        expected: { status: [422], codes: ['invalid_input'], field },
      })),
    );
    expect(attempts.length).toBeGreaterThan(30);
    expect(await attempt(attempts)).toEqual([]);
  });

  it('a body beyond its limit that comes in pieces without a length', async () => {
    const smallest = withBody().filter(({ bodyLimit }) => bodyLimit <= 1024 * 1024);
    const attempts = smallest.map((operation) => {
      const piece = 'a'.repeat(operation.bodyLimit + 1);
      return {
        operation,
        parts: {
          ...exampleRequest(operation),
          headers: { 'content-length': '', 'transfer-encoding': 'chunked' },
          body: `${piece.length.toString(16)}\r\n${piece}\r\n0\r\n\r\n`,
        },
        expected: TOO_LARGE,
      };
    });
    expect(await attempt(attempts)).toEqual([]);
  });

  it('depth at once, however much of it', async () => {
    const operation = withBody().find(({ bodyLimit, ability }) => bodyLimit >= 1024 * 1024 && ability !== 'public')!;
    const body = `{"deep": ${'['.repeat(400_000)}${']'.repeat(400_000)}}`;
    const started = performance.now();
    const answer = await send(t.port, { ...exampleRequest(operation), token, body });
    expect(wrongRefusal(answer, { status: [422], codes: ['too_deep'] })).toEqual([]);
    // Measured 5 to 20 ms; the limit only has to tell a scan from a stack that is used up.
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('every operation with a query refuses', () => {
  const withQuery = () => operations.filter((operation) => !hasBody(operation));
  const query = (operation: AnyOperation, text: string): RequestParts => {
    const parts = exampleRequest(operation);
    return { ...parts, path: `${parts.path}${parts.path.includes('?') ? '&' : '?'}${text}` };
  };

  it('a wrong value in any of its fields', async () => {
    const attempts = withQuery().flatMap((operation) =>
      wrongQueries(operation).map(({ field, text }) => {
        const parts = exampleRequest(operation);
        const url = new URL(parts.path, 'http://localhost');
        url.searchParams.set(field, text);
        return {
          operation,
          note: `${field} = ${JSON.stringify(text.slice(0, 40))}`,
          parts: { ...parts, path: `${url.pathname}${url.search}` },
          expected: text.includes('\u0000')
            ? { status: [422], codes: ['invalid_text'] }
            : { status: [422], codes: ['invalid_input'], field },
        };
      }),
    );
    expect(attempts.length).toBeGreaterThan(10);
    expect(await attempt(attempts)).toEqual([]);
  });

  it.each([
    ['an unknown field', 'no_such_field=1'],
    ['a field of every object', '__proto__=1'],
    ['another field of every object', 'constructor=1'],
    ['a field given twice', 'limit=1&limit=2'],
    ['a field in brackets', 'limit[]=1'],
  ])('%s', async (_, text) => {
    const expected = { status: [422], codes: ['invalid_input'] };
    expect(
      await attempt(withQuery().map((operation) => ({ operation, parts: query(operation, text), expected }))),
    ).toEqual([]);
  });
});

describe('every address refuses', () => {
  const withParameter = () => operations.filter(({ path }) => pathParameters(path).length > 0);
  const at = (operation: AnyOperation, raw: string): RequestParts => ({
    ...exampleRequest(operation),
    path: operation.path.replace(/\{\w+\}/g, raw),
  });
  const NOT_THERE = { status: [400, 404, 422] };

  it.each([
    ['a NUL', 'a%00b'],
    ['a way up', '..%2f..%2fetc%2fpasswd'],
    ['a way up in dots', '%2e%2e%2f%2e%2e%2fetc%2fpasswd'],
    ['a line break', 'a%0d%0aset-cookie:%20x=1'],
    ['a terminal sequence', '%1b%5b2J'],
    ['an option', '--help'],
    ['a statement', "x'%3b%20drop%20table%20log.event_log--"],
    ['bytes that are not UTF-8', '%ff%fe'],
    ['an escape that is none', '%zz'],
    ['250 characters', 'a'.repeat(250)],
    ['5,000 characters', 'a'.repeat(5_000)],
  ])('%s as a parameter', async (_, raw) => {
    const attempts = withParameter().map((operation) => ({
      operation,
      parts: at(operation, raw),
      expected: NOT_THERE,
    }));
    expect(attempts.length).toBeGreaterThan(1);
    expect(await attempt(attempts)).toEqual([]);
  });

  it.each([
    ['an escape that is none', '/%zz', [400], ['bad_request']],
    ['a NUL', '/a%00b', [404], ['not_found']],
    ['a way up', '/../../etc/passwd', [404], ['not_found']],
    ['a way up in escapes', '/%2e%2e/%2e%2e/etc/passwd', [404], ['not_found']],
    ['a way up behind the page’s files', '/assets/..%2f..%2f..%2fetc%2fpasswd', [404], ['not_found']],
    ['64 KiB of address', `/v1/me?x=${'a'.repeat(65_536)}`, [414, 431], ['uri_too_long', 'headers_too_large']],
    ['9 KiB of address', `/v1/me?x=${'a'.repeat(9_000)}`, [414], ['uri_too_long']],
    ['a double slash', '//v1/me', [404], ['not_found']],
    ['another server’s address', 'http://evil.example/v1/me', [421], ['bad_host']],
  ])('%s that is no operation’s', async (_, path, status, codes) => {
    const attempts = [{ operation: operations[0]!, parts: { method: 'GET', path }, expected: { status, codes } }];
    expect(await attempt(attempts)).toEqual([]);
  });

  it('methods that are not its own, and says which are', async () => {
    const wrong: string[] = [];
    for (const operation of operations) {
      for (const method of ['TRACE', 'PATCH', 'OPTIONS']) {
        if (operations.some((other) => other.path === operation.path && other.method === method)) continue;
        const answer = await send(t.port, { method, path: exampleRequest(operation).path.split('?')[0]!, token });
        wrong.push(...wrongRefusal(answer, { status: [405], codes: ['method_not_allowed'] }));
        if (!answer.headers.get('allow')?.includes(operation.method)) wrong.push(`${operation.name}: no Allow`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('every operation refuses a request', () => {
  it.each([
    ['with length and chunks together', ['content-length: 2', 'transfer-encoding: chunked']],
    ['with two lengths', ['content-length: 2', 'content-length: 7']],
    ['with a length that is no number', ['content-length: -1']],
    ['with an unknown transfer encoding', ['transfer-encoding: chunked, identity']],
    ['with a space before the colon', ['x-header : 1']],
    ['with a folded header', ['x-header: 1', ' 2']],
    ['with a NUL in a header', ['x-header: a\u0000b']],
  ])('%s, and takes nothing for a second request', async (_, lines) => {
    const wrong: string[] = [];
    for (const operation of operations) {
      const { path, method } = exampleRequest(operation);
      const parts = {
        method,
        path,
        token,
        headers: { connection: 'keep-alive', 'content-type': 'application/json' },
        lines,
      };
      const smuggled = requestBytes({ method: 'GET', path: '/v1/me', token });
      const answer = await exchange(t.port, Buffer.concat([requestBytes(parts), Buffer.from('{}0\r\n\r\n'), smuggled]));
      wrong.push(
        ...wrongRefusal(answer, { status: [400], codes: ['bad_request'] }).map((w) => `${operation.name}: ${w}`),
      );
      if (answer.text.includes('HTTP/1.1')) wrong.push(`${operation.name}: answered a second request`);
    }
    expect(wrong).toEqual([]);
  });

  it('with 64 KiB of headers', async () => {
    const headers = { 'x-large': 'a'.repeat(65_536) };
    const attempts = operations.map((operation) => ({
      operation,
      parts: { ...exampleRequest(operation), headers },
      expected: { status: [431], codes: ['headers_too_large'] },
    }));
    expect(await attempt(attempts)).toEqual([]);
  });

  it.each([
    ['evil.example', 'evil.example'],
    ['one that begins like ours', '127.0.0.1.evil.example'],
    ['one with credentials', 'user:password@127.0.0.1'],
    ['none', ''],
  ])('for another host: %s', async (_, host) => {
    const attempts = operations.map((operation) => ({
      operation,
      parts: { ...exampleRequest(operation), headers: { host } },
      expected: { status: [421], codes: ['bad_host'] },
    }));
    expect(await attempt(attempts)).toEqual([]);
  });

  it('of a page of another origin', async () => {
    const attempts = operations.flatMap((operation) =>
      ['http://evil.example', 'http://127.0.0.1:1', 'null', 'https://127.0.0.1'].map((origin) => ({
        operation,
        note: origin,
        parts: { ...exampleRequest(operation), headers: { origin, host: `127.0.0.1:${t.port}` } },
        expected: { status: [403], codes: ['cross_origin'] },
      })),
    );
    expect(await attempt(attempts)).toEqual([]);
  });

  it('with an Idempotency-Key that is none', async () => {
    const keyed = operations.filter(
      ({ method, ability, kind }) => method === 'POST' && ability !== 'public' && kind === 'unary',
    );
    const attempts = keyed.flatMap((operation) =>
      ['a b', 'a'.repeat(201), 'é'].map((key) => ({
        operation,
        parts: { ...exampleRequest(operation), headers: { 'idempotency-key': key } },
        expected: { status: [400], codes: ['bad_request'] },
      })),
    );
    expect(await attempt(attempts)).toEqual([]);
  });
});

it('no address in an answer is made from the Host header', async () => {
  const answer = await send(t.port, {
    method: 'POST',
    path: '/v1/sign-in-links',
    token,
    headers: { host: 'localhost' },
  });
  expect(answer.status).toBe(201);
  expect(JSON.parse(answer.text).url).toMatch(/^http:\/\/127\.0\.0\.1:4600\//);
});

describe('every operation that needs a credential refuses', () => {
  const each = (credential: string | undefined, expected: Expected, headers: Record<string, string> = {}) =>
    attempt(
      guarded().map((operation) => ({
        operation,
        parts: { ...exampleRequest(operation), token: credential, headers },
        expected,
      })),
    );
  const UNKNOWN = { status: [401], codes: ['unauthenticated'] };

  it('none', async () => expect(await each(undefined, UNKNOWN)).toEqual([]));

  it('none, before it reads the body', async () => {
    const attempts = guarded()
      .filter(hasBody)
      .map((operation) => ({
        operation,
        parts: { ...exampleRequest(operation), token: undefined, body: '{"cut": ' },
        expected: UNKNOWN,
      }));
    expect(await attempt(attempts)).toEqual([]);
  });

  it('none, and says the same for what is there and what is not', async () => {
    const made = await t.request('POST', '/v1/tokens', { token, body: { name: 'there', abilities: ['log:read'] } });
    const there = await send(t.port, { method: 'DELETE', path: `/v1/tokens/${made.body.token_id}` });
    const not = await send(t.port, { method: 'DELETE', path: '/v1/tokens/tok_0000000000000000000000' });
    expect(withoutRequestId(there)).toEqual(withoutRequestId(not));
  });

  it('a wrong checksum', async () => {
    const wrong = token.slice(0, -1) + (token.endsWith('a') ? 'b' : 'a');
    expect(await each(wrong, UNKNOWN)).toEqual([]);
  });

  it('one that is well formed and nobody’s', async () => {
    const kinds = ['operator', 'agent', 'job', 'session', 'link'] as const;
    for (const kind of kinds) expect(await each(newSecret(kind).text, UNKNOWN)).toEqual([]);
  });

  it.each(['Bearer', 'Bearer  ', 'Basic b3BlcmF0b3I6eA==', "Bearer ' OR 1=1 --", `Bearer ${'a'.repeat(300)}`])(
    'the header «%s»',
    async (authorization) => expect(await each(undefined, UNKNOWN, { authorization })).toEqual([]),
  );

  it('a token in the query', async () => {
    const attempts = guarded().map((operation) => {
      const parts = exampleRequest(operation);
      const path = `${parts.path}${parts.path.includes('?') ? '&' : '?'}token=${token}&access_token=${token}`;
      return { operation, parts: { ...parts, path, token: undefined }, expected: UNKNOWN };
    });
    expect(await attempt(attempts)).toEqual([]);
  });

  it('one that has expired', async () => {
    const made = await t.request('POST', '/v1/tokens', {
      token,
      body: { name: 'short', abilities: ['log:read'], expires_at: new Date(Date.now() + 60_000).toISOString() },
    });
    await asAdmin(`UPDATE access.tokens SET expires_at = now() - interval '1 second' WHERE name = 'short'`);
    expect(await each(made.body.token, { status: [401], codes: ['token_expired'] })).toEqual([]);
  });

  it('one that was revoked', async () => {
    const made = await t.request('POST', '/v1/tokens', { token, body: { name: 'ended', abilities: ['log:read'] } });
    expect((await t.request('GET', '/v1/me', { token: made.body.token })).status).toBe(200);
    await t.request('DELETE', `/v1/tokens/${made.body.token_id}`, { token });
    expect(await each(made.body.token, UNKNOWN)).toEqual([]);
  });

  it('one that lacks the ability', async () => {
    const narrow = async (ability: string): Promise<string> =>
      (await t.request('POST', '/v1/tokens', { token, body: { name: 'narrow', abilities: [ability] } })).body.token;
    const reader = await narrow('log:read');
    const writer = await narrow('log:append');
    const attempts = guarded()
      .filter(({ ability }) => ability !== 'any')
      .map((operation) => ({
        operation,
        parts: { ...exampleRequest(operation), token: operation.ability === 'log:read' ? writer : reader },
        expected: { status: [403], codes: ['denied'] },
      }));
    expect(await attempt(attempts)).toEqual([]);
  });

  it('guessing without end', async () => {
    const limited = await openTestServer();
    try {
      const answers: RawAnswer[] = [];
      for (let i = 0; i < 130; i++)
        answers.push(await send(limited.port, { method: 'GET', path: '/v1/me', token: 'qd_agent_x' }));
      const last = answers.at(-1)!;
      expect(wrongRefusal(last, { status: [429], codes: ['rate_limited'] })).toEqual([]);
      expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
      const known = await limited.operatorToken();
      expect((await send(limited.port, { method: 'GET', path: '/v1/me', token: known })).status).toBe(200);
    } finally {
      await limited.close();
    }
  });
});

it('a token with a wrong checksum is refused without asking the database', async () => {
  const logger = createLogger('test', 'silent');
  const app = createApp({
    databaseUrl: 'postgres://nobody@127.0.0.1:1/none',
    connections: 1,
    part: 'test',
    logger,
    publicUrl: () => 'http://127.0.0.1',
  });
  const server = await createApiServer({
    app,
    host: '127.0.0.1',
    port: 0,
    origins: {},
    webDir: '/nonexistent',
    logger,
  });
  try {
    const { port } = await server.listen();
    const wrong = token.slice(0, -1) + (token.endsWith('a') ? 'b' : 'a');
    const refused = await send(port, { method: 'GET', path: '/v1/me', token: wrong });
    expect(wrongRefusal(refused, { status: [401], codes: ['unauthenticated'] })).toEqual([]);
    const asked = await send(port, { method: 'GET', path: '/v1/me', token });
    expect(wrongRefusal(asked, { status: [503], codes: ['unavailable'] })).toEqual([]);
    expect(Number(asked.headers.get('retry-after'))).toBeGreaterThan(0);
  } finally {
    await server.close();
    await app.stop();
  }
});

function withoutRequestId(answer: RawAnswer): unknown {
  const { request_id: _, ...rest } = JSON.parse(answer.text) as Record<string, unknown>;
  return { status: answer.status, ...rest };
}

async function asAdmin(statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: t.database.adminUrl });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}
