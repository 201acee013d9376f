import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openTestApp, type TestApp } from '../../../test/support/app.ts';
import { copyIn } from '../../../test/support/copy-in.ts';
import { connectAs, openSqlSession, type SqlSession } from '../../../test/support/sql-session.ts';
import { createApp } from '../../app.ts';
import type { Call } from '../../platform/call.ts';
import { createLogger } from '../../platform/logger.ts';

let t: TestApp;
let call: Call;
let pricer: SqlSession;
let scout: SqlSession;
let admin: pg.Client;

beforeAll(async () => {
  t = await openTestApp();
  call = t.app.call(await t.operatorCaller());
  admin = new pg.Client({ connectionString: t.database.adminUrl });
  await admin.connect();
  pricer = await openSqlSession(t, 'pricer');
  scout = await openSqlSession(t, 'scout', 'acme');
});
afterAll(async () => {
  await pricer?.end();
  await scout?.end();
  await admin?.end();
  await t?.close();
});

/** A session that ends with its test. */
async function session(agent: string, tenant?: string): Promise<SqlSession> {
  const opened = await openSqlSession(t, agent, tenant);
  onTestFinished(() => opened.end());
  return opened;
}

const signIn = (url: string) =>
  connectAs('', url).then(
    (opened) => opened.end().then(() => 'accepted'),
    (error: { code: string }) => error.code,
  );

const verifierOf = async (role: string): Promise<string> =>
  (await admin.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [role])).rows[0].rolpassword;

const events = async (event_type: string) =>
  (await t.app.log.list(call, { limit: 50, order: 'desc', event_type })).items;

const INSERT = 'INSERT INTO event_log (event_type, source_agent, payload) VALUES ($1, $2, $3)';

describe('plain SQL', () => {
  it('appends an event, which readers get under the name and tenant of the agent, whatever it said', async () => {
    await scout.rows(
      `INSERT INTO event_log (event_type, source_agent, payload) VALUES ('lead.found', 'pricer', '{"a": 1}')`,
    );
    expect(await events('lead.found')).toMatchObject([{ source_agent: 'scout', tenant: 'acme', payload: { a: 1 } }]);
    await pricer.rows(INSERT, ['price.checked', 'pricer', { sku: 'A1' }]);
    expect(await events('price.checked')).toMatchObject([{ source_agent: 'pricer', tenant: 'fleet' }]);
  });

  it('appends many at once, by a list and by COPY, with what may be left out', async () => {
    await scout.rows(`INSERT INTO event_log (event_type, source_agent) VALUES ('many.one', ''), ('many.two', NULL)`);
    await scout.rows(
      `INSERT INTO event_log (event_type, subject, correlation_id, causation_id) VALUES ('many.three', 's', 'c', 'd')`,
    );
    await copyIn(scout.client, 'COPY event_log (event_type, payload) FROM STDIN', 'many.four\t{"by": "copy"}\n');
    expect(await events('many.*')).toMatchObject([
      { event_type: 'many.four', source_agent: 'scout', tenant: 'acme', payload: { by: 'copy' } },
      { event_type: 'many.three', subject: 's', correlation_id: 'c', causation_id: 'd', payload: {} },
      { event_type: 'many.two', source_agent: 'scout' },
      { event_type: 'many.one', source_agent: 'scout' },
    ]);
  });

  it('reads jobs and health, of its own tenant; an agent of the fleet those of every tenant', async () => {
    for (const tenant of ['acme', 'other']) {
      await t.operatorCaller(tenant);
      await t.app.work.add(call, { tenant, kind: `${tenant}-low`, priority: 9, payload: { of: tenant } } as never);
      await t.app.work.add(call, { tenant, kind: `${tenant}-first`, priority: 1, payload: {} } as never);
    }
    const jobs = `SELECT * FROM batch_jobs WHERE status = 'queued' ORDER BY priority`;
    expect((await scout.rows(jobs)).map(({ kind }) => kind)).toEqual(['acme-first', 'acme-low']);
    expect((await pricer.rows(jobs)).map(({ priority }) => priority)).toEqual([1, 1, 9, 9]);

    await admin.query(`UPDATE fleet.health_checks SET last_seen = now() - interval '1 hour'`);
    const silent = `SELECT agent, last_seen FROM health_checks WHERE last_seen < NOW() - INTERVAL '15 minutes' ORDER BY 1`;
    expect((await scout.rows(silent)).map(({ agent }) => agent)).toEqual(['scout']);
    expect((await pricer.rows(silent)).map(({ agent }) => agent)).toEqual(['pricer', 'scout']);
  });

  it('opens no history to find what is queued', async () => {
    const plan = async (text: string) => JSON.stringify(await pricer.rows(`EXPLAIN (FORMAT JSON, COSTS OFF) ${text}`));
    expect(await plan(`SELECT * FROM batch_jobs WHERE status = 'queued' ORDER BY priority`)).not.toContain(
      'ended_jobs',
    );
    expect(await plan(`SELECT * FROM batch_jobs WHERE status = 'done'`)).toContain('ended_jobs');
  });

  it('shows every column of batch_jobs that the operator sees', async () => {
    const { rows } = await admin.query(
      `SELECT table_schema AS of, array_agg(column_name::text ORDER BY column_name) AS columns
       FROM information_schema.columns WHERE table_name = 'batch_jobs' GROUP BY 1 ORDER BY 1`,
    );
    expect(rows.map((row) => row.of)).toEqual(['plain_sql', 'work']);
    expect(rows[0].columns).toEqual(rows[1].columns);
  });

  it('wakes whoever follows the log when the writer asks for it behind its commit', async () => {
    const opened = await session('waker', 'acme');
    const woken = Promise.withResolvers<void>();
    onTestFinished(t.app.wakeups.on('log', woken.resolve));
    await opened.rows('NOTIFY qd_log');
    await woken.promise;
  });
});

