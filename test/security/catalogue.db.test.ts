// The migrated schema keeps the rules of catalogue.ts, and each rule notices what breaks it.
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { catalogueProblems } from './catalogue.ts';

let database: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  database = await openTestDatabase();
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
});
afterAll(async () => {
  await admin?.end();
  await database?.close();
});

it('every table, view, function, key and role keeps the rules', async () => {
  const { rows } = await admin.query(
    `SELECT count(*)::int AS n FROM pg_policies WHERE qual = '(tenant_id = platform.tenant())'`,
  );
  expect(rows[0].n).toBeGreaterThan(10);
  expect(await catalogueProblems(admin)).toEqual([]);
});

const planted: readonly (readonly [string, string, RegExp])[] = [
  ['row security switched off', 'ALTER TABLE access.agents DISABLE ROW LEVEL SECURITY', /access\.agents.*forced/],
  [
    'row security that spares the owner',
    'ALTER TABLE access.agents NO FORCE ROW LEVEL SECURITY',
    /access\.agents.*forced/,
  ],
  [
    'a partition without row security',
    'ALTER TABLE log.event_log_000001 DISABLE ROW LEVEL SECURITY',
    /event_log_000001/,
  ],
  [
    'a partition that can be read directly',
    'GRANT SELECT ON log.event_log_000001 TO qd_app',
    /event_log_000001.*policy/,
  ],
  ['a table without a policy', 'CREATE TABLE log.extra (id int)', /log\.extra.*policy/],
  ['a missing tenant policy', 'DROP POLICY tenant_rows ON access.agents', /access\.agents.*platform\.tenant/],
  [
    'a tenant policy that checks no write',
    'ALTER POLICY tenant_rows ON access.agents WITH CHECK (true)',
    /access\.agents.*reading and writing/,
  ],
  ['a second, wider policy', 'CREATE POLICY more ON access.agents TO qd_app USING (true)', /access\.agents more/],
  ['a policy for everybody', 'CREATE POLICY more ON access.agents USING (true)', /access\.agents more/],
  [
    'a view with its owner’s rights',
    'CREATE VIEW access.all_agents AS SELECT * FROM access.agents',
    /all_agents.*view/,
  ],
  [
    'a materialized view',
    'CREATE MATERIALIZED VIEW access.all_agents AS SELECT * FROM access.agents',
    /all_agents.*materialized/,
  ],
  [
    'a function with its owner’s rights',
    'CREATE FUNCTION log.peek() RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ SELECT 1 $$',
    /log\.peek.*owner/,
  ],
  ['a schema open to everybody', 'GRANT USAGE ON SCHEMA work TO PUBLIC', /work breaks.*PUBLIC/],
  ['a table open to everybody', 'GRANT SELECT ON access.tenants TO PUBLIC', /access\.tenants.*PUBLIC/],
  ['a role that makes tables', 'GRANT CREATE ON SCHEMA work TO qd_app', /work qd_app/],
  ['a log that can be emptied', 'GRANT TRUNCATE ON log.event_log TO qd_system', /log\.event_log qd_system/],
  ['a log that can be changed', 'GRANT UPDATE (payload) ON log.event_log TO qd_app', /change or delete/],
  ['a number of the log that can be chosen', 'GRANT INSERT (seq) ON log.event_log TO qd_app', /seq qd_app/],
  ['a time of the log that can be chosen', 'GRANT INSERT (at) ON log.event_log TO qd_system', /at qd_system/],
  ['numbers of the log that can be drawn', 'GRANT USAGE ON SEQUENCE log.event_seq TO qd_app', /qd_app breaks.*draw/],
  ['a unique key over all tenants', 'CREATE UNIQUE INDEX agents_name ON access.agents (slug)', /agents_name.*unique/],
  [
    'a foreign key that could cross tenants',
    'ALTER TABLE fleet.agents ADD CONSTRAINT crossing FOREIGN KEY (agent_id) REFERENCES access.agents (id)',
    /crossing/,
  ],
  ['rows without a tenant', 'ALTER TABLE work.jobs ALTER tenant_id DROP NOT NULL', /work\.jobs.*never missing/],
  ['a leave that nothing needs', 'DROP FUNCTION log.epoch()', /log\.epoch needs no leave/],
];

it.each(planted)('%s is noticed', async (_, statement, problem) => {
  await admin.query('BEGIN');
  try {
    await admin.query(statement);
    expect((await catalogueProblems(admin)).join('\n')).toMatch(problem);
  } finally {
    await admin.query('ROLLBACK');
  }
});

it('the request roles are refused by the database when they try to rewrite the log', async () => {
  const attempts = [
    `UPDATE log.event_log SET payload = '{}'`,
    'DELETE FROM log.event_log',
    'TRUNCATE log.event_log',
    `INSERT INTO log.event_log (seq, event_type, source_agent) VALUES (1, 'a', 'b')`,
    `INSERT INTO log.event_log (at, event_type, source_agent) VALUES (now(), 'a', 'b')`,
    `SELECT setval('log.event_seq', 1)`,
    `SELECT nextval('log.event_seq')`,
    'ALTER TABLE log.event_log DISABLE ROW LEVEL SECURITY',
    'ALTER TABLE log.event_log DISABLE TRIGGER append_only',
  ];
  const accepted: string[] = [];
  for (const role of ['qd_app', 'qd_system']) {
    for (const attempt of attempts) {
      await admin.query('BEGIN');
      await admin.query(`SELECT set_config('role', $1, true)`, [role]);
      const code = await admin.query(attempt).then(
        () => 'accepted',
        (error: { code: string }) => error.code,
      );
      await admin.query('ROLLBACK');
      if (code !== '42501') accepted.push(`${role}: ${attempt}: ${code}`);
    }
  }
  expect(accepted).toEqual([]);
});
