import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openTestWork, type TestWork } from '../../../../test/support/work.ts';
import type { Call } from '../../../platform/call.ts';
import { getUuid } from '../../../platform/ids.ts';
import type { InputOf } from '../../../platform/operation.ts';
import { operations } from '../operations.ts';
import { forgetOldBatches } from './batch-store.ts';

let w: TestWork;
let operator: Call;
let worker: Call;
let kinds = 0;
beforeAll(async () => {
  w = await openTestWork(8);
  operator = await w.operator();
  worker = await w.agent('worker');
});
afterAll(() => w.close());

const newKind = () => `kind-${++kinds}`;
const create = (input: InputOf<typeof operations.createBatch>, call = operator) =>
  w.work.batches.create(call, operations.createBatch.input.parse(input));
const add = (input: InputOf<typeof operations.addToBatch>, call = operator) =>
  w.work.batches.add(call, operations.addToBatch.input.parse(input));
const show = (batch: string, call = operator) => w.work.batches.show(call, { batch });
const some = (kind: string, count: number) => Array.from({ length: count }, () => ({ kind, max_attempts: 1 }));
const showJob = (job: string) => w.work.show(operator, job);

async function end(kind: string, outcome: 'done' | 'failed', limit = 1): Promise<void> {
  const jobs = await w.claim(worker, { queues: [kind], limit });
  const ended = await w.complete(worker, ...jobs.map(({ id, lease }) => ({ id, lease, outcome })));
  expect(ended.accepted.length).toBe(limit);
}

async function stopAll(): Promise<void> {
  while (await w.work.batches.stop(w.t.app.systemCall()));
}

async function callbacks(kind: string): Promise<{ id: string; state: string }[]> {
  return (await w.work.list(operator, operations.listJobs.input.parse({ kind }))).items;
}

