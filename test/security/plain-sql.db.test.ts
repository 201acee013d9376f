// An agent of tenant bravo that speaks plain SQL tries to get at what tenant zzalpha has and at what is nobody's to
// change. Everything is tried as the role that signed in, so that session_user is what it is for such an agent.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../support/server.ts';
import { ownSchemas } from './footprint.ts';
import { A, B, MARK, made, openWorld, type World } from './world.ts';

let t: TestServer;
let world: World;
let admin: pg.Client;
/** The role of bravo's agent. */
let role: string;
const notices: string[] = [];

beforeAll(async () => {
  t = await openTestServer();
  world = await openWorld(t);
  admin = world.admin;
  admin.on('notice', ({ message }) => notices.push(message ?? ''));
  role = await roleOf(B);
});
afterAll(async () => {
  await world?.close();
  await t?.close();
});

async function roleOf(tenant: string): Promise<string> {
  const { rows } = await admin.query('SELECT role_name FROM access.sql_roles WHERE agent = $1', [`${tenant}-scout`]);
  return rows[0].role_name;
}

/** Runs as the role that signed in, after changes by the superuser, none of which stay. */
async function asAgent<T>(work: () => Promise<T>, changes: readonly string[] = []): Promise<T> {
  await admin.query('BEGIN');
  try {
    for (const change of changes) await admin.query(change);
    await admin.query(`SET LOCAL SESSION AUTHORIZATION ${role}`);
    await admin.query('SET LOCAL search_path = plain_sql');
    return await work();
  } finally {
    await admin.query('ROLLBACK');
  }
}

async function codeOf(text: string): Promise<string> {
  await admin.query('SAVEPOINT attempt');
  try {
    await admin.query(text);
    return 'accepted';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    await admin.query('ROLLBACK TO SAVEPOINT attempt');
  }
}

async function namesOf(sql: string): Promise<string[]> {
  return (await admin.query<{ name: string }>(sql)).rows.map(({ name }) => name);
}

const RELATIONS = `FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${ownSchemas}`;
const ALLOWED = ['plain_sql.batch_jobs SELECT', 'plain_sql.event_log INSERT', 'plain_sql.health_checks SELECT'];

/** What of ours a role could touch by its rights, whether or not it reaches the schema. */
async function rights(of: string): Promise<string[]> {
  const kinds = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'];
  const onRelations = await namesOf(
    `SELECT format('%s.%s %s', n.nspname, c.relname, kind) AS name ${RELATIONS.replace(
      'WHERE',
      `,
       unnest('{${kinds}}'::text[]) kind WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND (has_table_privilege('${of}', c.oid, kind)
         OR (kind IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege('${of}', c.oid, kind))) AND`,
    )} ORDER BY 1`,
  );
  const onSequences = await namesOf(
    `SELECT format('%s.%s', n.nspname, c.relname) AS name ${RELATIONS}
       AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege('${of}', c.oid, 'USAGE, SELECT, UPDATE') ELSE false END`,
  );
  const onFunctions = await namesOf(
    `SELECT format('%s.%s()', n.nspname, p.proname) AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE ${ownSchemas} AND has_schema_privilege('${of}', n.oid, 'USAGE') AND has_function_privilege('${of}', p.oid, 'EXECUTE')`,
  );
  const onSchemas = await namesOf(
    `SELECT format('%s %s', n.nspname, kind) AS name FROM pg_namespace n, unnest('{USAGE,CREATE}'::text[]) kind
     WHERE (${ownSchemas} OR (n.nspname = 'public' AND kind = 'CREATE')) AND has_schema_privilege('${of}', n.oid, kind)`,
  );
  return [...onRelations, ...onSequences, ...onFunctions, ...onSchemas.filter((name) => name !== 'plain_sql USAGE')];
}

