// Limits of channels, judged at the grant by the database's clock; pauses; and fairness between tenants.
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../../test/support/work.ts';
import type { Call } from '../../../platform/call.ts';
import type { InputOf } from '../../../platform/operation.ts';
import { operations } from '../operations.ts';

let w: TestWork;
let fleet: Call;
let worker: Call;
let channels = 0;
beforeAll(async () => {
  w = await openTestWork(12);
  fleet = await w.operator();
  worker = await w.agent('worker');
});
afterAll(() => w.close());

type Allows = Omit<InputOf<typeof operations.setChannel>, 'channel'>;

/** A channel of its own with a queue of the same name. */
async function channel(allows: Allows = {}, call = fleet): Promise<string> {
  const name = `c${++channels}`;
  await set(name, allows, call);
  return name;
}
const set = (name: string, allows: Allows, call = fleet) =>
  w.work.channels.set(call, operations.setChannel.input.parse({ channel: name, ...allows }));
const addMany = (name: string, count: number, fields: object = {}, call = fleet) =>
  w.add(call, { jobs: Array.from({ length: count }, () => ({ kind: name, channel: name, ...fields })) });
const claim = (name: string, limit = 100, by = worker) => w.claim(by, { queues: [name], limit });
const show = (name: string, call = fleet) => w.work.channels.show(call, { channel: name });

/** As if so much time had passed: what was granted moves back, and so does the moment before which nothing starts. */
async function pass(name: string, seconds: number): Promise<void> {
  const { limits } = await show(name);
  for (const { window_seconds } of limits) {
    const slots = Math.floor((seconds * 64) / window_seconds);
    await w.sql(
      `WITH moved AS (
         DELETE FROM work.channel_grants g USING work.channels c
         WHERE c.id = g.channel_id AND c.name = $1 AND g.window_seconds = $2 RETURNING g.*)
       INSERT INTO work.channel_grants SELECT channel_id, window_seconds, slot - $3, cost FROM moved`,
      [name, window_seconds, slots],
    );
  }
  await w.sql('UPDATE work.channels SET next_at = next_at - make_interval(secs => $2) WHERE name = $1', [
    name,
    seconds,
  ]);
}

