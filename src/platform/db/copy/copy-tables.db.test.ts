// Every row arrives, proven; and what goes wrong in between leaves both databases as they were.
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openEmptyDatabase, openTestDatabase } from '../../../../test/support/database.ts';
import { migrate, readMigrations } from '../migrate.ts';
import { type CopyOptions, copyTables } from './copy-tables.ts';
import { schemasOf } from './schemas.ts';

const migrations = await readMigrations(join(import.meta.dirname, '../../..'));
const schemas = schemasOf(migrations);

// Each test has databases of its own.
interface Pair {
  readonly source: pg.Client;
  readonly target: pg.Client;
  readonly adminOf: { readonly source: pg.Client; readonly target: pg.Client };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(async () => {
    await client.end();
  });
  return client;
}

async function openPair(): Promise<Pair> {
  const from = await openTestDatabase();
  onTestFinished(() => from.close());
  const into = await openEmptyDatabase();
  onTestFinished(() => into.close());
  await migrate(into.url, migrations);
  return {
    source: await connect(from.url),
    target: await connect(into.url),
    adminOf: { source: await connect(from.adminUrl), target: await connect(into.adminUrl) },
  };
}

const EVENTS = 3_000;

// As superuser, whom no policy binds: some of every kind of table, in partitions that a new database does not have.
async function fill(admin: pg.Client): Promise<void> {
  await admin.query(`
    INSERT INTO access.tenants (slug, name) VALUES ('acme', 'Acme "the" \\ co\t✓');
    CREATE TABLE log.event_log_old PARTITION OF log.event_log FOR VALUES FROM (-1000) TO (1);
    ALTER TABLE log.event_log_old ENABLE ROW LEVEL SECURITY;
    ALTER TABLE log.event_log_old FORCE ROW LEVEL SECURITY;
    ALTER TABLE log.event_log_old OWNER TO qd_test_owner;
    INSERT INTO log.event_log (seq, tenant_id, event_type, source_agent, payload) VALUES (-5, platform.fleet_tenant(), 'x', 'y', '{}');
    INSERT INTO log.event_log (tenant_id, event_type, source_agent, subject, payload)
      SELECT t.id, 'noise.' || n % 7, 'test', CASE WHEN n % 3 = 0 THEN 'a\nb' || n END,
        jsonb_build_object('n', n, 'text', repeat(chr(8364), n % 50), 'real', n / 7.0)
      FROM generate_series(1, ${EVENTS}) n, access.tenants t WHERE t.slug = 'acme';
    INSERT INTO work.lanes (tenant_id, queue) SELECT id, 'q' || n FROM access.tenants, generate_series(1, 5) n WHERE slug = 'acme';
    INSERT INTO work.jobs (id, tenant_id, lane_id, queue, kind, state, priority, payload, run_at, created_by, max_attempts)
      SELECT gen_random_uuid(), l.tenant_id, l.id, l.queue, 'k', 'queued', 0, '[1, null, "x"]', 'infinity', 'test', 3 FROM work.lanes l;
    INSERT INTO access.sign_in_links (hash, operator_id, expires_at)
      SELECT '\\x${'ab'.repeat(32)}', o.id, now() FROM access.operators o;`);
}

/** Keys, triggers, policies and partitions of our schemas, as text. */
async function shape(client: pg.Client): Promise<unknown[]> {
  const { rows } = await client.query(
    `SELECT c.oid::regclass::text AS name, c.relrowsecurity, c.relforcerowsecurity, pg_get_expr(c.relpartbound, c.oid) AS bound,
       (SELECT array_agg(k.conname || pg_get_constraintdef(k.oid) || k.convalidated ORDER BY k.conname)
        FROM pg_constraint k WHERE k.conrelid = c.oid) AS keys,
       (SELECT array_agg(t.tgname || ' ' || t.tgenabled::text ORDER BY t.tgname)
        FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) AS triggers,
       (SELECT array_agg(i.indexrelid::regclass::text || i.indisvalid ORDER BY i.indexrelid::regclass::text) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes,
       (SELECT coalesce(s.last_value::text, 'unused') FROM pg_sequences s WHERE c.relkind = 'S'
          AND format('%I.%I', s.schemaname, s.sequencename)::regclass = c.oid) AS sequence
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'S') ORDER BY 1`,
    [schemas],
  );
  return rows;
}

