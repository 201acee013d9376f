import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../../test/support/work.ts';
import type { Call } from '../../../platform/call.ts';
import { getUuid } from '../../../platform/ids.ts';
import { operations } from '../operations.ts';
import { forgetOldSteps } from './step-store.ts';

let w: TestWork;
let operator: Call;
let worker: Call;
let kinds = 0;
beforeAll(async () => {
  w = await openTestWork();
  operator = await w.operator();
  worker = await w.agent('worker');
});
afterAll(() => w.close());

interface Held {
  readonly id: string;
  readonly lease: string;
}

async function hold(fields: object = {}): Promise<Held & { kind: string }> {
  const kind = `kind-${++kinds}`;
  await w.add(operator, { kind, ...fields });
  return (await w.claim(worker, { queues: [kind] }))[0]!;
}

const store = (job: Held, step: string, result: unknown, call = worker) =>
  w.work.steps.store(call, { job: job.id, step, lease: job.lease, result });
const list = (job: string, more: object = {}) =>
  w.work.steps.list(operator, operations.listSteps.input.parse({ job, ...more }));
const show = (job: string) => w.work.show(operator, job);

describe('a step', () => {
  it('keeps its first result, for this attempt and the ones after', async () => {
    const job = await hold({ max_attempts: 3 });
    expect(await store(job, 'fetch', { rows: 1 })).toMatchObject({ result: { rows: 1 }, existing: false, attempt: 1 });
    expect(await store(job, 'fetch', { rows: 2 })).toMatchObject({ result: { rows: 1 }, existing: true });
    expect(await store(job, 'nothing', undefined)).toMatchObject({ result: null });
    await w.complete(worker, { ...pickHold(job), outcome: 'failed' });
    await w.makeDue(job.id);
    const [again] = await w.claim(worker, { queues: [job.kind] });
    expect(await store(again!, 'fetch', { rows: 3 })).toMatchObject({
      result: { rows: 1 },
      existing: true,
      attempt: 1,
    });
    expect(await store(again!, 'send', 'sent')).toMatchObject({ attempt: 2 });
    expect((await list(job.id)).items.map(({ step, result }) => [step, result])).toEqual([
      ['fetch', { rows: 1 }],
      ['nothing', null],
      ['send', 'sent'],
    ]);
    const first = await list(job.id, { limit: 2 });
    expect((await list(job.id, { limit: 2, after: first.next_cursor })).items.map(({ step }) => step)).toEqual([
      'send',
    ]);
    await w.complete(worker, { id: again!.id, lease: again!.lease, outcome: 'done' });
    expect((await list(job.id)).items).toEqual([]);
  });

  it('is kept by nobody but who holds the job', async () => {
    const job = await hold();
    const other = await w.agent('other');
    const stale = { code: 'work.stale_lease' };
    await expect(store(job, 'a', 1, other)).rejects.toMatchObject(stale);
    await expect(store({ ...job, lease: '1.wrong' }, 'a', 1)).rejects.toMatchObject(stale);
    await w.expire(job.id);
    await expect(store(job, 'a', 1)).rejects.toMatchObject(stale);
    await w.rescue();
    await expect(store(job, 'a', 1)).rejects.toMatchObject(stale);
    await expect(store({ ...job, id: 'job_nonsense' }, 'a', 1)).rejects.toMatchObject({ code: 'work.job_not_found' });
    const theirs = await w.agent('thief', 'theirs');
    await expect(store(job, 'a', 1, theirs)).rejects.toMatchObject({ code: 'work.job_not_found' });
    const reader = await w.operator('theirs');
    await expect(w.work.steps.list(reader, { job: job.id, limit: 10 })).rejects.toMatchObject({
      code: 'work.job_not_found',
    });
    expect((await list(job.id)).items).toEqual([]);
  });

  it('is refused above its size, the size of all and their number; what is kept stays', async () => {
    const job = await hold();
    await expect(store(job, 'big', 'x'.repeat(256 * 1024))).rejects.toMatchObject({ code: 'work.step_too_large' });
    const uuid = getUuid('job', job.id, 'job');
    const fill = (count: number, bytes: number) =>
      w.sql(
        `INSERT INTO work.job_steps (job_id, step, tenant_id, result, bytes, attempt)
         SELECT j.id, 's' || n, j.tenant_id, '0', $3, 1 FROM work.jobs j, generate_series(1, $2) n WHERE j.id = $1`,
        [uuid, count, bytes],
      );
    await fill(32, 256 * 1024);
    await expect(store(job, 'one more', 1)).rejects.toMatchObject({ code: 'work.steps_too_large' });
    await w.sql('DELETE FROM work.job_steps WHERE job_id = $1', [uuid]);
    await fill(1_000, 1);
    await expect(store(job, 'one more', 1)).rejects.toMatchObject({ code: 'work.too_many_steps' });
    expect(await store(job, 's7', 1)).toMatchObject({ existing: true, result: 0 });
  });

  it('of a dead job goes on in the one that tries it again, and is forgotten with the job', async () => {
    const job = await hold({ max_attempts: 1 });
    await store(job, 'fetch', { rows: 1 });
    await w.complete(worker, { ...pickHold(job), outcome: 'failed' });
    expect((await list(job.id)).items.length).toBe(1);
    const { replayed } = await w.work.cancelling.replay(
      operator,
      operations.replayJobs.input.parse({ jobs: [job.id] }),
    );
    const [again] = await w.claim(worker, { queues: [job.kind] });
    expect(again!.id).toBe(replayed[0]!.job);
    expect(await store(again!, 'fetch', { rows: 2 })).toMatchObject({ existing: true, result: { rows: 1 } });
    await w.complete(worker, { id: again!.id, lease: again!.lease, outcome: 'done' });
    expect((await list(again!.id)).items).toEqual([]);
    expect((await list(job.id)).items.length).toBe(1);
    // A step of long ago whose job went with its week, and one of a job that is still known.
    for (const id of [randomUUID(), getUuid('job', job.id, 'job')]) {
      await w.sql(
        `INSERT INTO work.job_steps (job_id, step, tenant_id, result, bytes, attempt, at)
         SELECT $1, 'old', tenant_id, '1', 1, 1, at - interval '31 days' FROM work.job_steps LIMIT 1`,
        [id],
      );
    }
    expect(await w.t.app.db.write({ kind: 'fleet' }, (tx) => forgetOldSteps(tx, 30, 100))).toBe(1);
    expect((await list(job.id)).items.map(({ step }) => step)).toEqual(['fetch', 'old']);
  });
});