describe('a batch', () => {
  it('ends with its last child, and then what comes after is there, which knows how it went', async () => {
    const [kind, after] = [newKind(), newKind()];
    const made = await create({
      name: 'april',
      jobs: some(kind, 3),
      on_done: { kind: after, payload: { to: 'ada' }, priority: 7 },
    });
    expect(made).toMatchObject({ state: 'closed', total: 3, done: 0, name: 'april', on_done_job: null });
    expect(made.jobs.length).toBe(3);
    const listed = await w.work.list(operator, operations.listJobs.input.parse({ batch: made.batch }));
    expect(listed.items.map(({ batch }) => batch)).toEqual([made.batch, made.batch, made.batch]);
    await end(kind, 'done', 2);
    expect(await show(made.batch)).toMatchObject({ state: 'closed', done: 2 });
    expect(await callbacks(after)).toEqual([]);
    await end(kind, 'done');
    const ended = await show(made.batch);
    expect(ended).toMatchObject({ state: 'done', total: 3, done: 3, dead: 0, cancelled: 0 });
    expect(await showJob(ended.on_done_job!)).toMatchObject({
      kind: after,
      priority: 7,
      state: 'queued',
      batch: null,
      payload: { to: 'ada', batch: { batch: made.batch, name: 'april', state: 'done', total: 3, done: 3 } },
    });
    const [event] = (await w.events('work.batch.ended')).filter(({ batch }) => batch === made.batch);
    expect(event).toMatchObject({ state: 'done', total: 3, on_done_job: ended.on_done_job });
    const again = await w.work.list(operator, operations.listJobs.input.parse({ batch: made.batch, state: 'done' }));
    expect(again.items.length).toBe(3);
  });

  it('counts what is dead and goes on, or cancels the rest, as it says', async () => {
    const [going, stopping, after] = [newKind(), newKind(), newKind()];
    const one = await create({ jobs: some(going, 3), on_done: { kind: after } });
    await end(going, 'failed');
    expect(await show(one.batch)).toMatchObject({ state: 'closed', dead: 1 });
    await end(going, 'done', 2);
    expect(await show(one.batch)).toMatchObject({ state: 'failed', dead: 1, done: 2 });
    const other = await create({
      jobs: some(stopping, 4),
      on_failure: 'cancel_rest',
      open: true,
      on_done: { kind: after },
    });
    const [held] = await w.claim(worker, { queues: [stopping] });
    await end(stopping, 'failed');
    expect(await show(other.batch)).toMatchObject({ state: 'stopping', dead: 1 });
    await expect(add({ batch: other.batch, jobs: some(stopping, 1) })).rejects.toMatchObject({
      code: 'work.batch_closed',
    });
    await stopAll();
    expect(await show(other.batch)).toMatchObject({
      state: 'failed',
      total: 4,
      dead: 1,
      cancelled: 3,
      cancelled_by: null,
    });
    expect((await w.renew(worker, held!)).lost).toEqual([{ id: held!.id, reason: 'cancelled' }]);
    expect((await callbacks(after)).length).toBe(2);
  });

  it('that is open takes more children and does not end; closed and empty it ends at once', async () => {
    const [kind, after] = [newKind(), newKind()];
    const { batch } = await create({ open: true, jobs: some(kind, 1), on_done: { kind: after } });
    await end(kind, 'done');
    expect(await show(batch)).toMatchObject({ state: 'open', total: 1, done: 1 });
    expect(await add({ batch, jobs: some(kind, 2) })).toMatchObject({ total: 3, state: 'open' });
    await end(kind, 'done', 2);
    expect(await w.work.batches.close(operator, { batch })).toMatchObject({ state: 'done', done: 3 });
    expect((await callbacks(after)).length).toBe(1);
    expect(await w.work.batches.close(operator, { batch })).toMatchObject({ state: 'done' });
    expect((await callbacks(after)).length).toBe(1);
    await expect(add({ batch, jobs: some(kind, 1) })).rejects.toMatchObject({ code: 'work.batch_closed' });
    expect(await create({ on_done: { kind: after } })).toMatchObject({ state: 'done', total: 0 });
    expect((await callbacks(after)).length).toBe(2);
  });

  it('counts a job whose unique key is taken not, and one that is replaced as cancelled', async () => {
    const kind = newKind();
    const first = await create({ jobs: [{ kind, unique_key: kind }], open: true });
    const second = await create({ jobs: [{ kind, unique_key: kind }, { kind }] });
    expect(second).toMatchObject({ total: 1, jobs: [{ existing: true, id: first.jobs[0]!.id }, { existing: false }] });
    const third = await create({ jobs: [{ kind, unique_key: kind, on_duplicate: 'replace' }] });
    expect(third).toMatchObject({ total: 1 });
    expect(await show(first.batch)).toMatchObject({ total: 1, cancelled: 1, state: 'open' });
    const reject = create({ name: 'refused', jobs: [{ kind }, { kind, unique_key: kind, on_duplicate: 'reject' }] });
    await expect(reject).rejects.toMatchObject({ code: 'work.key_taken' });
    const { items } = await w.work.batches.list(operator, operations.listBatches.input.parse({}));
    expect(items.map(({ name }) => name)).not.toContain('refused');
  });

  it('within another counts as one child of it, however many it has', async () => {
    const [kind, after, inner] = [newKind(), newKind(), newKind()];
    const outer = await create({ jobs: some(kind, 1), open: true, on_done: { kind: after } });
    const one = await create({ parent: outer.batch, jobs: some(inner, 2) });
    const two = await create({ parent: outer.batch, jobs: [] });
    expect([one.parent, two.state]).toEqual([outer.batch, 'done']);
    expect(await w.work.batches.close(operator, { batch: outer.batch })).toMatchObject({ total: 3, done: 1 });
    await expect(create({ parent: one.batch })).rejects.toMatchObject({ code: 'work.batch_too_deep' });
    await expect(create({ parent: outer.batch })).rejects.toMatchObject({ code: 'work.batch_closed' });
    await end(inner, 'done');
    await end(inner, 'failed');
    expect(await show(one.batch)).toMatchObject({ state: 'failed', done: 1, dead: 1 });
    expect(await show(outer.batch)).toMatchObject({ state: 'closed', done: 1, dead: 1 });
    expect(await callbacks(after)).toEqual([]);
    await end(kind, 'done');
    expect(await show(outer.batch)).toMatchObject({ state: 'failed', total: 3, done: 2, dead: 1 });
    expect((await callbacks(after)).length).toBe(1);
    const within = await w.work.batches.list(operator, operations.listBatches.input.parse({ parent: outer.batch }));
    expect(within.items.map(({ batch }) => batch)).toEqual([two.batch, one.batch]);
  });

  it('that is cancelled ends what has not ended, also within it, and nothing comes after', async () => {
    const [kind, after] = [newKind(), newKind()];
    const outer = await create({ jobs: some(kind, 3), open: true, on_done: { kind: after } });
    const inner = await create({ parent: outer.batch, jobs: some(kind, 2), open: true, on_done: { kind: after } });
    await end(kind, 'done');
    const running = await w.claim(worker, { queues: [kind] });
    await w.work.batches.cancel(operator, { batch: outer.batch, reason: 'wrong prices' });
    await stopAll();
    expect(await show(outer.batch)).toMatchObject({
      state: 'cancelled',
      total: 4,
      done: 1,
      cancelled: 3,
      reason: 'wrong prices',
      on_done_job: null,
    });
    expect(await show(inner.batch)).toMatchObject({ state: 'cancelled', total: 2, cancelled: 2 });
    expect(await showJob(running[0]!.id)).toMatchObject({ state: 'cancelled', error: 'wrong prices' });
    expect(await callbacks(after)).toEqual([]);
    expect(await w.work.batches.cancel(operator, { batch: outer.batch })).toMatchObject({ state: 'cancelled' });
    const { batch } = await create({ name: 'over' });
    const before = await show(batch);
    await expect(w.work.batches.cancel(operator, { batch })).rejects.toMatchObject({ code: 'work.batch_ended' });
    expect(await show(batch)).toEqual(before);
  });

  it('adds what comes after once, however many report its last children at the same time', async () => {
    const [kind, after] = [newKind(), newKind()];
    const outer = await create({ open: true, on_done: { kind: after } });
    const inner = [0, 1, 2].map(() => create({ parent: outer.batch, jobs: some(kind, 8), on_done: { kind: after } }));
    await Promise.all(inner);
    await w.work.batches.close(operator, { batch: outer.batch });
    const held = await w.claim(worker, { queues: [kind], limit: 24 });
    // Some twice: the second report is refused and counts nothing.
    const reports = [...held, ...held.slice(0, 6)].sort(() => Math.random() - 0.5);
    await Promise.all(reports.map(({ id, lease }) => w.complete(worker, { id, lease, outcome: 'done' })));
    expect(await show(outer.batch)).toMatchObject({ state: 'done', total: 3, done: 3 });
    expect((await callbacks(after)).length).toBe(4);
  });

  it('keeps count while adders of taken keys, enders and replacers meet crosswise', async () => {
    const kind = newKind();
    const { batch } = await create({ open: true });
    await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const key = { kind, unique_key: `${kind}-${n % 3}`, on_duplicate: n % 2 ? 'replace' : 'ignore' } as const;
        await add({ batch, jobs: [key] });
        const jobs = await w.claim(worker, { queues: [kind], limit: 2 });
        if (jobs.length > 0)
          await w.complete(worker, ...jobs.map(({ id, lease }) => ({ id, lease, outcome: 'done' as const })));
      }),
    );
    const { total, done, cancelled } = await show(batch);
    const { items } = await w.work.list(operator, operations.listJobs.input.parse({ batch, limit: 500 }));
    const count = (state: string) => items.filter((job) => job.state === state).length;
    expect([total, done, cancelled]).toEqual([items.length, count('done'), count('cancelled')]);
  });

  it('is not locked by an adder that waits for a job of another transaction, so they cannot wait crosswise', async () => {
    const kind = newKind();
    const { batch, jobs } = await create({ open: true, jobs: [{ kind, unique_key: kind }] });
    const ender = new pg.Client({ connectionString: w.t.database.adminUrl });
    await ender.connect();
    try {
      await ender.query('BEGIN');
      await ender.query('DELETE FROM work.jobs WHERE id = $1', [getUuid('job', jobs[0]!.id, 'job')]);
      const adding = add({ batch, jobs: [{ kind }, { kind, unique_key: kind }] });
      await vi.waitFor(async () => {
        const { rows } = await ender.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        expect(rows.length).toBe(1);
      }, 10_000);
      const { rows } = await ender.query('SELECT FROM work.batches WHERE id = $1 FOR NO KEY UPDATE NOWAIT', [
        getUuid('bat', batch, 'batch'),
      ]);
      expect(rows.length).toBe(1);
      await ender.query('ROLLBACK');
      expect(await adding).toMatchObject({ total: 2, jobs: [{ existing: false }, { existing: true }] });
    } finally {
      await ender.end();
    }
  });

  it('goes on when the channel of what comes after is gone', async () => {
    const [kind, channel, after] = [newKind(), newKind(), newKind()];
    const set = operations.setChannel.input.parse({ channel, limits: [{ limit: 5, window_seconds: 60 }] });
    await w.work.channels.set(operator, set);
    await expect(create({ on_done: { kind, channel: 'nowhere' } })).rejects.toMatchObject({
      code: 'work.channel_not_found',
    });
    const { batch } = await create({ jobs: some(kind, 1), on_done: { kind: after, channel } });
    await w.work.channels.remove(operator, { channel });
    await end(kind, 'done');
    const { on_done_job } = await show(batch);
    expect(await showJob(on_done_job!)).toMatchObject({ kind: after, channel: null });
  });

  it('is one tenant’s: others neither see nor change it', async () => {
    const mine = await w.operator('mine');
    const theirs = await w.operator('theirs');
    const { batch } = await create({ open: true }, mine);
    const none = { code: 'work.batch_not_found' };
    await expect(show(batch, theirs)).rejects.toMatchObject(none);
    await expect(add({ batch, jobs: some('k', 1) }, theirs)).rejects.toMatchObject(none);
    await expect(create({ parent: batch }, theirs)).rejects.toMatchObject(none);
    await expect(create({ parent: batch, tenant: 'theirs' })).rejects.toMatchObject(none);
    await expect(w.work.batches.close(theirs, { batch })).rejects.toMatchObject(none);
    await expect(w.work.batches.cancel(theirs, { batch })).rejects.toMatchObject(none);
    expect(await show(batch, mine)).toMatchObject({ state: 'open', total: 0, tenant: 'mine' });
  });

  it('is forgotten some time after it ended', async () => {
    const { batch } = await create({});
    const open = await create({ open: true });
    await w.sql(
      `UPDATE work.batches SET ended_at = ended_at - interval '31 days' WHERE name IS NULL AND ended_at IS NOT NULL`,
    );
    expect(await w.t.app.db.write({ kind: 'fleet' }, (tx) => forgetOldBatches(tx, 30, 1000))).toBeGreaterThan(0);
    await expect(show(batch)).rejects.toMatchObject({ code: 'work.batch_not_found' });
    expect(await show(open.batch)).toMatchObject({ state: 'open' });
  });
});
