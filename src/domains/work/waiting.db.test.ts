import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openTestWork, type TestWork } from '../../../test/support/work.ts';
import { tenantDirectory } from '../access/index.ts';
import { Work } from './service.ts';

const realTimeout = globalThis.setTimeout;

let w: TestWork;
beforeAll(async () => {
  w = await openTestWork();
});
afterAll(() => w.close());

const none = { jobs: [], paused: false };

it('wakes a waiting claim for the job, without waiting for the poll behind it', async () => {
  // A look that is asked for at once and one that the poll takes, a second later: only the first can be the answer.
  const poll = vi
    .spyOn(globalThis, 'setTimeout')
    .mockImplementation(((run: () => void, ms = 0) =>
      ms >= 1_000 ? realTimeout(() => undefined, 0) : realTimeout(run, ms)) as typeof setTimeout);
  try {
    const call = await w.operator();
    const { caller } = await w.agent('quick');
    const claim = { queues: ['quick'], limit: 1, wait: 20, lease_seconds: 60 };
    const answer = w.work.claim(w.t.app.call(caller), claim);
    await w.sql('SELECT 1');
    const [id] = await w.add(call, { kind: 'quick' });
    expect((await answer).jobs.map((job) => job.id)).toEqual([id]);
  } finally {
    poll.mockRestore();
  }
});

it('wakes a claim that waits in another process', async () => {
  const elsewhere = new Work({ ...w.t.app, tenants: tenantDirectory(w.t.app.db), graceSeconds: 0 });
  const { caller } = await w.agent('remote');
  const call = w.t.app.call(caller);
  const answer = elsewhere.claim(call, { queues: ['remote'], limit: 1, wait: 20, lease_seconds: 60 });
  const [id] = await w.add(await w.operator(), { kind: 'remote' });
  expect((await answer).jobs.map((job) => job.id)).toEqual([id]);
  elsewhere.stop();
});

it('takes no job for a caller that left while it waited', async () => {
  const gone = new AbortController();
  const { caller } = await w.agent('leaver');
  const call = w.t.app.call(caller, { signal: gone.signal });
  const answer = w.work.claim(call, { queues: ['left'], limit: 1, wait: 20, lease_seconds: 60 });
  gone.abort();
  expect(await answer).toEqual(none);
  const [id] = await w.add(await w.operator(), { kind: 'left' });
  expect((await w.work.show(await w.operator(), id!)).state).toBe('queued');
});

it('undoes a claim whose caller leaves before it is committed', async () => {
  const [id] = await w.add(await w.operator(), { kind: 'vanish' });
  const gone = new AbortController();
  const { caller } = await w.agent('vanisher');
  const call = w.t.app.call(caller, { signal: gone.signal });
  w.work.usePauses(async () => {
    gone.abort();
    return false;
  });
  expect(await w.work.claim(call, { queues: ['vanish'], limit: 1, wait: 0, lease_seconds: 60 })).toEqual(none);
  w.work.usePauses(async () => false);
  expect(await w.work.show(await w.operator(), id!)).toMatchObject({ state: 'queued', attempt: 0 });
});

it('wakes as many waiting claims as there are jobs, and ends the others when the room closes', async () => {
  const closing = new Work({ ...w.t.app, tenants: tenantDirectory(w.t.app.db), graceSeconds: 0 });
  const answers = await Promise.all(
    ['w1', 'w2', 'w3'].map(async (slug) => {
      const { caller } = await w.agent(slug);
      const answer = closing.claim(w.t.app.call(caller), { queues: ['few'], limit: 1, wait: 20, lease_seconds: 60 });
      return { answer };
    }),
  );
  const ids = await w.add(await w.operator(), { jobs: [{ kind: 'few' }, { kind: 'few' }] });
  const served: string[] = [];
  const all = answers.map(async ({ answer }) => {
    const { jobs } = await answer;
    served.push(...jobs.map((job) => job.id));
    if (served.length === ids.length) closing.stop();
  });
  await Promise.all(all);
  expect(served.sort()).toEqual(ids.sort());
});

it('does not wait at all when not asked to', async () => {
  expect(await w.claim(await w.agent('hasty'), { queues: ['nothing'] })).toEqual([]);
});
