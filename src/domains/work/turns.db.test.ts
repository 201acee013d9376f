// Tenants that want the same workers take turns.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../test/support/work.ts';
import type { Call } from '../../platform/call.ts';

let w: TestWork;
let fleet: Call;
let worker: Call;
beforeAll(async () => {
  w = await openTestWork(8);
  fleet = await w.operator();
  worker = await w.agent('worker');
});
afterAll(() => w.close());

const claim = (queue: string, limit: number) => w.claim(worker, { queues: [queue], limit });

async function flood(queue: string, counts: Readonly<Record<string, number>>, fields: object = {}) {
  for (const [tenant, count] of Object.entries(counts)) {
    const call = await w.operator(tenant);
    for (let left = count; left > 0; left -= 1000) {
      await w.add(call, { jobs: Array.from({ length: Math.min(left, 1000) }, () => ({ kind: queue, ...fields })) });
    }
  }
}
const count = (taken: readonly { tenant: string }[], tenant: string) =>
  taken.filter((job) => job.tenant === tenant).length;

it('who floods the queue gets no more than who adds a little', async () => {
  await flood('fair', { flood: 3_000, little: 200 });
  const taken = [];
  for (const limit of [...Array(50).fill(1), ...Array(35).fill(10)]) {
    taken.push(...(await w.claim(worker, { queues: ['fair'], limit })));
  }
  expect(taken.length).toBe(400);
  expect([count(taken, 'flood'), count(taken, 'little')]).toEqual([200, 200]);
});

it('take turns also while others, whom other workers serve, are served much faster', async () => {
  const [slow, late, fast, other] = await Promise.all(['slow', 'late', 'fast', 'other'].map((of) => w.operator(of)));
  const many = (kind: string, count: number) => ({ jobs: Array.from({ length: count }, () => ({ kind })) });
  await w.add(slow!, many('slow-queue', 40));
  await w.add(late!, many('slow-queue', 40));
  await w.add(fast!, many('fast-queue', 200));
  await w.add(other!, many('fast-queue', 200));
  const got: string[] = [];
  for (let n = 0; n < 20; n++) {
    await claim('fast-queue', 10);
    got.push(...(await claim('slow-queue', 1)).map(({ tenant }) => tenant));
  }
  expect(got.filter((tenant) => tenant === 'late').length).toBe(10);
});

it('who had nothing to do neither saved up turns nor lost any', async () => {
  await flood('idle', { early: 300, steady: 300 });
  for (let n = 0; n < 20; n++) await w.claim(worker, { queues: ['idle'], limit: 10 });
  await flood('idle', { late: 300 });
  const taken = [];
  for (let n = 0; n < 6; n++) taken.push(...(await w.claim(worker, { queues: ['idle'], limit: 10 })));
  for (const tenant of ['early', 'steady', 'late']) {
    expect(Math.abs(count(taken, tenant) - 20)).toBeLessThanOrEqual(1);
  }
});

it('a weight of three gets three times as many', async () => {
  await flood('weights', { heavy: 400, light: 400 });
  await w.work.channels.setShare(fleet, { tenant: 'heavy', weight: 3 });
  const taken = [];
  for (let n = 0; n < 10; n++) taken.push(...(await w.claim(worker, { queues: ['weights'], limit: 10 })));
  expect(Math.abs(count(taken, 'heavy') - 75)).toBeLessThanOrEqual(2);
  await expect(
    w.work.channels.setShare(await w.operator('light'), { tenant: 'light', weight: 9 }),
  ).rejects.toMatchObject({ code: 'access.fleet_only' });
});

it('priority orders inside a tenant, and urgent comes before turns and priorities', async () => {
  const [p, q] = [await w.operator('p'), await w.operator('q')];
  const ids = {
    late: (await w.add(p, { kind: 'order', priority: 200 }))[0],
    first: (await w.add(p, { kind: 'order', priority: 1 }))[0],
    other: (await w.add(q, { kind: 'order', priority: 500 }))[0],
    urgent: (await w.add(q, { kind: 'order', priority: 900, urgent: true }))[0],
  };
  // The urgent one took its tenant's first turn.
  const taken = await w.claim(worker, { queues: ['order'], limit: 4 });
  expect(taken.map((job) => job.id)).toEqual([ids.urgent, ids.first, ids.late, ids.other]);
});

it('urgent is not for an agent of one tenant to say, since it comes before the turns of all', async () => {
  const own = await w.agent('pushy', 'pushy');
  await expect(w.add(own, { kind: 'pushed', urgent: true })).rejects.toMatchObject({ code: 'work.urgent_denied' });
  expect(await w.add(own, { kind: 'pushed' })).toHaveLength(1);
  expect(await w.add(await w.agent('fleets'), { kind: 'pushed', urgent: true })).toHaveLength(1);
  expect(await w.add(await w.operator('pushy'), { kind: 'pushed', urgent: true })).toHaveLength(1);
});
