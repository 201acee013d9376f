import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../test/support/work.ts';
import type { Call } from '../../platform/call.ts';

let w: TestWork;
let one: Call;
let other: Call;
beforeAll(async () => {
  w = await openTestWork();
  one = await w.agent('one');
  other = await w.agent('other');
});
afterAll(() => w.close());

const show = async (id: string) => w.work.show(await w.operator(), id);

async function held(queue: string, fields: { max_attempts?: number } = {}) {
  await w.add(await w.operator(), { kind: queue, ...fields });
  const [job] = await w.claim(one, { queues: [queue] });
  return job!;
}

it('gives a job whose lease ran out to another, under another lease and one attempt later', async () => {
  const job = await held('expiry');
  await w.expire(job.id);
  await w.rescue();
  expect(await show(job.id)).toMatchObject({ state: 'queued', attempt: 1, reason: 'lost_worker', agent: 'one' });
  expect(await w.claim(one, { queues: ['expiry'] })).toEqual([]);
  const [again] = await w.claim(other, { queues: ['expiry'] });
  expect(again).toMatchObject({ id: job.id, attempt: 2 });
  expect(again!.lease).not.toBe(job.lease);
  const lost = await w.events('work.job.lost');
  expect(lost.at(-1)).toEqual({
    jobs: [
      { id: job.id, kind: 'expiry', queue: 'expiry', attempt: 1, agent: 'one', state: 'queued', reason: 'lost_worker' },
    ],
  });
});

it('gives the job to the worker that lost it once its time of avoiding is over', async () => {
  const job = await held('avoided');
  await w.expire(job.id);
  await w.rescue();
  await w.sql(`UPDATE work.jobs SET avoid_until = clock_timestamp() WHERE kind = 'avoided'`);
  const [again] = await w.claim(one, { queues: ['avoided'] });
  expect(again?.id).toBe(job.id);
});

it('refuses a completion under any lease but the one that is held', async () => {
  const job = await held('fence');
  await w.expire(job.id);
  await w.rescue();
  const [again] = await w.claim(other, { queues: ['fence'] });
  const zombie = await w.complete(one, { id: job.id, lease: job.lease, outcome: 'done', result: 'stale' });
  expect(zombie).toEqual({ accepted: [], refused: [{ id: job.id, code: 'work.stale_lease' }] });
  // The right agent with the old lease, and the right lease from the wrong agent.
  const oldLease = await w.complete(other, { id: job.id, lease: job.lease, outcome: 'done' });
  const thief = await w.complete(one, { id: job.id, lease: again!.lease, outcome: 'done' });
  expect([...oldLease.refused, ...thief.refused].map(({ code }) => code)).toEqual(Array(2).fill('work.stale_lease'));
  expect(await show(job.id)).toMatchObject({ state: 'running', agent: 'other', attempt: 2 });
  const right = await w.complete(other, { id: job.id, lease: again!.lease, outcome: 'done', result: { ok: 1 } });
  expect(right).toEqual({ accepted: [job.id], refused: [] });
  expect(await show(job.id)).toMatchObject({ state: 'done', result: { ok: 1 }, reason: null, lease_until: null });
  const refusals = (await w.events('work.completion.refused')).filter((payload) => payload['agent'] === 'one');
  expect(refusals[0]).toEqual({ agent: 'one', jobs: [{ id: job.id, code: 'work.stale_lease' }] });
});

it('refuses the second completion of a job, also within one request, and what ended stays as it was', async () => {
  const job = await held('twice');
  const done = { id: job.id, lease: job.lease, outcome: 'done' as const, result: 1 };
  const failed = { ...done, outcome: 'failed' as const, result: 2 };
  const refused = [{ id: job.id, code: 'work.stale_lease' }];
  expect(await w.complete(one, done, failed)).toEqual({ accepted: [job.id], refused });
  expect(await w.complete(one, failed)).toEqual({ accepted: [], refused });
  expect(await show(job.id)).toMatchObject({ state: 'done', result: 1, attempt: 1 });
});

it('judges each report alone: unknown, malformed and oversized ones spoil no other', async () => {
  const good = await held('apart');
  const big = await held('apart');
  const unknown = 'job_0000000000000000000001';
  const answer = await w.complete(
    one,
    { id: unknown, lease: '1.x', outcome: 'done' },
    { id: 'job_!', lease: '1.x', outcome: 'done' },
    { id: big.id, lease: big.lease, outcome: 'done', result: 'x'.repeat(256 * 1024) },
    { id: good.id, lease: good.lease, outcome: 'done' },
  );
  expect(answer.accepted).toEqual([good.id]);
  expect(answer.refused).toEqual([
    { id: unknown, code: 'work.job_not_found' },
    { id: 'job_!', code: 'work.job_not_found' },
    { id: big.id, code: 'work.result_too_large' },
  ]);
  expect(await show(big.id)).toMatchObject({ state: 'running' });
});

