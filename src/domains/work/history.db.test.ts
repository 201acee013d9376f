import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestApp, type TestApp } from '../../../test/support/app.ts';
import { dropOldWeek } from './history.ts';

let t: TestApp;
let admin: pg.Client;
beforeAll(async () => {
  t = await openTestApp();
  admin = new pg.Client({ connectionString: t.database.adminUrl });
  await admin.connect();
  const owner = new pg.Client({ connectionString: t.database.url });
  await owner.connect();
  // Two weeks of long ago, made as the engine makes them.
  for (const [name, from, to] of [
    ['2020w02', '2020-01-06', '2020-01-13'],
    ['2020w03', '2020-01-13', '2020-01-20'],
  ]) {
    await owner.query(
      `CREATE TABLE work.ended_jobs_${name} PARTITION OF work.ended_jobs FOR VALUES FROM ('${from}Z') TO ('${to}Z')`,
    );
  }
  await owner.end();
  await admin.query(
    `INSERT INTO work.ended_jobs (id, tenant_id, queue, kind, state, priority, payload, run_at, created_at, created_by,
       attempt, max_attempts, ended_at, version)
     SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000000', 'q', 'k', 'done', 0, '{}', at, at, 'x', 1, 1, at, 1
     FROM unnest(ARRAY['2020-01-07Z', '2020-01-14Z', now()::text]::timestamptz[]) at`,
  );
});

it('where nothing was counted since, a clock that is ahead drops no week', async () => {
  const count = `INSERT INTO work.minute_counts (tenant_id, queue, minute)
    VALUES ('00000000-0000-0000-0000-000000000000', 'q', $1::timestamptz)`;
  expect(await turn(30)).toBe(false);
  await admin.query(count, ['2020-01-14Z']);
  expect(await turn(30)).toBe(false);
  await admin.query(count, [new Date().toISOString()]);
  expect(await jobs()).toBe(3);
});
afterAll(async () => {
  await admin?.end();
  await t?.close();
});

const call = () => t.app.systemCall();
const turn = (days: number) => dropOldWeek(t.app.db, t.app.log, call(), days);
const jobs = async () => Number((await admin.query('SELECT count(*) FROM work.ended_jobs')).rows[0].count);

it('no week is dropped that is not old enough by its last day', async () => {
  const { rows } = await admin.query(
    `SELECT floor(extract(epoch FROM now() - '2020-01-13Z'::timestamptz) / 86400) AS days`,
  );
  expect(await turn(Number(rows[0].days) + 1)).toBe(false);
  expect(await jobs()).toBe(3);
});

it('while somebody ends a job the week stays, and nothing waits for long', async () => {
  await admin.query('BEGIN');
  await admin.query('LOCK TABLE work.ended_jobs IN ROW EXCLUSIVE MODE');
  expect(await turn(30)).toBe(false);
  await admin.query('COMMIT');
  expect(await jobs()).toBe(3);
});

it('old weeks go one by one, the oldest first, also by two engines at once, and each is told of once', async () => {
  let dropped = 0;
  for (let i = 0; i < 4; i++) dropped += (await Promise.all([turn(30), turn(30)])).filter(Boolean).length;
  expect(dropped).toBe(2);
  expect(await jobs()).toBe(1);
  const { items } = await t.app.log.list(call(), { limit: 10, order: 'asc', event_type: 'work.history.dropped' });
  expect(items.map(({ payload }) => payload['partition'])).toEqual(['ended_jobs_2020w02', 'ended_jobs_2020w03']);
  expect(items[0]!.payload['until']).toBe('2020-01-13T00:00:00.000Z');
});
