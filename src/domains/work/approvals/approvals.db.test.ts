// A job that waits for an operator: who may decide, what the decision is bound to, and that it counts once.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../../test/support/work.ts';
import type { Call } from '../../../platform/call.ts';
import { getUuid } from '../../../platform/ids.ts';
import type { InputOf } from '../../../platform/operation.ts';
import { operations } from '../operations.ts';

let w: TestWork;
let admin: pg.Client;
let ada: Call;
let worker: Call;
let queues = 0;
beforeAll(async () => {
  w = await openTestWork(12);
  ada = await w.operator();
  worker = await w.agent('worker');
  admin = new pg.Client({ connectionString: w.t.database.adminUrl });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await w.close();
});

const request = { summary: 'refund 40 euro', details: { order: 7, euro: 40 } };
const newQueue = () => `a${++queues}`;
const add = async (queue: string, more: object = {}) => (await w.add(ada, { kind: 'refund', queue, ...more }))[0]!;
const claim = async (queue: string) => (await w.claim(worker, { queues: [queue] }))[0]!;
const show = (job: string) => w.work.show(ada, job);
const pending = async (job: string) => {
  const { items } = await w.work.approvals.list(ada, operations.listApprovals.input.parse({ job, state: 'pending' }));
  return items[0]!;
};
const decide = (
  approval: string,
  decision: 'approve' | 'reject',
  more: Partial<InputOf<typeof operations.decideApproval>> = {},
  call = ada,
) => w.work.approvals.decide(call, operations.decideApproval.input.parse({ approval, decision, ...more }));

/** A job that runs and asks. */
async function asking(more: object = {}, asked: object = request) {
  const queue = newQueue();
  const job = await add(queue, more);
  const { id, lease } = await claim(queue);
  const answer = await w.complete(worker, { id, lease, outcome: 'ask', approval: asked as typeof request });
  expect(answer).toEqual({ accepted: [job], refused: [] });
  return { queue, job, lease, approval: await pending(job) };
}

/** As if its time had passed; the program itself may not change it. */
const overdue = (approval: string) =>
  admin.query(`UPDATE work.approvals SET expires_at = clock_timestamp() - interval '1 ms' WHERE id = $1`, [
    getUuid('apr', approval, 'approval'),
  ]);
const expire = () => w.work.approvals.expire(w.t.app.systemCall());

describe('a job that was added with an approval', () => {
  it('does not start before it was approved, and its claim tells of the decision', async () => {
    const queue = newQueue();
    const { jobs } = await w.work.add(
      ada,
      operations.addJobs.input.parse({ kind: 'refund', queue, payload: { order: 7 }, approval: request }),
    );
    const job = jobs[0]!.id;
    expect(jobs[0]!.state).toBe('awaiting_approval');
    expect(await w.claim(worker, { queues: [queue] })).toEqual([]);
    const { id, digest, attempt } = await pending(job);
    expect(attempt).toBe(0);
    const full = await w.work.approvals.show(ada, id);
    expect(full).toMatchObject({ details: request.details, payload: { order: 7 }, digest });
    await decide(id, 'approve', { digest, note: 'fine' });
    const taken = await claim(queue);
    const by = ada.caller.name;
    const approval = { id, decision: 'approve', by, note: 'fine', summary: request.summary, digest };
    expect(taken).toMatchObject({ id: job, attempt: 1, approval });
  });

  it('waits for its moment when that has not come', async () => {
    const job = await add(newQueue(), { run_at: '2999-01-01T00:00:00Z', approval: request });
    await decide((await pending(job)).id, 'approve');
    expect(await show(job)).toMatchObject({ state: 'scheduled', run_at: '2999-01-01T00:00:00.000Z' });
  });

  it('asks again when it is added once more', async () => {
    const job = await add(newQueue(), { approval: { ...request, deciders: ['ada'] } });
    await decide((await pending(job)).id, 'reject');
    const { replayed } = await w.work.cancelling.replay(ada, operations.replayJobs.input.parse({ jobs: [job] }));
    expect(await show(replayed[0]!.job)).toMatchObject({ state: 'awaiting_approval' });
    expect(await pending(replayed[0]!.job)).toMatchObject({ attempt: 0, summary: request.summary, deciders: ['ada'] });
  });
});

describe('a worker that asks', () => {
  it('loses its lease and its token, holds no slot of the channel, and uses up no attempt', async () => {
    const channel = newQueue();
    await w.work.channels.set(ada, operations.setChannel.input.parse({ channel, concurrency: 1 }));
    const { queue, job, lease } = await asking({ channel, max_attempts: 1 });
    expect(await show(job)).toMatchObject({ state: 'awaiting_approval', lease_until: null, attempt: 1 });
    expect((await w.renew(worker, { id: job, lease })).lost).toEqual([{ id: job, reason: 'expired' }]);
    const late = await w.complete(worker, { id: job, lease, outcome: 'done' });
    expect(late.refused).toEqual([{ id: job, code: 'work.stale_lease' }]);
    const next = await add(queue, { channel });
    const other = await claim(queue);
    expect(other.id).toBe(next);
    await w.complete(worker, { id: next, lease: other.lease, outcome: 'done' });
    await decide((await pending(job)).id, 'approve');
    const again = await claim(queue);
    expect(again).toMatchObject({ id: job, attempt: 2, approval: { decision: 'approve' } });
    expect(again.lease).not.toBe(lease);
    await w.complete(worker, { id: job, lease: again.lease, outcome: 'failed' });
    expect(await show(job)).toMatchObject({ state: 'dead', reason: 'failed' });
  });

  it('is told of a decision once: the attempt after a lost one asks again', async () => {
    const { queue, job, approval } = await asking();
    await decide(approval.id, 'approve');
    expect((await claim(queue)).approval).toBeDefined();
    await w.expire(job);
    await w.rescue();
    const [again] = await w.claim(await w.agent('second'), { queues: [queue] });
    expect(again).toMatchObject({ id: job });
    expect(again).not.toHaveProperty('approval');
  });

  it('must say what it asks, and says nothing of the kind otherwise', () => {
    const held = { id: 'job_1', lease: 'x' };
    const parse = (job: object) => operations.completeJobs.input.safeParse({ jobs: [{ ...held, ...job }] }).success;
    expect(parse({ outcome: 'ask', approval: request })).toBe(true);
    expect(parse({ outcome: 'ask' })).toBe(false);
    expect(parse({ outcome: 'done', approval: request })).toBe(false);
  });

  it('is refused details that are too large, and goes on holding the job', async () => {
    const queue = newQueue();
    await add(queue);
    const { id, lease } = await claim(queue);
    const approval = { summary: 'much', details: { text: 'x'.repeat(70_000) } };
    const answer = await w.complete(worker, { id, lease, outcome: 'ask', approval });
    expect(answer.refused).toEqual([{ id, code: 'work.details_too_large' }]);
    expect(await show(id)).toMatchObject({ state: 'running' });
    await expect(add(queue, { approval })).rejects.toMatchObject({ code: 'work.details_too_large' });
  });
});