it('refuses a completion and a renewal after the time of the lease, also before anybody took the job', async () => {
  const job = await held('late');
  await w.expire(job.id);
  expect((await w.renew(one, job)).lost).toEqual([{ id: job.id, reason: 'expired' }]);
  const late = await w.complete(one, { id: job.id, lease: job.lease, outcome: 'done' });
  expect(late.refused).toEqual([{ id: job.id, code: 'work.stale_lease' }]);
});

it('lets a lease that ran out count and rescues nobody while the grace after an outage runs', async () => {
  const graceful = w.t.app.work;
  const job = await held('outage');
  await w.expire(job.id);
  // The room of the application has the usual grace; the server of the tests has only just started, or is said to have.
  Object.defineProperty(w.t.app.db.availability, 'backSince', { get: () => performance.now() });
  await graceful.rescue(w.t.app.systemCall());
  expect(await show(job.id)).toMatchObject({ state: 'running', agent: 'one' });
  const renewed = await graceful.renew(one, { jobs: [{ id: job.id, lease: job.lease }], lease_seconds: 60 });
  expect(renewed.renewed.map(({ id }) => id)).toEqual([job.id]);
});

it('prolongs what is held and says of each other lease why it is lost', async () => {
  const [kept, taken, ended] = [await held('renewal'), await held('renewal'), await held('renewal')];
  await w.expire(taken.id);
  await w.rescue();
  await w.claim(other, { queues: ['renewal'] });
  await w.complete(one, { id: ended.id, lease: ended.lease, outcome: 'done' });
  const unknown = { id: 'job_0000000000000000000001', lease: '1.x' };
  const { renewed, lost } = await w.renew(one, kept, taken, ended, unknown);
  expect(renewed.map(({ id }) => id)).toEqual([kept.id]);
  expect(Date.parse(renewed[0]!.lease_until)).toBeGreaterThanOrEqual(Date.parse(kept.lease_until));
  expect(new Map(lost.map(({ id, reason }) => [id, reason]))).toEqual(
    new Map([
      [taken.id, 'taken'],
      [ended.id, 'ended'],
      [unknown.id, 'ended'],
    ]),
  );
});

it('schedules a failed job again with a growing pause, and gives it up after its last attempt', async () => {
  const [id] = await w.add(await w.operator(), { kind: 'flaky', max_attempts: 2 });
  const [first] = await w.claim(one, { queues: ['flaky'] });
  await w.complete(one, { id: id!, lease: first!.lease, outcome: 'failed', error: 'no route' });
  const waiting = await show(id!);
  expect(waiting).toMatchObject({ state: 'scheduled', reason: 'failed', error: 'no route', attempt: 1 });
  const pause = Date.parse(waiting.run_at!) - Date.now();
  expect(pause).toBeGreaterThan(1_000);
  expect(pause).toBeLessThan(6_000);
  expect(await w.claim(one, { queues: ['flaky'] })).toEqual([]);
  await w.makeDue(id!);
  const [second] = await w.claim(one, { queues: ['flaky'] });
  expect(second).toMatchObject({ id, attempt: 2, max_attempts: 2 });
  await w.complete(one, { id: id!, lease: second!.lease, outcome: 'failed', error: 'still none' });
  expect(await show(id!)).toMatchObject({ state: 'dead', reason: 'failed', error: 'still none', attempt: 2 });
  expect((await w.work.listDead(await w.operator(), undefined)).map((job) => job.id)).toContain(id);
});

it('gives up at once a job whose worker says that trying again is useless', async () => {
  const job = await held('hopeless');
  await w.complete(one, { id: job.id, lease: job.lease, outcome: 'failed', retry: false });
  expect(await show(job.id)).toMatchObject({ state: 'dead', reason: 'failed', attempt: 1 });
});

it('gives up a job that lost its worker in its last attempt', async () => {
  const job = await held('deadly', { max_attempts: 1 });
  await w.expire(job.id);
  await w.rescue();
  expect(await show(job.id)).toMatchObject({ state: 'dead', reason: 'lost_worker', attempt: 1 });
});

it('cuts our own secrets out of what a worker reports', async () => {
  const job = await held('leaky');
  await w.complete(one, { id: job.id, lease: job.lease, outcome: 'failed', retry: false, error: `got ${job.token}` });
  expect((await show(job.id)).error).toBe('got qd_[redacted]');
  expect(JSON.stringify(await w.events('work.job.completed'))).not.toContain(job.token);
});

it('shows a tenant’s agent neither a job of another tenant nor whether it exists', async () => {
  const [id] = await w.add(await w.operator('tenant-a'), { kind: 'hidden' });
  const [job] = await w.claim(one, { queues: ['hidden'] });
  const stranger = await w.agent('stranger', 'tenant-b');
  const answer = await w.complete(stranger, { id: id!, lease: job!.lease, outcome: 'done' });
  expect(answer.refused).toEqual([{ id, code: 'work.job_not_found' }]);
  expect((await w.renew(stranger, job!)).lost).toEqual([{ id, reason: 'ended' }]);
  await expect(w.work.show(stranger, id!)).rejects.toMatchObject({ code: 'work.job_not_found' });
});