test('the schemas are those that the migrations make', () => {
  expect(schemas).toEqual(expect.arrayContaining(['platform', 'log', 'access', 'work', 'fleet']));
});

describe('a copy', () => {
  test('has every row, sequence, partition, key, trigger and policy, and is equal by rows and hashes', async () => {
    const { source, target, adminOf } = await openPair();
    await fill(adminOf.source);
    const before = await shape(adminOf.source);
    const outcome = await copyTables({ source, target, schemas });
    await target.query('COMMIT');
    await outcome.source.restorePolicies();
    await source.query('COMMIT');

    expect(await shape(adminOf.target)).toEqual(before);
    expect(await shape(adminOf.source)).toEqual(before);
    const rowsOf = Object.fromEntries(outcome.tables.map(({ table, rows }) => [table, rows]));
    expect(rowsOf).toMatchObject({ 'log.event_log_000001': EVENTS, 'log.event_log_old': 1, 'work.jobs': 5 });
    expect(outcome.rows).toBe(outcome.tables.reduce((sum, { rows }) => sum + rows, 0));
    // Not by the module's own measure.
    const all = `SELECT md5(string_agg(e::text, '|' ORDER BY e.seq)) AS log FROM log.event_log e`;
    expect((await adminOf.target.query(all)).rows).toEqual((await adminOf.source.query(all)).rows);
    // The log goes on where it was.
    const next = `INSERT INTO log.event_log (event_type, source_agent) VALUES ('next', 'test') RETURNING seq`;
    expect((await adminOf.target.query(next)).rows).toEqual([{ seq: EVENTS + 1 }]);
  });

  test('of any values is equal to what it was made from', async () => {
    const { source, target } = await openPair();
    const make = `CREATE SCHEMA odd; CREATE TABLE odd.things ("a b" text, number float8, exact numeric, bytes bytea, at timestamptz,
      document jsonb, list text[], "select" boolean, negative float8 GENERATED ALWAYS AS (-number) STORED);`;
    await source.query(make);
    await target.query(make);
    const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', '').toWellFormed());
    const row = fc.record({
      text: fc.option(text),
      number: fc.option(fc.double()),
      exact: fc.option(fc.bigInt()),
      bytes: fc.option(fc.uint8Array()),
      at: fc.option(fc.date({ min: new Date(0), max: new Date('9999-01-01'), noInvalidDate: true })),
      document: fc.option(fc.json().map((value) => value.replaceAll(/\\u0000/g, ''))),
      list: fc.option(fc.array(text)),
      flag: fc.option(fc.boolean()),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 8 }), async (rows) => {
        await source.query('TRUNCATE odd.things');
        for (const one of rows) {
          await source.query('INSERT INTO odd.things VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', [
            one.text,
            one.number,
            one.exact,
            one.bytes === null ? null : Buffer.from(one.bytes),
            one.at,
            one.document,
            one.list,
            one.flag,
          ]);
        }
        const outcome = await copyTables({ source, target, schemas: ['odd'] });
        expect(outcome.tables).toMatchObject([{ table: 'odd.things', rows: rows.length }]);
        await target.query('COMMIT');
        await source.query('ROLLBACK');
        const shown = 'SELECT t::text FROM odd.things t ORDER BY 1';
        expect((await target.query(shown)).rows).toEqual((await source.query(shown)).rows);
      }),
      { numRuns: 25 },
    );
  });

  test('replaces what an earlier one left', async () => {
    const { source, target, adminOf } = await openPair();
    await fill(adminOf.source);
    await copyTables({ source, target, schemas });
    await target.query('COMMIT');
    await source.query('ROLLBACK');
    await adminOf.source.query(`DROP TABLE log.event_log_old`);
    const again = await copyTables({ source, target, schemas });
    await target.query('COMMIT');
    await source.query('ROLLBACK');
    expect(again.tables.map(({ table }) => table)).not.toContain('log.event_log_old');
    expect(await shape(adminOf.target)).toEqual(await shape(adminOf.source));
  });
});

