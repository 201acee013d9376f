import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApp, type TestApp } from '../../../test/support/app.ts';
import { fleetScope, ownerScope } from '../../platform/db/database.ts';
import { endLongHolders } from './loops.ts';
import * as store from './store.ts';

let t: TestApp;
beforeAll(async () => {
  t = await openTestApp();
});
afterAll(() => t.close());

const INSERT = `INSERT INTO log.event_log (event_type, source_agent) VALUES ('x.held', 'sql')`;

async function asPlainSql(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: t.database.url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SET ROLE qd_system');
    await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

describe('a transaction that holds a floor', () => {
  it('is left alone until its time is up, then ended, and the log says so', async () => {
    await asPlainSql(async (client) => {
      await client.query('BEGIN');
      await client.query(INSERT);
      const patient = endLongHolders(t.app.db, t.app.log, t.app.systemCall(), 60_000);
      await patient();
      await patient();
      await expect(client.query('SELECT 1')).resolves.toBeDefined();
      const strict = endLongHolders(t.app.db, t.app.log, t.app.systemCall(), 0);
      await strict();
      await expect(client.query('SELECT 1')).rejects.toThrow();
    });
    const call = t.app.call(await t.operatorCaller());
    const { items } = await t.app.log.list(call, { limit: 10, order: 'desc', event_type: 'log.writer.ended' });
    expect(items).toMatchObject([{ source_agent: 'system:test' }]);
  });
});

describe('marks of time', () => {
  it('older than a month are thinned to one an hour, and a time still finds its events', async () => {
    await asPlainSql(async (client) => {
      await client.query(
        `INSERT INTO log.time_marks (at, seq)
         SELECT date_trunc('hour', now()) - interval '40 days' + make_interval(mins => m), m FROM generate_series(0, 179) m`,
      );
    });
    expect(await t.app.db.write(fleetScope, store.thinTimeMarks)).toBe(177);
    expect(await t.app.db.write(fleetScope, store.thinTimeMarks)).toBe(0);
    const rows = await t.app.db.read(fleetScope, (tx) =>
      tx.query<{ seq: number }>(`SELECT seq FROM log.time_marks WHERE at < now() - interval '39 days' ORDER BY at`),
    );
    expect(rows.map(({ seq }) => seq)).toEqual([0, 60, 120]);
  });
});

describe('partitions', () => {
  it('lie ready ahead of the last number, and a bound is never skipped', async () => {
    const ready = await t.app.db.write(ownerScope, (tx) => store.ensurePartitions(tx, 5));
    expect(ready).toBe(5);
    const bounds = await t.app.db.write(ownerScope, (tx) =>
      tx.query<{ lower_bound: number; upper_bound: number }>(
        'SELECT * FROM log.partition_bounds() ORDER BY lower_bound',
      ),
    );
    for (const [i, bound] of bounds.entries()) {
      if (i > 0) expect(bound.lower_bound).toBe(bounds[i - 1]!.upper_bound);
    }
    expect(await t.app.db.write(ownerScope, (tx) => store.ensurePartitions(tx, 5))).toBe(5);
  });
});
