// What holds for the sessions of agents that speak plain SQL: the limits of what they append, and who ends them.
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openTestApp, type TestApp } from '../../../test/support/app.ts';
import { openSqlSession, type SqlSession } from '../../../test/support/sql-session.ts';
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import { isAppError } from '../../platform/errors.ts';
import { parseJsonText } from '../../platform/json-text.ts';
import { endLongHolders } from '../log/loops.ts';
import { appendEvents } from '../log/operations.ts';
import { SqlSessions } from './sql-sessions.ts';

let t: TestApp;
let call: Call;
let agent: SqlSession;

beforeAll(async () => {
  t = await openTestApp();
  call = t.app.call(await t.operatorCaller());
  agent = await openSqlSession(t, 'writer', 'acme');
});
afterAll(async () => {
  await agent?.end();
  await t?.close();
});

const INSERT = 'INSERT INTO event_log (event_type, source_agent, payload) VALUES ($1, $2, $3)';
const insert = (event_type: string | null, payload: string | null) =>
  agent.refusal(INSERT, [event_type, 'me', payload]);

const session = async (name: string): Promise<SqlSession> => {
  const opened = await openSqlSession(t, name, 'acme');
  onTestFinished(() => opened.end());
  return opened;
};
const ended = ({ client }: SqlSession) => new Promise<void>((resolve) => client.once('end', resolve));
const newest = async (event_type: string) =>
  (await t.app.log.list(call, { limit: 1, order: 'desc', event_type })).items[0];

describe('what is appended in plain SQL', () => {
  it.each([
    ['a type that is missing', null, '{}', /lower-case words.* invalid_input$/],
    ['a type of another form', 'Git Commit', '{}', /lower-case words.* invalid_input$/],
    ['a type with a line break at its end', 'git.commit\n', '{}', /lower-case words/],
    ['a type that is too long', `a${'.b'.repeat(50)}`, '{}', /lower-case words/],
    ['a type that a room writes', 'work.job.claimed', '{}', /written by the server only log\.reserved_event_type$/],
    ['a payload that is missing', 'a.b', null, /no JSON object invalid_input$/],
    ['a list', 'a.b', '[1]', /no JSON object/],
    ['a text', 'a.b', '"x"', /no JSON object/],
    ['an integer that would be rounded', 'a.b', '{"n": 9007199254740993}', /would be rounded/],
    ['a number beyond any', 'a.b', '{"n": [1e400]}', /too large/],
    ['a key that changes programs', 'a.b', '{"a": {"__proto__": 1}}', /__proto__/],
    ['another of the kind', 'a.b', '{"constructor": {"prototype": {}}}', /__proto__/],
    ['a NUL', 'a.b', '{"a": "\\u0000"}', /22P05/],
    ['half a character', 'a.b', '{"a": "\\ud800"}', /22P02|22P05/],
    ['no JSON', 'a.b', '{', /22P02/],
    ['a nesting to break the stack', 'a.b', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, /54001|deeper than 63/],
    ['a key that is too long', 'a.b', `{"${'k'.repeat(257)}": 1}`, /longer than 256/],
  ])('is refused: %s', async (_, event_type, payload, refusal) => {
    expect(await insert(event_type, payload)).toMatch(refusal);
  });

  it.each([
    ['subject', 201],
    ['correlation_id', 65],
    ['causation_id', 65],
  ])('is refused with a %s that is empty or too long', async (column, tooLong) => {
    const statement = `INSERT INTO event_log (event_type, ${column}) VALUES ('a.b', $1)`;
    for (const length of [0, tooLong]) expect(await agent.refusal(statement, ['x'.repeat(length)])).toMatch(/^22023/);
    for (const length of [1, tooLong - 1])
      expect(await agent.refusal(statement, ['x'.repeat(length)])).toBe('accepted');
  });

  it('is bounded to the byte, level and key as over HTTP', async () => {
    const ofBytes = (bytes: number) => JSON.stringify({ list: [1, 2, 3], text: 'x'.repeat(bytes - 26) });
    expect(Buffer.byteLength(ofBytes(262_144))).toBe(262_144);
    const ofKeys = (keys: number) => `{"a": {${Array.from({ length: keys }, (_, i) => `"k${i}": 1`)}}}`;
    const ofDepth = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    for (const [fits, not] of [
      [ofBytes(262_144), ofBytes(262_145)],
      [ofKeys(1000), ofKeys(1001)],
      [ofDepth(63), ofDepth(64)],
    ]) {
      expect([overHttp(fits!), overHttp(not!)]).toEqual(['accepted', 'refused']);
      expect(await insert('a.b', fits!)).toBe('accepted');
      expect(await insert('a.b', not!)).toMatch(/^22023/);
    }
    // As text of the database it is half as large again.
    const many = JSON.stringify({ list: Array.from({ length: 100_000 }, () => 1) });
    expect([overHttp(many), await insert('a.b', many)]).toEqual(['accepted', 'accepted']);
  });

  it('is accepted exactly when it would be over HTTP', async () => {
    const hostile = fc.constantFrom('__proto__', 'constructor', 'prototype', 'k'.repeat(256), 'k'.repeat(257), '', 'ä');
    const leaf = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.constant(null),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
    );
    const { payload } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 5 }, leaf, fc.array(tie('value'), { maxLength: 3 }), tie('payload')),
      payload: fc
        .array(fc.tuple(fc.oneof(hostile, fc.string()), tie('value')), { maxLength: 4 })
        .map((entries) => Object.fromEntries(entries.map(([key, value]) => [key, value]))),
    }));
    const type = fc.oneof(fc.constantFrom('a.b', 'a-b_c.d1', 'a..b', '.a', 'A.b', 'a b', 'ä.b', ''), fc.string());
    await fc.assert(
      fc.asyncProperty(type, payload as fc.Arbitrary<object>, async (event_type, value) => {
        fc.pre(!event_type.includes('\0'));
        // A parser makes no own key of `__proto__`; as text it is one.
        const text = JSON.stringify(value);
        const refusal = await insert(event_type, text);
        expect(refusal === 'accepted' ? 'accepted' : 'refused').toBe(overHttp(text, event_type));
      }),
      { numRuns: 300 },
    );
  });
});