describe('what a role is given', () => {
  it('an address that works as it stands, and limits', async () => {
    const url = new URL(scout.url);
    expect(url.username).toBe(scout.role);
    expect(url.password).toMatch(/^[0-9A-Za-z]{32}$/);
    expect([url.host, url.pathname]).toEqual([new URL(t.database.url).host, new URL(t.database.url).pathname]);
    const limits = ['search_path', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
    const { rows } = await scout.client.query(
      `SELECT ${limits.map((name) => `current_setting('${name}') AS ${name}`)}`,
    );
    expect(rows).toEqual([
      {
        search_path: 'plain_sql',
        statement_timeout: '30s',
        lock_timeout: '5s',
        idle_in_transaction_session_timeout: '5s',
      },
    ]);
  });

  it('a name in which nothing of the agent stands', async () => {
    expect(scout.role).toMatch(/^qd_sql_[a-z0-9]{20}$/);
    const { rows } = await admin.query('SELECT shobj_description(oid, $2) AS words FROM pg_roles WHERE rolname = $1', [
      scout.role,
      'pg_authid',
    ]);
    expect(rows).toEqual([{ words: null }]);
  });

  it('five connections and no sixth', async () => {
    const first = await session('crowd', 'acme');
    for (let i = 1; i < 5; i++) {
      const more = await connectAs(first.role, first.url);
      onTestFinished(() => more.end());
    }
    expect(await signIn(first.url)).toBe('53300');
  });
});

describe('the role of an agent', () => {
  it('made again keeps its name and gets a new password; who used the old one is out, settings of its own are gone', async () => {
    const old = await session('rotated', 'acme');
    const before = await verifierOf(old.role);
    expect(before).toMatch(/^SCRAM-SHA-256\$/);
    await old.rows(`ALTER ROLE ${old.role} SET statement_timeout = 0`);
    const ended = new Promise<void>((resolve) => old.client.once('end', resolve));
    const again = await t.app.access.sqlRoles.create(call, 'rotated');
    await ended;
    expect(again).toMatchObject({ role: old.role, rotated: true, agent: 'rotated', tenant: 'acme', is_ready: true });
    // The test server lets everybody in: that the old one is no longer taken shows in what is kept of it.
    expect(await verifierOf(old.role)).not.toBe(before);
    const fresh = await connectAs(again.role, again.url);
    onTestFinished(() => fresh.end());
    expect(await fresh.rows('SHOW statement_timeout')).toEqual([{ statement_timeout: '30s' }]);
    expect(await events('access.sql_role.*')).toMatchObject([
      { event_type: 'access.sql_role.rotated', subject: 'agent:rotated', tenant: 'acme' },
      { event_type: 'access.sql_role.created', subject: 'agent:rotated' },
      ...Array.from({ length: (await events('access.sql_role.*')).length - 2 }, () => ({})),
    ]);
  });

  it('removed is gone from the server with its sessions and all it owned', async () => {
    const opened = await session('leaver', 'acme');
    await opened.rows('SELECT lo_create(0)');
    await opened.rows('CREATE TEMP TABLE mine (x int)');
    const ended = new Promise<void>((resolve) => opened.client.once('end', resolve));
    const removed = await t.app.access.sqlRoles.remove(call, 'leaver');
    await ended;
    expect(removed).toMatchObject({ agent: 'leaver', role: opened.role });
    // A server that lets everybody in says that there is no such role, another that the password is wrong.
    expect(['28000', '28P01']).toContain(await signIn(opened.url));
    expect((await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [opened.role])).rowCount).toBe(0);
    expect((await admin.query('SELECT FROM access.sql_roles WHERE role_name = $1', [opened.role])).rowCount).toBe(0);
    await expect(t.app.access.sqlRoles.remove(call, 'leaver')).rejects.toMatchObject({
      code: 'access.sql_role_not_found',
    });
    const second = await t.app.access.sqlRoles.create(call, 'leaver');
    expect(second.role).not.toBe(opened.role);
  });

  it('goes with the agent: in the same moment what it can do, then the role', async () => {
    const opened = await session('quitter', 'acme');
    await t.app.fleet.remove(call, 'quitter');
    await vi.waitFor(async () =>
      expect((await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [opened.role])).rowCount).toBe(0),
    );
    expect(await events('access.sql_role.removed')).toMatchObject([
      { payload: { agent: 'quitter', reason: 'the agent was removed' } },
      {},
    ]);
  });

  it('that is marked removed sees and does nothing, before anybody ends its session', async () => {
    const opened = await session('marked', 'acme');
    await admin.query('UPDATE access.sql_roles SET removed_at = now() WHERE role_name = $1', [opened.role]);
    expect(await opened.rows('SELECT * FROM batch_jobs')).toEqual([]);
    expect(await opened.refusal(INSERT, ['a.b', 'marked', {}])).toMatch(/^42501 the role qd_sql_\w+ is no agent's/);
  });

  it('is listed by agent, page by page, without a password', async () => {
    const all = (await t.app.access.sqlRoles.list(call, { limit: 100 })).items;
    expect(all.length).toBeGreaterThan(3);
    expect(JSON.stringify(all)).not.toContain(new URL(scout.url).password);
    const paged: unknown[] = [];
    for (let after: string | undefined; ; ) {
      const page = await t.app.access.sqlRoles.list(call, { limit: 2, ...(after === undefined ? {} : { after }) });
      paged.push(...page.items);
      if (page.next_cursor === null) break;
      after = page.next_cursor;
    }
    expect(paged).toEqual(all);
    const acme = t.app.call(await t.operatorCaller('acme'));
    const own = (await t.app.access.sqlRoles.list(acme, { limit: 100 })).items;
    expect(own.map(({ tenant }) => tenant)).toEqual(own.map(() => 'acme'));
    expect(own.length).toBe(all.filter(({ tenant }) => tenant === 'acme').length);
  });

  it('says when the database has lost it, and is made again under its name', async () => {
    const { role } = await t.app.access.sqlRoles.create(call, 'crowd');
    await admin.query(`DROP OWNED BY ${role}`);
    await admin.query(`DROP ROLE ${role}`);
    const find = async () =>
      (await t.app.access.sqlRoles.list(call, { limit: 100 })).items.find(({ agent }) => agent === 'crowd');
    expect(await find()).toMatchObject({ is_ready: false });
    expect(await t.app.access.sqlRoles.create(call, 'crowd')).toMatchObject({ role, is_ready: true });
    expect(await find()).toMatchObject({ is_ready: true });
  });
});

