import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../test/support/work.ts';
import type { Call } from '../../platform/call.ts';
import type { InputOf } from '../../platform/operation.ts';
import { operations } from './operations.ts';

let w: TestWork;
let operator: Call;
let worker: Call;
beforeAll(async () => {
  w = await openTestWork();
  operator = await w.operator();
  worker = await w.agent('worker');
});
afterAll(() => w.close());

const cancel = (input: InputOf<typeof operations.cancelJobs>, call = operator) =>
  w.work.cancelling.cancel(call, operations.cancelJobs.input.parse(input));
const replay = (input: InputOf<typeof operations.replayJobs>, call = operator) =>
  w.work.cancelling.replay(call, operations.replayJobs.input.parse(input));
const change = (input: InputOf<typeof operations.changeJob>) => w.work.cancelling.change(operator, input);
const show = (job: string) => w.work.show(operator, job);

/** A job that its only attempt ended as dead. */
async function deadJob(kind: string, fields: object = {}): Promise<string> {
  const [id] = await w.add(operator, { kind, max_attempts: 1, payload: { kind }, ...fields });
  const [job] = await w.claim(worker, { queues: [kind] });
  await w.complete(worker, { id: job!.id, lease: job!.lease, outcome: 'failed', error: 'no' });
  return id!;
}