/** What the api would say to this payload, before anything is written. */
function overHttp(payload: string, event_type = 'a.b'): 'accepted' | 'refused' {
  try {
    const body = parseJsonText(`{"event_type":${JSON.stringify(event_type)},"payload":${payload}}`);
    const parsed = appendEvents.input.safeParse(body);
    return parsed.success && Buffer.byteLength(JSON.stringify(parsed.data.payload)) <= 262_144 ? 'accepted' : 'refused';
  } catch (error) {
    if (isAppError(error)) return 'refused';
    throw error;
  }
}

describe('a session of plain SQL', () => {
  it('that holds readers up behind an append is ended, although nobody here is a superuser', async () => {
    const holder = await session('holder');
    await holder.rows('BEGIN');
    await holder.rows(`INSERT INTO event_log (event_type) VALUES ('never.seen')`);
    const gone = ended(holder);
    await endLongHolders(t.app.db, t.app.log, t.app.systemCall(), 0)();
    await gone;
    expect(await newest('log.writer.ended')).toMatchObject({ payload: { role: holder.role } });
    expect(await newest('never.seen')).toBeUndefined();
  });

  it('whose transaction lasts too long is ended, although it lifted its limits, and the log says so', async () => {
    const lasting = await session('lasting');
    await lasting.rows('SET statement_timeout = 0');
    await lasting.rows('SET idle_in_transaction_session_timeout = 0');
    await lasting.rows('BEGIN');
    await lasting.rows('SELECT 1');
    const gone = ended(lasting);
    await t.app.access.sqlSessions.tidy(t.app.systemCall());
    await expect(lasting.rows('SELECT 1')).resolves.toBeDefined();
    await t.app.access.sqlSessions.tidy(t.app.systemCall(), 0);
    await gone;
    expect(await newest('access.sql_session.ended')).toMatchObject({
      subject: 'agent:lasting',
      tenant: 'acme',
      payload: { agent: 'lasting', role: lasting.role, reason: 'its transaction lasted too long' },
    });
  });

  it('that takes a lock of the system is ended at the next look', async () => {
    const locking = await session('locking');
    await locking.rows('SELECT pg_advisory_lock(7310580)');
    const gone = ended(locking);
    await t.app.access.sqlSessions.tidy(t.app.systemCall());
    await gone;
    expect(await newest('access.sql_session.ended')).toMatchObject({ payload: { agent: 'locking' } });
  });

  it('that works within its limits is left alone', async () => {
    await agent.rows(`INSERT INTO event_log (event_type) VALUES ('quiet.work')`);
    await t.app.access.sqlSessions.tidy(t.app.systemCall());
    expect(await agent.rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('has readers woken for what it committed, and for nothing else', async () => {
    let woken = 0;
    const wakeups = { notify: () => woken++ } as unknown as Wakeups;
    const sqlSessions = new SqlSessions({ db: t.app.db, log: t.app.log, wakeups });
    await sqlSessions.tidy(t.app.systemCall());
    await sqlSessions.wakeReaders();
    await sqlSessions.wakeReaders();
    expect(woken).toBe(1);
    await agent.rows('BEGIN');
    await agent.rows(`INSERT INTO event_log (event_type) VALUES ('woken.by')`);
    await sqlSessions.wakeReaders();
    expect(woken).toBe(1);
    await agent.rows('COMMIT');
    await sqlSessions.wakeReaders();
    expect(woken).toBe(2);
  });

  it('that signs in as a role removed in between is dropped with it by whoever looks next', async () => {
    const left = await session('left-behind');
    const admin = new pg.Client({ connectionString: t.database.adminUrl });
    await admin.connect();
    onTestFinished(() => admin.end());
    // As after a kill between the removal and its last step.
    await admin.query('UPDATE access.sql_roles SET removed_at = now() WHERE role_name = $1', [left.role]);
    const gone = ended(left);
    await t.app.access.sqlSessions.tidy(t.app.systemCall());
    await gone;
    expect((await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [left.role])).rowCount).toBe(0);
    expect((await admin.query('SELECT FROM access.sql_roles WHERE role_name = $1', [left.role])).rowCount).toBe(0);
  });
});