describe('concurrency', () => {
  it('hands out no more than may run at once, and the next when one ends', async () => {
    const name = await channel({ concurrency: 3 });
    await addMany(name, 5);
    const taken = await claim(name);
    expect(taken.length).toBe(3);
    expect(await claim(name)).toEqual([]);
    await w.complete(worker, { ...held(taken[0]!), outcome: 'done' });
    expect((await claim(name)).length).toBe(1);
    expect(await show(name)).toMatchObject({ running: 3, queued: 1 });
  });

  it('counts a job whose lease ran out until it is taken back', async () => {
    const name = await channel({ concurrency: 1 });
    await addMany(name, 2);
    const [job] = await claim(name);
    await w.expire(job!.id);
    expect(await claim(name)).toEqual([]);
    await w.rescue();
    expect((await claim(name)).length).toBe(1);
  });

  it('never runs more than it allows under claims that come all at once', async () => {
    const name = await channel({ concurrency: 3 });
    await addMany(name, 60);
    const agents = await Promise.all(Array.from({ length: 8 }, (_, n) => w.agent(`crowd-${n}`)));
    let done = 0;
    let running = 0;
    let most = 0;
    await Promise.all(
      agents.map(async (agent) => {
        while (done < 60) {
          const jobs = await w.claim(agent, { queues: [name], limit: 2, wait: 1 });
          running += jobs.length;
          most = Math.max(most, running);
          // Counted off before the database may give the slot to another.
          running -= jobs.length;
          for (const job of jobs) {
            await w.complete(agent, { ...held(job), outcome: 'done' });
            done++;
          }
        }
      }),
    );
    expect(done).toBe(60);
    const [overlap] = await w.sql<{ most: number }>(
      `SELECT max(n) AS most FROM (
         SELECT (SELECT count(*) FROM work.ended_jobs b
                 WHERE b.channel = $1 AND b.started_at <= a.started_at AND b.ended_at > a.started_at) AS n
         FROM work.ended_jobs a WHERE a.channel = $1) at_each_start`,
      [name],
    );
    expect(overlap!.most).toBeLessThanOrEqual(3);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('holds for the jobs of all tenants on a channel of the fleet, also for an agent that sees only its own', async () => {
    const name = await channel({ concurrency: 2 });
    await addMany(name, 2, {}, await w.operator('north'));
    await addMany(name, 2, {}, await w.operator('south'));
    expect((await claim(name, 9, await w.agent('of-north', 'north'))).length).toBe(2);
    expect(await claim(name, 9, await w.agent('of-south', 'south'))).toEqual([]);
  });
});

describe('windows', () => {
  it('grants what the window allows, and more when the oldest leaves it', async () => {
    const name = await channel({ limits: [{ limit: 10, window_seconds: 3600 }] });
    await addMany(name, 30);
    expect((await claim(name, 4)).length).toBe(4);
    expect((await claim(name)).length).toBe(6);
    expect(await claim(name)).toEqual([]);
    expect((await show(name)).limits).toEqual([{ limit: 10, window_seconds: 3600, used: 10 }]);
    const next = Date.parse((await show(name)).next_at!) - Date.now();
    expect(next).toBeGreaterThan(3_590_000);
    expect(next).toBeLessThan(3_720_000);
    await pass(name, 3540);
    expect(await claim(name)).toEqual([]);
    await pass(name, 180);
    expect((await claim(name)).length).toBe(10);
  });

  it('holds all of its windows at once', async () => {
    const limits = [
      { limit: 3, window_seconds: 60 },
      { limit: 5, window_seconds: 86_400 },
    ];
    const name = await channel({ limits });
    await addMany(name, 20);
    expect((await claim(name)).length).toBe(3);
    await pass(name, 120);
    expect((await claim(name)).length).toBe(2);
    await pass(name, 120);
    expect(await claim(name)).toEqual([]);
  });

  it('lets no cheap job overtake a costly one that is before it', async () => {
    const name = await channel({ limits: [{ limit: 10, window_seconds: 3600 }] });
    await addMany(name, 1, { cost: 6 });
    const [costly] = await addMany(name, 1, { cost: 7 });
    await addMany(name, 3);
    expect((await claim(name)).length).toBe(1);
    expect(await claim(name)).toEqual([]);
    await pass(name, 3720);
    const taken = await claim(name);
    expect(taken[0]!.id).toBe(costly);
    expect(taken.length).toBe(4);
  });

  it('judges a full channel anew when what was first is cancelled, or another comes before it', async () => {
    const name = await channel({ limits: [{ limit: 10, window_seconds: 86_400 }] });
    await addMany(name, 1, { cost: 6 });
    expect((await claim(name)).length).toBe(1);
    const north = await w.operator('north');
    const first = async () => {
      const [costly] = await addMany(name, 1, { cost: 7, priority: 1 }, north);
      expect(await claim(name)).toEqual([]);
      return costly!;
    };
    const jobs = [await first()];
    const [cheap] = await addMany(name, 1, {}, north);
    expect(await claim(name)).toEqual([]);
    await w.work.cancelling.cancel(north, operations.cancelJobs.input.parse({ jobs }));
    expect((await claim(name)).map(({ id }) => id)).toEqual([cheap]);

    await first();
    const [urgent] = await addMany(name, 1, { urgent: true }, north);
    expect((await claim(name)).map(({ id }) => id)).toEqual([urgent]);
    expect(await claim(name)).toEqual([]);
    const [later] = await addMany(name, 1, { priority: 1 }, north);
    expect(await claim(name)).toEqual([]);
    await w.work.cancelling.change(north, { job: later!, priority: 0 });
    expect((await claim(name)).map(({ id }) => id)).toEqual([later]);
  });

  it('passes over any number of full channels', async () => {
    const full = await Promise.all(
      Array.from({ length: 20 }, () => channel({ limits: [{ limit: 1, window_seconds: 60 }] })),
    );
    const jobs = (each: number) =>
      Array.from({ length: each }, () => full.map((name) => ({ kind: 'many-full', channel: name }))).flat();
    await w.add(fleet, { jobs: jobs(1) });
    expect((await claim('many-full')).length).toBe(20);
    await w.add(fleet, { jobs: jobs(9) });
    const [free] = await w.add(fleet, { kind: 'many-full', priority: 1000 });
    expect((await claim('many-full', 1)).map(({ id }) => id)).toEqual([free]);
  });

  it('refuses a job that costs more than the channel ever allows, and a limit below what waits', async () => {
    const name = await channel({ limits: [{ limit: 5, window_seconds: 60 }] });
    await expect(addMany(name, 1, { cost: 6 })).rejects.toMatchObject({ code: 'work.cost_above_limit' });
    await addMany(name, 1, { cost: 4 });
    await expect(set(name, { limits: [{ limit: 3, window_seconds: 60 }] })).rejects.toMatchObject({
      code: 'work.limit_below_cost',
    });
    expect((await show(name)).limits[0]!.limit).toBe(5);
    // Nor below what runs: it may come back to wait.
    const [job] = await claim(name);
    await expect(set(name, { limits: [{ limit: 3, window_seconds: 60 }] })).rejects.toMatchObject({
      code: 'work.limit_below_cost',
    });
    await w.complete(worker, { ...held(job!), outcome: 'done' });
    await set(name, { limits: [{ limit: 3, window_seconds: 60 }] });
  });

  it('never holds more grants than it allows, in any window, whatever comes when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ wait: fc.nat(90), take: fc.integer({ min: 1, max: 6 }) }), {
          minLength: 8,
          maxLength: 20,
        }),
        async (steps) => {
          const name = await channel({ limits: [{ limit: 5, window_seconds: 64 }] });
          await addMany(name, 80);
          // Each slot is a second, so that what is moved back keeps its distance to the second.
          const grants: number[] = [];
          let now = 0;
          for (const { wait, take } of steps) {
            await pass(name, wait);
            now += wait;
            const taken = await claim(name, take);
            for (const _ of taken) grants.push(now);
            const within = grants.filter((at) => at > now - 62).length;
            expect(within).toBeLessThanOrEqual(5);
            // And what it allows it gives: one slot is lost at most, and the seconds that the test itself takes.
            const room = 5 - grants.filter((at) => at > now - 70).length + taken.length;
            expect(taken.length).toBeGreaterThanOrEqual(Math.min(take, room));
          }
        },
      ),
      { numRuns: 8 },
    );
  }, 60_000);

  it('hands out jobs of other channels when the first is used up', async () => {
    const full = await channel({ concurrency: 1 });
    const other = await channel();
    await w.add(fleet, {
      jobs: [
        ...Array.from({ length: 50 }, () => ({ kind: 'mixed', channel: full, priority: 1 })),
        ...Array.from({ length: 10 }, () => ({ kind: 'mixed', channel: other, priority: 5 })),
        { kind: 'mixed', priority: 9 },
      ],
    });
    const taken = await w.claim(worker, { queues: ['mixed'], limit: 20 });
    expect(taken.map((job) => job.channel)).toEqual([full, ...Array(10).fill(other), null]);
  });

  it('wakes a waiting claim when the window allows more', async () => {
    const name = await channel({ limits: [{ limit: 1, window_seconds: 1 }] });
    await addMany(name, 2);
    expect((await claim(name)).length).toBe(1);
    expect((await w.claim(worker, { queues: [name], limit: 5, wait: 10 })).length).toBe(1);
  });

  it('wakes a waiting claim when a job of the channel ends', async () => {
    const name = await channel({ concurrency: 1 });
    await addMany(name, 2);
    const [job] = await claim(name);
    const waiting = w.claim(worker, { queues: [name], wait: 20 });
    await w.complete(worker, { ...held(job!), outcome: 'done' });
    expect((await waiting).length).toBe(1);
  });
});