describe('cancel', () => {
  it('ends jobs in every state that is not an end, and says what it left alone', async () => {
    const [queued] = await w.add(operator, { kind: 'states' });
    const [scheduled] = await w.add(operator, { kind: 'states', run_at: '2999-01-01T00:00:00Z' });
    const [running] = await w.add(operator, { kind: 'states-run' });
    await w.claim(worker, { queues: ['states-run'] });
    const dead = await deadJob('states-dead');
    const answer = await cancel({ jobs: [queued!, scheduled!, running!, dead, 'job_nonsense'], reason: 'not wanted' });
    expect(new Set(answer.cancelled)).toEqual(new Set([queued, scheduled, running]));
    expect(answer.refused).toEqual([
      { id: dead, code: 'work.job_ended' },
      { id: 'job_nonsense', code: 'work.job_not_found' },
    ]);
    for (const job of [queued!, scheduled!, running!]) {
      expect(await show(job)).toMatchObject({ state: 'cancelled', reason: 'cancelled', error: 'not wanted' });
    }
    expect((await w.events('work.job.cancelled')).at(-1)).toMatchObject({ reason: 'not wanted' });
    expect((await cancel({ jobs: [queued!] })).refused).toEqual([{ id: queued, code: 'work.job_ended' }]);
  });

  it('voids the lease of a running job: its worker learns so by its renewal, and its outcome is refused', async () => {
    await w.add(operator, { kind: 'told' });
    const [job] = await w.claim(worker, { queues: ['told'] });
    await cancel({ jobs: [job!.id] });
    expect(await w.renew(worker, job!)).toEqual({ renewed: [], lost: [{ id: job!.id, reason: 'cancelled' }] });
    const late = await w.complete(worker, { id: job!.id, lease: job!.lease, outcome: 'done' });
    expect(late.refused).toEqual([{ id: job!.id, code: 'work.stale_lease' }]);
    expect(await show(job!.id)).toMatchObject({ state: 'cancelled' });
  });

  it('works on what a filter found at a dry run, and not on what came since', async () => {
    await w.add(operator, { jobs: Array.from({ length: 5 }, () => ({ kind: 'frozen' })) });
    const dry = await cancel({ filter: { kind: 'frozen' }, dry_run: true });
    expect(dry).toMatchObject({ cancelled: [], matched: 5, more: true });
    const [later] = await w.add(operator, { kind: 'frozen' });
    const first = await cancel({ filter: { kind: 'frozen' }, up_to: dry.newest!, limit: 3 });
    expect([first.cancelled.length, first.more]).toEqual([3, true]);
    const second = await cancel({ filter: { kind: 'frozen' }, up_to: dry.newest!, limit: 3 });
    expect([second.cancelled.length, second.more]).toEqual([2, false]);
    expect(await show(later!)).toMatchObject({ state: 'queued' });
  });

  it('refuses a call with neither jobs nor a filter, or with both', async () => {
    await expect(cancel({})).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(cancel({ jobs: ['job_x'], filter: {} })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('reaches no job of another tenant', async () => {
    const [id] = await w.add(await w.operator('mine'), { kind: 'private' });
    const thief = await w.operator('theirs');
    expect(await cancel({ jobs: [id!] }, thief)).toMatchObject({
      cancelled: [],
      refused: [{ id, code: 'work.job_not_found' }],
    });
    expect(await cancel({ filter: { kind: 'private' } }, thief)).toMatchObject({ cancelled: [], matched: 0 });
    expect(await show(id!)).toMatchObject({ state: 'queued' });
  });
});

describe('replay', () => {
  it('adds a dead job once more with all it had, once', async () => {
    await w.work.channels.set(operator, operations.setChannel.input.parse({ channel: 'again' }));
    const payload = { text: 'x'.repeat(5_000) };
    const fields = { channel: 'again', cost: 3, urgent: true, priority: 7, max_runtime_seconds: 60, payload };
    const dead = await deadJob('again', fields);
    const { replayed } = await replay({ jobs: [dead] });
    expect(replayed).toEqual([{ id: dead, job: expect.stringMatching(/^job_/) }]);
    expect(await show(replayed[0]!.job)).toMatchObject({ state: 'queued', attempt: 0, replay_of: dead, ...fields });
    expect(await show(dead)).toMatchObject({ state: 'dead' });
    expect((await replay({ jobs: [dead] })).refused).toEqual([{ id: dead, code: 'work.already_replayed' }]);
  });

  it('two at the same time add each job once', async () => {
    const dead = await Promise.all(['twice-a', 'twice-b', 'twice-c'].map((kind) => deadJob(kind)));
    const answers = await Promise.all([replay({ jobs: dead }), replay({ jobs: dead })]);
    expect(answers.flatMap(({ replayed }) => replayed.map(({ id }) => id)).sort()).toEqual([...dead].sort());
  });

  it('adds all that a filter finds', async () => {
    const dead = [];
    for (let n = 0; n < 4; n++) dead.push(await deadJob('filtered'));
    expect(await replay({ filter: { kind: 'filtered' }, dry_run: true })).toMatchObject({ matched: 4, replayed: [] });
    const answer = await replay({ filter: { kind: 'filtered', reason: 'failed' } });
    expect(answer.replayed.map(({ id }) => id)).toEqual(dead);
    expect(await replay({ filter: { kind: 'filtered' } })).toMatchObject({ matched: 0, replayed: [] });
  });

  it('is refused for what costs more than its channel allows by now: it could never start', async () => {
    const limit = (limit: number) =>
      w.work.channels.set(operator, { channel: 'dearer', limits: [{ limit, window_seconds: 60 }] });
    await limit(9);
    const dead = await deadJob('dearer', { channel: 'dearer', cost: 8 });
    await limit(5);
    expect((await replay({ jobs: [dead] })).refused).toEqual([{ id: dead, code: 'work.cost_above_limit' }]);
    expect(await replay({ filter: { kind: 'dearer' } })).toMatchObject({ matched: 0, replayed: [], more: false });
    await limit(8);
    expect((await replay({ filter: { kind: 'dearer' } })).replayed).toMatchObject([{ id: dead }]);
  });

  it('by a filter comes to an end, also where many had one unique key', async () => {
    const dead = [];
    for (let n = 0; n < 4; n++) dead.push(await deadJob('one-key', { unique_key: 'one-key' }));
    dead.push(await deadJob('one-key'));
    const replayed: string[] = [];
    for (let more = true, calls = 0; more; calls++) {
      expect(calls).toBeLessThan(4);
      const answer = await replay({ filter: { kind: 'one-key' }, limit: 2 });
      replayed.push(...answer.replayed.map(({ id }) => id));
      more = answer.more;
    }
    expect(replayed).toEqual([dead[0], dead[4]]);
    // The key is free again, so the next of them may come.
    const [job] = await w.claim(worker, { queues: ['one-key'] });
    await w.complete(worker, { id: job!.id, lease: job!.lease, outcome: 'done' });
    expect(await replay({ filter: { kind: 'one-key' }, dry_run: true })).toMatchObject({ matched: 3 });
  });

  it('refuses jobs that wait, run or are done, and one whose key another job has by now', async () => {
    const [waiting] = await w.add(operator, { kind: 'waiting' });
    const dead = await deadJob('keyed', { unique_key: 'only-one' });
    await w.add(operator, { kind: 'keyed', unique_key: 'only-one' });
    expect((await replay({ jobs: [waiting!, dead] })).refused).toEqual([
      { id: dead, code: 'work.key_taken' },
      { id: waiting, code: 'work.job_not_ended' },
    ]);
  });
});

describe('change', () => {
  it('moves a waiting job forward, or to another moment', async () => {
    const [first] = await w.add(operator, { kind: 'change', priority: 5 });
    const [second] = await w.add(operator, { kind: 'change', priority: 50 });
    expect(await change({ job: second!, priority: 1 })).toMatchObject({ priority: 1, state: 'queued' });
    expect(await change({ job: first!, run_at: '2999-01-01T00:00:00Z' })).toMatchObject({ state: 'scheduled' });
    expect((await w.claim(worker, { queues: ['change'], limit: 2 })).map(({ id }) => id)).toEqual([second]);
    expect(await change({ job: first!, run_at: '0000-01-01T00:00:00Z' })).toMatchObject({ state: 'queued' });
    expect((await w.events('work.job.changed'))[0]).toMatchObject({ job: { id: second }, priority: 1 });
  });

  it('refuses what runs, what has ended, and fewer attempts than were used', async () => {
    const dead = await deadJob('changed-dead');
    await expect(change({ job: dead, priority: 1 })).rejects.toMatchObject({ code: 'work.job_ended' });
    const [id] = await w.add(operator, { kind: 'changed-run' });
    const [job] = await w.claim(worker, { queues: ['changed-run'] });
    await expect(change({ job: id!, priority: 1 })).rejects.toMatchObject({ code: 'work.job_running' });
    await w.complete(worker, { id: id!, lease: job!.lease, outcome: 'failed' });
    await expect(change({ job: id!, max_attempts: 1 })).rejects.toMatchObject({ code: 'work.attempts_used' });
    await expect(change({ job: 'job_x', priority: 1 })).rejects.toMatchObject({ code: 'work.job_not_found' });
  });
});

describe('a job with a unique key', () => {
  it('is replaced while it waits, answered while it runs, refused where that is asked for', async () => {
    const add = (on_duplicate: 'ignore' | 'reject' | 'replace', n: number) =>
      w.work.add(
        operator,
        operations.addJobs.input.parse({ kind: 'keys', unique_key: 'nightly', payload: { n }, on_duplicate }),
      );
    const first = (await add('replace', 1)).jobs[0]!;
    for (let n = 2; n <= 30; n++) await add('replace', n);
    const { items } = await w.work.list(operator, operations.listJobs.input.parse({ kind: 'keys', state: 'queued' }));
    expect(items.length).toBe(1);
    expect(await show(items[0]!.id)).toMatchObject({ payload: { n: 30 } });
    expect(await show(first.id)).toMatchObject({ state: 'cancelled', reason: 'replaced' });
    await expect(add('reject', 31)).rejects.toMatchObject({ code: 'work.key_taken' });
    await w.claim(worker, { queues: ['keys'] });
    expect((await add('replace', 32)).jobs).toEqual([{ id: items[0]!.id, state: 'running', existing: true }]);
  });
});

describe('max_runtime', () => {
  it('ends a lease that is still renewed, and the attempt counts as failed', async () => {
    await w.add(operator, { kind: 'long', max_runtime_seconds: 20 });
    const [job] = await w.claim(worker, { queues: ['long'], lease_seconds: 60 });
    expect(job!.lease_until).toBe(job!.run_until);
    const { renewed } = await w.renew(worker, job!);
    expect(renewed).toEqual([{ id: job!.id, lease_until: job!.run_until }]);
    await w.sql(
      `UPDATE work.jobs SET run_until = clock_timestamp() - interval '1 s', lease_until = run_until WHERE kind = 'long'`,
    );
    await w.sql(`UPDATE work.jobs SET lease_until = run_until WHERE kind = 'long'`);
    expect((await w.renew(worker, job!)).lost).toEqual([{ id: job!.id, reason: 'timeout' }]);
    await w.rescue();
    expect(await show(job!.id)).toMatchObject({ state: 'scheduled', reason: 'timeout', attempt: 1 });
  });

  it('shorter than the lease ends the attempt as well, and is no loss of the worker', async () => {
    const [id] = await w.add(operator, { kind: 'short', max_runtime_seconds: 20 });
    await w.claim(worker, { queues: ['short'], lease_seconds: 60 });
    await w.sql(
      `UPDATE work.jobs SET run_until = run_until - interval '20 s', lease_until = lease_until - interval '20 s'
       WHERE kind = 'short'`,
    );
    await w.rescue();
    expect(await show(id!)).toMatchObject({ state: 'scheduled', reason: 'timeout', attempt: 1 });
  });
});