describe('a decision', () => {
  it('ends the job when it is a rejection, with who and why', async () => {
    const { job, approval } = await asking();
    const decided = await decide(approval.id, 'reject', { note: 'too much' });
    expect(decided).toMatchObject({ state: 'rejected', decided_by: ada.caller.name, note: 'too much' });
    expect(await show(job)).toMatchObject({ state: 'dead', reason: 'rejected', error: 'too much' });
    const events = await w.events('work.job.decided');
    expect(events.at(-1)).toMatchObject({
      by: ada.caller.name,
      note: 'too much',
      jobs: [{ id: job, state: 'dead', decision: 'rejected', digest: approval.digest }],
    });
  });

  it('is made once, whoever decides at the same moment', async () => {
    const { approval, queue } = await asking();
    const results = await Promise.allSettled([
      decide(approval.id, 'approve'),
      decide(approval.id, 'reject'),
      decide(approval.id, 'approve'),
      decide(approval.id, 'reject'),
    ]);
    const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    expect(codes).toEqual(Array.from({ length: 3 }, () => 'work.approval_decided'));
    const { state } = await w.work.approvals.show(ada, approval.id);
    expect((await w.claim(worker, { queues: [queue] })).length).toBe(state === 'approved' ? 1 : 0);
  });

  it('is refused when its digest is another', async () => {
    const { approval } = await asking();
    const digest = '0'.repeat(64);
    await expect(decide(approval.id, 'approve', { digest })).rejects.toMatchObject({ code: 'work.digest_mismatch' });
    expect((await w.work.approvals.show(ada, approval.id)).state).toBe('pending');
  });

  it('is for operators, and only for those who are named', async () => {
    const { approval } = await asking();
    await expect(decide(approval.id, 'approve', {}, worker)).rejects.toMatchObject({ code: 'work.operators_only' });
    const narrow = await asking({}, { ...request, deciders: ['grace'] });
    await expect(decide(narrow.approval.id, 'approve')).rejects.toMatchObject({ code: 'work.not_a_decider' });
    expect(worker.caller.abilities.has('work:approve')).toBe(false);
    expect(ada.caller.abilities.has('work:approve')).toBe(true);
  });

  it('is refused when the job was cancelled meanwhile', async () => {
    const { job, approval } = await asking();
    await w.work.cancelling.cancel(ada, operations.cancelJobs.input.parse({ jobs: [job] }));
    await expect(decide(approval.id, 'approve')).rejects.toMatchObject({ code: 'work.approval_withdrawn' });
    expect((await w.work.approvals.show(ada, approval.id)).state).toBe('withdrawn');
    expect(await show(job)).toMatchObject({ state: 'cancelled' });
  });

  it('is of one tenant, invisible to another', async () => {
    const { approval } = await asking();
    const other = await w.operator('other');
    await expect(decide(approval.id, 'approve', {}, other)).rejects.toMatchObject({ code: 'work.approval_not_found' });
    await expect(w.work.approvals.show(other, approval.id)).rejects.toMatchObject({ code: 'work.approval_not_found' });
  });

  it('races with a cancellation, an expiry and another decision without a deadlock, and one of them wins', async () => {
    for (let round = 0; round < 10; round++) {
      const { job, approval } = await asking();
      await overdue(approval.id);
      await Promise.allSettled([
        decide(approval.id, 'approve'),
        w.work.cancelling.cancel(ada, operations.cancelJobs.input.parse({ jobs: [job] })),
        expire(),
      ]);
      const { state } = await w.work.approvals.show(ada, approval.id);
      const expected = state === 'expired' ? 'dead' : 'cancelled';
      expect((await show(job)).state).toBe(expected);
      expect(['expired', 'withdrawn']).toContain(state);
    }
  });
});

describe('an approval that nobody gives', () => {
  it('expires: the job is dead as rejected, and a decision comes too late', async () => {
    const { job, approval } = await asking({ unique_key: 'once' });
    await expire();
    expect(await show(job)).toMatchObject({ state: 'awaiting_approval' });
    await overdue(approval.id);
    await expect(decide(approval.id, 'approve')).rejects.toMatchObject({ code: 'work.approval_expired' });
    await expire();
    expect(await show(job)).toMatchObject({
      state: 'dead',
      reason: 'rejected',
      error: expect.stringMatching(/^expired/),
    });
    await expect(decide(approval.id, 'approve')).rejects.toMatchObject({ code: 'work.approval_expired' });
  });
});