describe('making a role', () => {
  it('is refused to who lacks an ability that the role would have', async () => {
    const caller = await t.operatorCaller('acme');
    const abilities = new Set([...caller.abilities].filter((ability) => ability !== 'log:append'));
    await expect(t.app.access.sqlRoles.create(t.app.call({ ...caller, abilities }), 'scout')).rejects.toMatchObject({
      code: 'access.ability_beyond_creator',
    });
  });

  it('is refused for an agent that is not there, or is another tenant’s', async () => {
    const other = t.app.call(await t.operatorCaller('other'));
    for (const [by, agent] of [
      [call, 'nobody'],
      [other, 'scout'],
      [other, 'pricer'],
    ] as const) {
      await expect(t.app.access.sqlRoles.create(by, agent)).rejects.toMatchObject({ code: 'access.agent_not_found' });
    }
  });

  it('leaves nothing when the database user may not make roles, and says what to grant', async () => {
    const url = new URL(t.database.url);
    const user = `${url.pathname.slice(1)}_plain`;
    await admin.query(`CREATE ROLE ${user} LOGIN PASSWORD 'x'`);
    await admin.query(`GRANT ${url.username} TO ${user}`);
    url.username = user;
    url.password = 'x';
    const app = createApp({
      databaseUrl: url.href,
      connections: 2,
      part: 'test',
      logger: createLogger('test', 'silent'),
      publicUrl: () => 'http://127.0.0.1',
    });
    try {
      await t.agentToken('unlucky', 'acme');
      const before = await admin.query('SELECT role_name FROM access.sql_roles ORDER BY 1');
      const plain = app.call(await t.operatorCaller());
      await expect(app.access.sqlRoles.create(plain, 'unlucky')).rejects.toMatchObject({
        code: 'access.sql_roles_not_permitted',
        hint: expect.stringContaining(`ALTER ROLE ${user} CREATEROLE`),
      });
      expect((await admin.query('SELECT role_name FROM access.sql_roles ORDER BY 1')).rows).toEqual(before.rows);
    } finally {
      await app.stop();
      await admin.query(`DROP ROLE ${user}`);
    }
  });

  it('is refused beyond the most that there may be', async () => {
    const made = t.app.db.write({ kind: 'owner' }, (tx) =>
      tx.query('SELECT access.make_sql_role($1, $2, 3)', [`qd_sql_${'x'.repeat(20)}`, 'none']),
    );
    await expect(made).rejects.toMatchObject({ code: 'QD002' });
    expect((await admin.query(`SELECT FROM pg_roles WHERE rolname LIKE 'qd\\_sql\\_xxx%'`)).rowCount).toBe(0);
  });

  it('of one agent by several at once makes one role', async () => {
    await t.agentToken('wanted', 'acme');
    const made = await Promise.all([1, 2, 3].map(() => t.app.access.sqlRoles.create(call, 'wanted')));
    expect(new Set(made.map(({ role }) => role)).size).toBe(1);
    expect(made.filter(({ rotated }) => !rotated)).toHaveLength(1);
  });

  it('by several at once makes one role each', async () => {
    const names = ['c1', 'c2', 'c3', 'c4'];
    for (const name of names) await t.agentToken(name, 'acme');
    const made = await Promise.all(names.map((name) => t.app.access.sqlRoles.create(call, name)));
    expect(new Set(made.map(({ role }) => role)).size).toBe(4);
    for (const { url } of made) expect(await signIn(url)).toBe('accepted');
  });
});
