import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../test/support/work.ts';

let w: TestWork;
beforeAll(async () => {
  w = await openTestWork();
});
afterAll(() => w.close());

it('answers a job with the same unique key that has not ended, and adds anew once it has', async () => {
  const call = await w.operator();
  const agent = await w.agent('unique');
  const input = { kind: 'nightly', unique_key: 'nightly:1' };
  const first = await w.work.add(call, input);
  const again = await w.work.add(call, input);
  expect(first.jobs[0]).toMatchObject({ state: 'queued', existing: false });
  expect(again.jobs).toEqual([{ ...first.jobs[0], existing: true }]);
  const [job] = await w.claim(agent, { queues: ['nightly'] });
  expect((await w.work.add(call, input)).jobs[0]).toMatchObject({ state: 'running', existing: true });
  await w.complete(agent, { id: job!.id, lease: job!.lease, outcome: 'done' });
  const anew = await w.work.add(call, input);
  expect(anew.jobs[0]).toMatchObject({ existing: false });
  expect(anew.jobs[0]!.id).not.toBe(first.jobs[0]!.id);
});

it('leaves one job of thirty requests with one key at the same time, and of two within one batch', async () => {
  const call = await w.operator();
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => w.work.add(call, { kind: 'stampede', unique_key: 'once' })),
  );
  expect(new Set(answers.map(({ jobs }) => jobs[0]!.id)).size).toBe(1);
  expect(answers.filter(({ jobs }) => !jobs[0]!.existing)).toHaveLength(1);
  const twins = await w.add(call, {
    jobs: [
      { kind: 'twin', unique_key: 'twin' },
      { kind: 'twin', unique_key: 'twin' },
    ],
  });
  expect(twins[0]).toBe(twins[1]);
});

it('keeps unique keys of tenants apart', async () => {
  const [a] = await w.add(await w.operator('key-a'), { kind: 'same', unique_key: 'k' });
  const [b] = await w.add(await w.operator('key-b'), { kind: 'same', unique_key: 'k' });
  expect(a).not.toBe(b);
});

it('adds all jobs of a batch or none, and tells of them in one event', async () => {
  const call = await w.operator('batches');
  const many = Array.from({ length: 1_000 }, (_, n) => ({ kind: 'bulk', payload: { n } }));
  const tooLarge = { kind: 'bulk', payload: { text: 'x'.repeat(256 * 1024) } };
  await expect(w.add(call, { jobs: [many[0]!, tooLarge] })).rejects.toMatchObject({
    code: 'work.payload_too_large',
    details: { index: 1 },
  });
  expect((await w.work.summary(call, {})).queued).toBe(0);
  await w.add(call, { jobs: many });
  expect((await w.work.summary(call, {})).queued).toBe(1_000);
  const events = (await w.events('work.job.added')).filter(
    ({ jobs }) => (jobs as { kind: string }[])[0]!.kind === 'bulk',
  );
  expect(events.map(({ jobs }) => (jobs as unknown[]).length)).toEqual([1_000]);
});

it('refuses a request that holds neither one job nor a batch, or both', async () => {
  const call = await w.operator();
  await expect(w.work.add(call, {})).rejects.toMatchObject({ code: 'invalid_input' });
  await expect(w.add(call, { kind: 'a', jobs: [{ kind: 'b' }] })).rejects.toMatchObject({ code: 'invalid_input' });
});

it('holds a job back until its moment, whatever year that is', async () => {
  const call = await w.operator();
  const agent = await w.agent('timely');
  const [later] = await w.add(call, { kind: 'timed', run_at: '9999-12-31T23:59:59Z' });
  const [past] = await w.add(call, { kind: 'timed', run_at: '0000-01-01T00:00:00Z' });
  expect((await w.claim(agent, { queues: ['timed'], limit: 5 })).map((job) => job.id)).toEqual([past]);
  expect((await w.work.summary(call, {})).oldest_queued_seconds).toBeLessThan(60);
  await w.makeDue(later!);
  expect((await w.claim(agent, { queues: ['timed'], limit: 5 })).map((job) => job.id)).toEqual([later]);
  expect(await w.events('work.job.due')).toContainEqual({ jobs: [{ id: later, kind: 'timed', queue: 'timed' }] });
});

it('adds once for two requests with one Idempotency-Key', async () => {
  const caller = (await w.operator()).caller;
  const input = { kind: 'keyed' };
  const call = () =>
    w.t.app.call(caller, { idempotency: { key: 'k1', operation: 'work.job.add', input, showsSecret: false } });
  const first = await w.work.add(call(), input);
  expect(await w.work.add(call(), input)).toEqual(first);
  expect((await w.sql<{ n: number }>(`SELECT count(*) AS n FROM work.jobs WHERE kind = 'keyed'`))[0]!.n).toBe(1);
});
