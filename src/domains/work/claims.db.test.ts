import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../test/support/work.ts';

let w: TestWork;
beforeAll(async () => {
  w = await openTestWork(12);
});
afterAll(() => w.close());

it('hands jobs out by priority, then by age, across the queues asked for', async () => {
  const call = await w.operator();
  const later = await w.add(call, { kind: 'order-a', priority: 50 });
  const first = await w.add(call, { kind: 'order-b', priority: -5 });
  const second = await w.add(call, { kind: 'order-a', priority: 10 });
  const third = await w.add(call, { kind: 'order-b', priority: 10 });
  const agent = await w.agent('orderly');
  const taken = await w.claim(agent, { queues: ['order-a', 'order-b'], limit: 3 });
  const rest = await w.claim(agent, { queues: ['order-a', 'order-b'], limit: 3 });
  expect([...taken, ...rest].map((job) => job.id)).toEqual([...first, ...second, ...third, ...later]);
});

it('never hands one job to two of many claimers at the same time', async () => {
  const call = await w.operator();
  const jobs = Array.from({ length: 300 }, (_, n) => ({ kind: n % 2 === 0 ? 'crowd-a' : 'crowd-b', priority: n % 7 }));
  const added = await w.add(call, { jobs });
  const agents = await Promise.all(Array.from({ length: 10 }, (_, n) => w.agent(`crowd-${n}`)));
  const taken: string[] = [];
  await Promise.all(
    agents.map(async (agent, n) => {
      for (let empty = 0; empty < 2; ) {
        const got = await w.claim(agent, { queues: ['crowd-a', 'crowd-b'], limit: 1 + (n % 5) });
        if (got.length === 0) empty++;
        taken.push(...got.map((job) => job.id));
      }
    }),
  );
  expect(taken).toHaveLength(added.length);
  expect(new Set(taken)).toEqual(new Set(added));
});

it('gives a job with its payload, also a large one, its tenant, and a token that acts as its tenant', async () => {
  const small = { sku: 'A1' };
  const large = { text: 'x'.repeat(5_000) };
  await w.add(await w.operator('acme'), {
    jobs: [
      { kind: 'carry', payload: small },
      { kind: 'carry', payload: large },
    ],
  });
  const agent = await w.agent('carrier');
  const [one, two] = await w.claim(agent, { queues: ['carry'], limit: 2 });
  expect([one!.payload, two!.payload]).toEqual([small, large]);
  expect(one).toMatchObject({ attempt: 1, tenant: 'acme', queue: 'carry', kind: 'carry' });
  w.t.app.access.credentials.useJobs(w.work.findJobHolder);
  const caller = await w.t.app.access.credentials.getCaller(one!.token);
  expect(caller).toMatchObject({ kind: 'job', name: 'carrier', tenant: { slug: 'acme' }, job: { id: one!.id } });
  await w.expire(one!.id);
  await expect(w.t.app.access.credentials.getCaller(one!.token)).rejects.toMatchObject({ code: 'unauthenticated' });
  await w.complete(agent, { id: two!.id, lease: two!.lease, outcome: 'done' });
  await expect(w.t.app.access.credentials.getCaller(two!.token)).rejects.toMatchObject({ code: 'unauthenticated' });
});

it('gives an agent of a tenant the jobs of that tenant only, an agent of the fleet those of all', async () => {
  const [ofA] = await w.add(await w.operator('tenant-a'), { kind: 'walls' });
  const [ofB] = await w.add(await w.operator('tenant-b'), { kind: 'walls' });
  const inB = await w.claim(await w.agent('resident', 'tenant-b'), { queues: ['walls'], limit: 10 });
  expect(inB.map((job) => job.id)).toEqual([ofB]);
  const inFleet = await w.claim(await w.agent('visitor'), { queues: ['walls'], limit: 10 });
  expect(inFleet.map((job) => job.id)).toEqual([ofA]);
});

it('is refused to everybody who is no agent', async () => {
  await expect(w.claim(await w.operator(), { queues: ['any'] })).rejects.toMatchObject({ code: 'work.agents_only' });
});

it('hands a paused agent nothing and says so', async () => {
  const [id] = await w.add(await w.operator(), { kind: 'held-back' });
  const paused = await w.agent('paused');
  w.work.usePauses(async (_, agentId) => agentId === paused.caller.id);
  const input = { queues: ['held-back'], limit: 1, wait: 0, lease_seconds: 60 };
  expect(await w.work.claim(paused, input)).toEqual({ jobs: [], paused: true });
  const other = await w.claim(await w.agent('awake'), { queues: ['held-back'] });
  expect(other.map((job) => job.id)).toEqual([id]);
});

it('finds the runnable jobs of its queues behind 5,000 of another queue and 5,000 that are not due', async () => {
  const call = await w.operator();
  for (let n = 0; n < 5; n++) {
    const far = new Date(Date.now() + 3_600_000).toISOString();
    await w.add(call, { jobs: Array.from({ length: 1_000 }, () => ({ kind: 'crowded', priority: 0 })) });
    await w.add(call, { jobs: Array.from({ length: 1_000 }, () => ({ kind: 'quiet', priority: 0, run_at: far })) });
  }
  const [id] = await w.add(call, { kind: 'quiet', priority: 500 });
  const taken = await w.claim(await w.agent('patient'), { queues: ['quiet'], limit: 10 });
  expect(taken.map((job) => job.id)).toEqual([id]);
});

it('writes one event per tenant that names every job it handed out', async () => {
  await w.add(await w.operator('tenant-a'), { jobs: [{ kind: 'told' }, { kind: 'told' }] });
  await w.add(await w.operator('tenant-b'), { kind: 'told' });
  const taken = await w.claim(await w.agent('teller'), { queues: ['told'], limit: 10 });
  const events = (await w.events('work.job.claimed')).filter((payload) => payload['agent'] === 'teller');
  expect(events).toHaveLength(2);
  const named = events.flatMap((payload) => payload['jobs'] as { id: string; attempt: number }[]);
  expect(new Set(named.map((job) => job.id))).toEqual(new Set(taken.map((job) => job.id)));
  expect(named.every((job) => job.attempt === 1)).toBe(true);
});
