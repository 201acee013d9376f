import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../test/support/work.ts';
import { fleetScope, ownerScope } from '../../platform/db/database.ts';
import { foldCounts, forgetOldCounts } from './read-store.ts';
import { ensurePartitions } from './store.ts';

let w: TestWork;
beforeAll(async () => {
  w = await openTestWork();
});
afterAll(() => w.close());

it('lists every job once, newest first, page by page, while jobs move to the history', async () => {
  const call = await w.operator('pages');
  const agent = await w.agent('pager', 'pages');
  const ids = await w.add(call, { jobs: Array.from({ length: 60 }, () => ({ kind: 'paged' })) });
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await w.work.list(call, { limit: 7, ...(after === undefined ? {} : { after }) });
    seen.push(...page.items.map((item) => item.id));
    after = page.next_cursor ?? undefined;
    for (const job of await w.claim(agent, { queues: ['paged'], limit: 5 })) {
      await w.complete(agent, { id: job.id, lease: job.lease, outcome: 'done' });
    }
  } while (after !== undefined);
  expect(seen).toEqual(ids.reverse());
});

it('filters by state, queue, kind, agent and tenant', async () => {
  const fleet = await w.operator();
  const agent = await w.agent('filter', 'sieve');
  await w.add(await w.operator('sieve'), {
    jobs: [{ kind: 'k1', queue: 'q' }, { kind: 'k2', queue: 'q' }, { kind: 'k3' }],
  });
  const [first, second] = await w.claim(agent, { queues: ['q'], limit: 2 });
  await w.complete(agent, { id: first!.id, lease: first!.lease, outcome: 'failed', retry: false });
  const kinds = async (filter: Parameters<typeof w.work.list>[1]) =>
    (await w.work.list(fleet, { tenant: 'sieve', ...filter })).items.map((item) => item.kind);
  expect(await kinds({ limit: 10 })).toEqual(['k3', 'k2', 'k1']);
  expect(await kinds({ limit: 10, state: 'queued' })).toEqual(['k3']);
  expect(await kinds({ limit: 10, state: 'running' })).toEqual([second!.kind]);
  expect(await kinds({ limit: 10, state: 'dead' })).toEqual(['k1']);
  expect(await kinds({ limit: 10, state: 'done' })).toEqual([]);
  expect(await kinds({ limit: 10, queue: 'q', kind: 'k2' })).toEqual(['k2']);
  expect(await kinds({ limit: 10, agent: 'filter' })).toEqual(['k2', 'k1']);
  await expect(w.work.list(await w.operator('other'), { limit: 1, tenant: 'sieve' })).rejects.toMatchObject({
    code: 'access.tenant_not_found',
  });
});

it('counts what happened exactly, before and after folding, and each tenant sees its own', async () => {
  const call = await w.operator('counted');
  const agent = await w.agent('counter', 'counted');
  await w.add(call, { jobs: Array.from({ length: 9 }, () => ({ kind: 'c', max_attempts: 2 })) });
  const jobs = await w.claim(agent, { queues: ['c'], limit: 7 });
  const outcomes = ['done', 'done', 'done', 'failed', 'failed'] as const;
  await w.complete(
    agent,
    ...outcomes.map((outcome, n) => ({ id: jobs[n]!.id, lease: jobs[n]!.lease, outcome, retry: n === 3 })),
  );
  await w.expire(jobs[5]!.id);
  await w.rescue();
  const truth = { queued: 3, scheduled: 1, running: 1, done_1h: 3, dead_1h: 1, failed_attempts_1h: 3 };
  expect(await w.work.summary(call, {})).toMatchObject({ ...truth, queues: [{ queue: 'c', queued: 3, running: 1 }] });
  expect(await w.t.app.db.write(fleetScope, (tx) => foldCounts(tx, 10_000))).toBeGreaterThan(0);
  expect(await w.work.summary(call, {})).toMatchObject(truth);
  expect(await w.t.app.db.write(fleetScope, (tx) => foldCounts(tx, 10_000))).toBe(0);
  expect(await w.work.summary(await w.operator('uncounted'), {})).toMatchObject({ queued: 0, done_1h: 0, queues: [] });
  await w.sql(`UPDATE work.minute_counts SET minute = minute - interval '33 days'`);
  expect(await w.t.app.db.write(fleetScope, (tx) => forgetOldCounts(tx, 32, 10_000))).toBeGreaterThan(0);
  expect(await w.work.summary(call, {})).toMatchObject({ done_1h: 0 });
});