describe('progress', () => {
  it('is told with the renewal, shown while the job runs, and gone with the attempt', async () => {
    const job = await hold({ max_attempts: 2 });
    const renew = (progress?: object) =>
      w.work.renew(worker, operations.renewJobs.input.parse({ jobs: [{ ...pickHold(job), progress }] }));
    expect(await show(job.id)).toMatchObject({ progress: null });
    const { version } = await show(job.id);
    expect((await renew({ fraction: 0.25, message: '1 of 4' })).renewed.length).toBe(1);
    expect(await show(job.id)).toMatchObject({ progress: { fraction: 0.25, message: '1 of 4' }, version: version + 1 });
    await renew();
    expect(await show(job.id)).toMatchObject({ progress: { fraction: 0.25, message: '1 of 4' } });
    await renew({ message: 'almost' });
    const { items } = await w.work.list(operator, operations.listJobs.input.parse({ queue: job.kind }));
    expect(items[0]).toMatchObject({ progress: { message: 'almost' } });
    await w.complete(worker, { ...pickHold(job), outcome: 'failed' });
    expect(await show(job.id)).toMatchObject({ state: 'scheduled', progress: null });
    expect((await renew({ fraction: 1 })).lost.length).toBe(1);
    expect(await show(job.id)).toMatchObject({ progress: null });
  });

  it('is refused beyond its bounds', () => {
    for (const progress of [{ fraction: 1.01 }, { fraction: -0.1 }, { message: 'x'.repeat(501) }, { percent: 5 }]) {
      const input = { jobs: [{ id: 'job_x', lease: '1', progress }] };
      expect(operations.renewJobs.input.safeParse(input).success).toBe(false);
    }
  });
});

describe('artifacts', () => {
  it('are kept with the job that ended', async () => {
    const [done, dead] = [await hold(), await hold({ max_attempts: 1 })];
    const artifacts = [
      {
        name: 'report',
        uri: 's3://reports/april.pdf',
        content_type: 'application/pdf',
        bytes: 12,
        sha256: 'a'.repeat(64),
      },
      { name: 'log', uri: 'file:///var/log/april' },
    ];
    await w.complete(worker, { ...pickHold(done), outcome: 'done', result: 1, artifacts });
    await w.complete(worker, { ...pickHold(dead), outcome: 'failed', artifacts: [artifacts[1]!] });
    expect(await show(done.id)).toMatchObject({ state: 'done', result: 1, artifacts });
    expect(await show(dead.id)).toMatchObject({ state: 'dead', artifacts: [artifacts[1]!] });
    expect((await show((await hold()).id)).artifacts).toEqual([]);
  });

  it('are refused beyond their bounds', () => {
    const one = { name: 'a', uri: 'b' };
    const wrong = [
      Array.from({ length: 51 }, () => one),
      [{ name: 'a' }],
      [{ ...one, bytes: -1 }],
      [{ ...one, sha256: 'no' }],
    ];
    for (const artifacts of wrong) {
      const input = { jobs: [{ id: 'job_x', lease: '1', outcome: 'done', artifacts }] };
      expect(operations.completeJobs.input.safeParse(input).success).toBe(false);
    }
  });
});

function pickHold({ id, lease }: Held): Held {
  return { id, lease };
}