describe('a role for plain SQL', () => {
  it('has rights on three views and on nothing else of ours', async () => {
    expect(await rights(role)).toEqual(ALLOWED);
  });

  it.each([
    ['a table', 'GRANT SELECT ON work.jobs TO'],
    ['a column', 'GRANT UPDATE (priority) ON work.jobs TO'],
    ['a sequence', 'GRANT USAGE ON SEQUENCE log.event_seq TO'],
    ['another right on a view', 'GRANT DELETE ON plain_sql.batch_jobs TO'],
    ['making something', 'GRANT CREATE ON SCHEMA plain_sql TO'],
    ['a schema with its functions', 'GRANT USAGE ON SCHEMA platform TO'],
  ])('with a right on %s is noticed', async (_, grant) => {
    await admin.query('BEGIN');
    try {
      await admin.query(`${grant} ${role}`);
      expect(await rights(role)).not.toEqual(ALLOWED);
    } finally {
      await admin.query('ROLLBACK');
    }
  });

  it('is no member of another role, and can make, copy and pass over nothing', async () => {
    const { rows } = await admin.query(
      `SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit, rolconnlimit,
              (SELECT count(*)::int FROM pg_auth_members m WHERE m.member = r.oid) AS memberships
       FROM pg_roles r WHERE rolname = $1`,
      [role],
    );
    expect(rows).toEqual([
      {
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolreplication: false,
        rolinherit: false,
        rolconnlimit: 5,
        memberships: 0,
      },
    ]);
  });

  it('is refused every table, view, sequence and function of ours, whatever scope it sets', async () => {
    const relations = await namesOf(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name ${RELATIONS} AND c.relkind IN ('r', 'p', 'v', 'S')
         AND n.nspname <> 'plain_sql'`,
    );
    const functions = await namesOf(
      `SELECT format('%I.%I(%s)', n.nspname, p.proname, (SELECT string_agg(format('NULL::%s', format_type(a, NULL)), ', ')
         FROM unnest(p.proargtypes) a)) AS name
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
       WHERE ${ownSchemas} AND n.nspname <> 'plain_sql' AND p.prorettype <> 'trigger'::regtype`,
    );
    expect(relations.length).toBeGreaterThan(25);
    expect(functions.length).toBeGreaterThan(10);
    const accepted = await asAgent(async () => {
      await setScopes();
      const past: string[] = [];
      const attempts = [
        ...relations.flatMap((name) => [
          `SELECT count(*) FROM ${name}`,
          `INSERT INTO ${name} DEFAULT VALUES`,
          `DELETE FROM ${name}`,
          `TRUNCATE ${name}`,
          `LOCK TABLE ${name}`,
          `COPY ${name} TO STDOUT`,
        ]),
        ...functions.map((call) => `SELECT * FROM ${call}`),
        ...['event_log', 'batch_jobs', 'health_checks'].flatMap((view) => [
          `DELETE FROM ${view}`,
          `TRUNCATE ${view}`,
          `DROP VIEW ${view}`,
          `ALTER VIEW ${view} RESET (security_barrier)`,
          `CREATE OR REPLACE VIEW ${view} AS SELECT 1 AS id`,
        ]),
        'SELECT * FROM event_log',
        `UPDATE event_log SET payload = '{}'`,
        `UPDATE batch_jobs SET priority = 0`,
        `INSERT INTO batch_jobs (kind) VALUES ('x')`,
        `INSERT INTO health_checks (agent) VALUES ('x')`,
        `CREATE TABLE plain_sql.mine (x int)`,
        `CREATE TABLE public.mine (x int)`,
        `CREATE SCHEMA mine`,
        `CREATE ROLE mine`,
        `ALTER ROLE ${role} CONNECTION LIMIT 100`,
        `ALTER ROLE ${role} BYPASSRLS`,
      ];
      for (const attempt of attempts) {
        const code = await codeOf(attempt);
        // 42501 is a right that lacks; 42809 and 55000 say that a sequence or view is nothing of this kind.
        if (!['42501', '42809', '55000'].includes(code)) past.push(`${code}: ${attempt}`);
      }
      return past;
    });
    expect(accepted).toEqual([]);
  });

  it('becomes nobody else', async () => {
    const others = ['qd_app', 'qd_system', new URL(t.database.url).username, await roleOf(A), 'pg_read_all_data'];
    const body = { agent: world.b.agent.name };
    const { url } = await made(t.request('POST', '/v1/sql-roles', { token: world.b.operator, body }));
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const became: string[] = [];
    try {
      for (const other of others) {
        for (const attempt of [
          `SET ROLE ${other}`,
          `SET SESSION AUTHORIZATION ${other}`,
          `GRANT ${other} TO ${role}`,
          `SELECT set_config('role', '${other}', false)`,
          `SELECT set_config('session_authorization', '${other}', false)`,
        ]) {
          const code = await client.query(attempt).then(
            () => 'accepted',
            (error: { code: string }) => error.code,
          );
          if (code !== '42501') became.push(`${code}: ${attempt}`);
        }
      }
    } finally {
      await client.end();
    }
    expect(became).toEqual([]);
  });
});

/** All that a statement of ours believes from the roles of requests, and what changes how rows are judged. */
async function setScopes(): Promise<void> {
  for (const name of ['qd.tenant', 'app.tenant', 'qd.horizon', 'qd.agent', 'request.tenant']) {
    await admin.query('SELECT set_config($1, $2, true)', [name, tenantId]);
  }
}
let tenantId = '';
beforeAll(async () => {
  const { rows } = await admin.query('SELECT id FROM access.tenants WHERE slug = $1', [A]);
  tenantId = rows[0].id;
});

/** What bravo's agent sees of others, view by view; throws when it does not see its own. */
async function foreignRows(): Promise<string[]> {
  await setScopes();
  const seen: string[] = [];
  for (const view of ['batch_jobs', 'health_checks']) {
    const { rows } = await admin.query(`SELECT to_jsonb(v) AS row FROM ${view} v`);
    if (!rows.some(({ row }) => JSON.stringify(row).includes(B))) seen.push(`${view} shows nothing of its own`);
    seen.push(...rows.map(({ row }) => JSON.stringify(row)).filter((row) => MARK.test(row)));
  }
  return seen;
}

describe('what another tenant has', () => {
  const conditionless = [
    `CREATE OR REPLACE VIEW plain_sql.health_checks AS
       SELECT h.agent_id, h.tenant_id, h.agent, h.last_seen, h.status, h.job, h.version, h.usage, h.phase, h.host,
              h.process_started_at, h.restarts, h.exit, h.exited_at, h.next_start_at FROM fleet.health_checks h`,
  ];
  const policyless = [
    'ALTER POLICY session_rows ON fleet.health_checks USING (true)',
    'ALTER POLICY session_rows ON work.jobs USING (true)',
    'ALTER POLICY session_rows ON work.ended_jobs USING (true)',
    'ALTER POLICY session_rows ON work.job_payloads USING (true)',
    'ALTER POLICY session_rows ON access.tenants USING (true)',
    'ALTER POLICY session_rows ON access.sql_roles USING (true)',
  ];

  it('is not seen, whatever scope is set', async () => {
    expect(await asAgent(foreignRows)).toEqual([]);
  });

  it('is not seen with row security switched off: that ends the statement, or leaves the condition', async () => {
    const owner = new URL(t.database.url).username;
    const off = 'SET LOCAL row_security = off';
    await expect(asAgent(foreignRows, [off])).rejects.toMatchObject({ code: '42501' });
    expect(await asAgent(foreignRows, [off, `ALTER ROLE ${owner} BYPASSRLS`])).toEqual([]);
  });

  it('is not seen when the owner of the views passes over row policies, as on some hosted servers', async () => {
    const owner = new URL(t.database.url).username;
    expect(await asAgent(foreignRows, [`ALTER ROLE ${owner} BYPASSRLS`])).toEqual([]);
  });

  it('is not seen when the owner inherits the roles of requests, as on PostgreSQL 15', async () => {
    const owner = new URL(t.database.url).username;
    const { rows } = await admin.query("SELECT current_setting('server_version_num')::int >= 160000 AS is_16");
    const inherits = rows[0].is_16 ? ' WITH INHERIT TRUE' : '';
    expect(await asAgent(foreignRows, [`GRANT qd_app, qd_system TO ${owner}${inherits}`])).toEqual([]);
  });

  it('is not seen when the policies let everything pass, nor when the condition is missing; when both are it is noticed', async () => {
    expect(await asAgent(foreignRows, policyless)).toEqual([]);
    const { rows } = await admin.query("SELECT current_setting('server_version_num')::int >= 160000 AS is_16");
    // On PostgreSQL 15 the owner inherits qd_system, so that the condition is all there is.
    if (rows[0].is_16) expect(await asAgent(foreignRows, conditionless)).toEqual([]);
    expect((await asAgent(foreignRows, [...policyless, ...conditionless])).join()).toMatch(MARK);
  });

  it('does not reach a function of the reader’s own, nor an error that it provokes', async () => {
    notices.length = 0;
    await asAgent(async () => {
      await admin.query(
        `CREATE FUNCTION pg_temp.told(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
         $$ BEGIN RAISE NOTICE '%', value; RETURN true; END $$`,
      );
      for (const view of ['batch_jobs', 'health_checks']) {
        await admin.query(`SELECT * FROM ${view} v WHERE pg_temp.told(v::text)`);
        await admin.query(`SELECT FROM ${view} v JOIN ${view} w USING (tenant_id) WHERE pg_temp.told(w::text)`);
        await admin.query('SAVEPOINT attempt');
        const refused = await admin.query(`SELECT * FROM ${view} v WHERE (v::text)::int > 0`).catch(String);
        expect(refused).toMatch(/invalid input syntax/);
        expect(refused).not.toMatch(MARK);
        await admin.query('ROLLBACK TO SAVEPOINT attempt');
      }
    });
    expect(notices.length).toBeGreaterThan(0);
    expect(notices.filter((notice) => MARK.test(notice))).toEqual([]);
  });

  it('stands in nothing that the server tells everybody', async () => {
    const told = await asAgent(async () => {
      const texts = [];
      for (const source of [
        'pg_stats',
        'pg_stat_activity',
        'pg_roles',
        'pg_locks',
        'pg_prepared_xacts',
        'pg_settings',
      ]) {
        texts.push(JSON.stringify((await admin.query(`SELECT to_jsonb(s) AS row FROM pg_catalog.${source} s`)).rows));
      }
      return texts.join('\n');
    }, ['ANALYZE']);
    expect(told).not.toMatch(MARK);
  });
});

describe('an event in plain SQL', () => {
  const forge = (columns: string, values: string) => `INSERT INTO event_log (${columns}) VALUES (${values})`;

  it('takes neither number, id, time nor tenant', async () => {
    const codes = await asAgent(async () => [
      await codeOf(forge('seq, event_type', `1, 'a.b'`)),
      await codeOf(forge('id, event_type', `'x', 'a.b'`)),
      await codeOf(forge('at, event_type', `now(), 'a.b'`)),
      await codeOf(forge('tenant_id, event_type', `'${tenantId}', 'a.b'`)),
      await codeOf(`INSERT INTO event_log (event_type) VALUES ('a.b') RETURNING event_type`),
    ]);
    expect(codes).toEqual(['42703', '42703', '42703', '42703', '42501']);
  });

  it('is the agent’s own and its tenant’s, whatever it says and whatever scope is set', async () => {
    const { rows } = await admin.query('SELECT id FROM access.tenants WHERE slug = $1', [B]);
    const written = await asAgent(async () => {
      await setScopes();
      await admin.query(forge('event_type, source_agent', `'forged.event', '${A}-scout'`));
      await admin.query('RESET SESSION AUTHORIZATION');
      return (
        await admin.query(
          `SELECT tenant_id, source_agent, count(*)::int AS n FROM log.event_log WHERE event_type = 'forged.event' GROUP BY 1, 2`,
        )
      ).rows;
    });
    expect(written).toEqual([{ tenant_id: rows[0].id, source_agent: `${B}-scout`, n: 1 }]);
  });

  it('is held to name and tenant by the row policy too, where the owner does not pass over it', async () => {
    const { rows } = await admin.query("SELECT current_setting('server_version_num')::int >= 160000 AS is_16");
    if (!rows[0].is_16) return;
    const body = `BEGIN INSERT INTO log.event_log (tenant_id, event_type, source_agent) VALUES ('${tenantId}', NEW.event_type, 'x'); RETURN NEW; END`;
    const forging = `CREATE OR REPLACE FUNCTION access.append_in_plain_sql() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ ${body} $$`;
    expect(await asAgent(() => codeOf(forge('event_type', `'a.b'`)), [forging])).toBe('42501');
  });

  it('cannot be given a floor that would let readers pass over it', async () => {
    const codes = await asAgent(async () => {
      const found: string[] = [];
      for (const floor of ['9000000000', '-1', 'rubbish', '281474976710656']) {
        await admin.query(`SELECT set_config('qd.log_floor', $1, true)`, [floor]);
        found.push(await codeOf(forge('event_type', `'a.b'`)));
      }
      return found;
    });
    expect(codes).not.toContain('accepted');
  });

  it('is refused to a role that is no agent’s', async () => {
    const code = await asAgent(
      () => codeOf(forge('event_type', `'a.b'`)),
      [`UPDATE access.sql_roles SET removed_at = now() WHERE role_name = '${role}'`],
    );
    expect(code).toBe('42501');
  });
});