describe('pauses', () => {
  it('a paused channel hands out no job until it is resumed, and says who paused it and why', async () => {
    const name = await channel();
    await addMany(name, 2);
    const paused = await w.work.channels.pause(fleet, { channel: name, reason: 'prices look wrong' });
    expect(paused.paused).toMatchObject({ by: fleet.caller.name, reason: 'prices look wrong', until: null });
    expect(await claim(name)).toEqual([]);
    const waiting = w.claim(worker, { queues: [name], wait: 20 });
    await w.work.channels.resume(fleet, { channel: name });
    expect((await waiting).length).toBe(1);
    expect((await w.events('work.channel.paused')).at(-1)).toEqual({ channel: name, reason: 'prices look wrong' });
    expect((await w.events('work.channel.resumed')).at(-1)).toEqual({ channel: name });
  });

  it('a pause until a moment ends by itself', async () => {
    const name = await channel();
    await addMany(name, 1);
    const until = new Date(Date.now() + 300).toISOString();
    await w.work.channels.pause(fleet, { channel: name, until });
    expect(await claim(name)).toEqual([]);
    expect((await w.claim(worker, { queues: [name], wait: 10 })).length).toBe(1);
    expect((await show(name)).paused).toBe(null);
  });

  it('a worker that a provider refused holds the whole channel back, and no pause of an operator is shortened', async () => {
    const name = await channel();
    await addMany(name, 3, {}, await w.operator('north'));
    const agent = await w.agent('refused', 'north');
    const [job] = await claim(name, 1, agent);
    await w.complete(agent, { ...held(job!), outcome: 'failed', pause_channel_seconds: 600 });
    expect(await claim(name)).toEqual([]);
    const { paused } = await show(name);
    expect(paused).toMatchObject({ by: agent.caller.name });
    expect(Date.parse(paused!.until!) - Date.now()).toBeGreaterThan(590_000);

    await w.work.channels.resume(fleet, { channel: name });
    const [second] = await claim(name, 1, agent);
    await w.work.channels.pause(fleet, { channel: name, reason: 'for good' });
    await w.complete(agent, { ...held(second!), outcome: 'failed', pause_channel_seconds: 1 });
    expect((await show(name)).paused).toMatchObject({ reason: 'for good', until: null });
  });

  it('a paused tenant gets nothing, neither by its own agents nor by those of the fleet', async () => {
    const [east, west] = [await w.operator('east'), await w.operator('west')];
    await w.add(east, { kind: 'tenants' });
    await w.add(west, { kind: 'tenants' });
    await w.work.channels.pauseWork(fleet, { tenant: 'east', reason: 'has not paid' });
    expect((await w.claim(worker, { queues: ['tenants'], limit: 9 })).map((job) => job.tenant)).toEqual(['west']);
    const own = await w.agent('of-east', 'east');
    expect(await w.work.claim(own, operations.claimJobs.input.parse({ queues: ['tenants'] }))).toEqual({
      jobs: [],
      paused: true,
    });
    const pause = { tenant: 'east', by: fleet.caller.name, reason: 'has not paid' };
    expect((await w.work.summary(fleet, {})).pauses).toMatchObject([pause]);
    expect((await w.work.summary(east, {})).pauses).toMatchObject([pause]);
    expect((await w.work.summary(west, {})).pauses).toEqual([]);
    expect((await w.work.summary(fleet, { tenant: 'west' })).pauses).toEqual([]);
    expect(await w.work.channels.resumeWork(east, {})).toEqual({ tenant: 'east', resumed: true });
    expect((await w.work.summary(fleet, {})).pauses).toEqual([]);
    expect((await w.claim(worker, { queues: ['tenants'], limit: 9 })).map((job) => job.tenant)).toEqual(['east']);
  });

  it('a pause of everything holds for all, and a tenant cannot lift it', async () => {
    await w.add(fleet, { kind: 'everything' });
    await w.work.channels.pauseWork(fleet, { reason: 'fire' });
    try {
      expect(await w.claim(worker, { queues: ['everything'] })).toEqual([]);
      expect(await w.work.channels.resumeWork(await w.operator('east'), {})).toMatchObject({ resumed: false });
      expect(await w.claim(worker, { queues: ['everything'] })).toEqual([]);
    } finally {
      await w.work.channels.resumeWork(fleet, {});
    }
    expect((await w.claim(worker, { queues: ['everything'] })).length).toBe(1);
  });
});