it('answers the question of an operator in plain SQL without reading the history', async () => {
  const call = await w.operator();
  const text = { text: 'y'.repeat(3_000) };
  await w.add(call, {
    jobs: [
      { kind: 'sql', priority: 9 },
      { kind: 'sql', priority: 1, payload: text },
    ],
  });
  const rows = await w.sql<{ kind: string; priority: number; payload: unknown }>(
    `SELECT * FROM work.batch_jobs WHERE status = 'queued' AND kind = 'sql' ORDER BY priority`,
  );
  expect(rows).toMatchObject([{ priority: 1, payload: text }, { priority: 9 }]);
  const plan = JSON.stringify(
    await w.sql(`EXPLAIN SELECT * FROM work.batch_jobs WHERE status = 'queued' ORDER BY priority`),
  );
  expect(plan).toContain('jobs');
  expect(plan).not.toContain('ended_jobs');
});

it('keeps the history where nobody may change it, in weeks made ahead', async () => {
  await expect(w.sql('UPDATE work.ended_jobs SET result = NULL')).rejects.toMatchObject({ code: '42501' });
  await expect(w.sql('DELETE FROM work.ended_jobs')).rejects.toMatchObject({ code: '42501' });
  const ready = await w.t.app.db.write(ownerScope, (tx) => ensurePartitions(tx, 6));
  expect(ready).toBe(6);
  expect(await w.t.app.db.write(ownerScope, (tx) => ensurePartitions(tx, 6))).toBe(6);
});

it('shows a tenant no row of another in any table of the room', async () => {
  const agent = await w.agent('walker');
  for (const tenant of ['wall-a', 'wall-b']) {
    const payload = { text: 'w'.repeat(3_000) };
    await w.add(await w.operator(tenant), {
      jobs: [
        { kind: 'wall', payload },
        { kind: 'wall', payload },
      ],
    });
  }
  for (const job of await w.claim(agent, { queues: ['wall'], limit: 2 })) {
    await w.complete(agent, { id: job.id, lease: job.lease, outcome: 'done' });
  }
  await w.t.app.db.write(fleetScope, (tx) => foldCounts(tx, 10_000));
  await w.add(await w.operator('wall-a'), { kind: 'wall' });
  const { scope } = await w.operator('wall-b');
  const tables = await w.sql<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
     WHERE c.relnamespace = 'work'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition`,
  );
  expect(tables.length).toBeGreaterThanOrEqual(7);
  for (const { name } of tables) {
    const [seen] = await w.t.app.db.read(scope, (tx) =>
      tx.query(`SELECT count(*) FILTER (WHERE tenant_id <> platform.tenant()) AS foreign_rows FROM work.${name}`),
    );
    expect({ name, ...(seen as object) }).toEqual({ name, foreign_rows: 0 });
  }
});

it('moves a large payload to the history with its job and leaves nothing behind', async () => {
  const payload = { text: 'z'.repeat(200_000) };
  const [id] = await w.add(await w.operator(), { kind: 'heavy', payload });
  const agent = await w.agent('carrier');
  const [job] = await w.claim(agent, { queues: ['heavy'] });
  await w.complete(agent, { id: id!, lease: job!.lease, outcome: 'done' });
  expect(await w.work.show(await w.operator(), id!)).toMatchObject({ state: 'done', payload });
  expect(
    await w.sql('SELECT FROM work.job_payloads p WHERE NOT EXISTS (SELECT FROM work.jobs j WHERE j.id = p.job_id)'),
  ).toEqual([]);
});