describe('nothing is kept', () => {
  let copy: (more: Partial<CopyOptions>, pair: Pair) => Promise<unknown>;
  beforeAll(() => {
    copy = ({ ...more }, { source, target }) => copyTables({ source, target, schemas, ...more });
  });
  const events = async (client: pg.Client) =>
    (await client.query('SELECT count(*)::int AS n FROM log.event_log')).rows[0].n;

  test('when a table is not equal: it is named', async () => {
    const pair = await openPair();
    await fill(pair.adminOf.source);
    let spoilt = false;
    const onProgress: CopyOptions['onProgress'] = ({ step }) => {
      if (step !== 'verify' || spoilt) return;
      spoilt = true;
      void pair.target.query(
        `UPDATE work.lanes SET queue = 'other' WHERE queue = 'q3'; DELETE FROM work.jobs WHERE queue = 'q2'`,
      );
    };
    await expect(copy({ onProgress }, pair)).rejects.toMatchObject({
      code: 'rows_differ',
      message: expect.stringMatching(/work\.jobs \(5 rows became 4\), work\.lanes \(rows differ\)$/),
    });
    await pair.target.query('ROLLBACK');
    expect(await events(pair.adminOf.target)).toBe(0);
  });

  test('when a table of somebody else lies between ours: it is named before anything is copied', async () => {
    const pair = await openPair();
    await pair.source.query('CREATE TABLE work."my notes" (id int)');
    await expect(copy({}, pair)).rejects.toMatchObject({
      code: 'tables_differ',
      message: expect.stringContaining('work."my notes"'),
    });
  });

  test('when somebody writes and does not end', async () => {
    const pair = await openPair();
    await pair.adminOf.source.query('BEGIN');
    await pair.adminOf.source.query(`INSERT INTO log.event_log (event_type, source_agent) VALUES ('open', 'test')`);
    await expect(copy({ lockWaitMs: 100 }, pair)).rejects.toMatchObject({ code: 'tables_busy' });
    await pair.adminOf.source.query('ROLLBACK');
  });

  test.for(['source', 'target'] as const)('when the connection to the %s is lost in the middle', async (side) => {
    const pair = await openPair();
    await fill(pair.adminOf.source);
    const { rows } = await pair[side].query('SELECT pg_backend_pid() AS pid');
    const onProgress: CopyOptions['onProgress'] = ({ table, bytes }) => {
      if (table !== 'log.event_log_000001' || bytes > 0) return;
      void pair.adminOf[side].query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    };
    await expect(copy({ onProgress }, pair)).rejects.toThrow();
    const other = side === 'source' ? 'target' : 'source';
    await pair[other].end();
    expect(await events(pair.adminOf.source)).toBe(EVENTS + 1);
    expect(await events(pair.adminOf.target)).toBe(0);
    expect((await pair.adminOf.source.query('SELECT count(*)::int AS n FROM work.jobs')).rows).toEqual([{ n: 5 }]);
  });

  test('when it is called off', async () => {
    const pair = await openPair();
    await fill(pair.adminOf.source);
    const abort = new AbortController();
    const onProgress: CopyOptions['onProgress'] = ({ table }) => {
      if (table === 'log.event_log_000001') abort.abort(new Error('called off'));
    };
    await expect(copy({ onProgress, signal: abort.signal }, pair)).rejects.toThrow('called off');
    await Promise.all([pair.source.end(), pair.target.end()]);
    expect(await events(pair.adminOf.target)).toBe(0);
  });
});