describe('the rules of a channel', () => {
  it('keeps what is not given, takes 0 for any number, and refuses a window twice', async () => {
    const name = await channel({ concurrency: 4, limits: [{ limit: 9, window_seconds: 1 }] });
    expect(await set(name, { limits: [] })).toMatchObject({ concurrency: 4, limits: [], version: 3 });
    expect(await set(name, { concurrency: 0 })).toMatchObject({ concurrency: null, limits: [], version: 4 });
    expect(await set(name, {})).toMatchObject({ version: 4 });
    const twice = [
      { limit: 1, window_seconds: 5 },
      { limit: 2, window_seconds: 5 },
    ];
    await expect(set(name, { limits: twice })).rejects.toMatchObject({ code: 'work.window_twice' });
  });

  it('is a tenant’s own before the fleet’s, and nobody else’s', async () => {
    const name = await channel({ concurrency: 1 });
    const own = await w.operator('owner');
    await set(name, { concurrency: 2 }, own);
    await addMany(name, 3, {}, own);
    expect(await show(name, own)).toMatchObject({ tenant: 'owner', queued: 3 });
    expect(await show(name)).toMatchObject({ tenant: 'fleet', queued: 0 });
    const other = await w.operator('stranger');
    expect(await show(name, other)).toMatchObject({ tenant: 'fleet' });
    await expect(w.work.channels.pause(other, { channel: name })).rejects.toMatchObject({
      code: 'work.channel_not_found',
    });
    await expect(w.add(other, { kind: 'x', channel: 'nowhere' })).rejects.toMatchObject({
      code: 'work.channel_not_found',
    });
  });

  it('of the fleet shows a tenant that it is paused, and not by whom of another', async () => {
    const name = await channel();
    await addMany(name, 1, {}, await w.operator('north'));
    const agent = await w.agent('told-on', 'north');
    const [job] = await claim(name, 1, agent);
    await w.complete(agent, { ...held(job!), outcome: 'failed', pause_channel_seconds: 86_400 });
    const { paused } = await show(name, await w.operator('south'));
    expect(paused).toMatchObject({ by: 'fleet' });
    // One tenant's worker holds the others back for ten minutes at most.
    expect(Date.parse(paused!.until!) - Date.now()).toBeLessThanOrEqual(600_000);
    expect((await show(name)).paused).toMatchObject({ by: agent.caller.name });
  });

  it('that is removed while a job is added leaves it neither paused nor bounded for ever', async () => {
    const name = await channel({ concurrency: 1, limits: [{ limit: 1, window_seconds: 3600 }] });
    await w.work.channels.pause(fleet, { channel: name });
    await w.work.channels.remove(fleet, { channel: name });
    const [row] = await w.sql<{ id: number }>('SELECT id FROM work.channels WHERE name = $1', [name]);
    const [id] = await w.add(fleet, { kind: name });
    await asOwner(`UPDATE work.lanes SET channel_id = ${row!.id} WHERE queue = '${name}'`);
    expect((await claim(name)).map((job) => job.id)).toEqual([id]);
  });

  it('is removed only when nothing waits for it, and its name is free again', async () => {
    const name = await channel();
    const [job] = await addMany(name, 1);
    await expect(w.work.channels.remove(fleet, { channel: name })).rejects.toMatchObject({
      code: 'work.channel_in_use',
    });
    await w.work.cancelling.cancel(fleet, operations.cancelJobs.input.parse({ jobs: [job] }));
    await w.work.channels.remove(fleet, { channel: name });
    await expect(show(name)).rejects.toMatchObject({ code: 'work.channel_not_found' });
    expect(await set(name, { concurrency: 1 })).toMatchObject({ concurrency: 1, queued: 0 });
  });
});

/** What no verb does: as superuser. */
async function asOwner(text: string): Promise<void> {
  const admin = new pg.Client({ connectionString: w.t.database.adminUrl });
  await admin.connect();
  await admin.query(text);
  await admin.end();
}

function held(job: { readonly id: string; readonly lease: string }) {
  return { id: job.id, lease: job.lease };
}
