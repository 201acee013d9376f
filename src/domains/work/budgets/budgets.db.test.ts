// Budgets: what is counted, when it warns, what it stops, and that sums are exact whoever reports at once.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Claimed, openTestWork, type TestWork } from '../../../../test/support/work.ts';
import type { Call } from '../../../platform/call.ts';
import type { InputOf } from '../../../platform/operation.ts';
import { operations } from '../operations.ts';

type Usage = { usd?: number; tokens?: number; calls?: number };

let w: TestWork;
let ada: Call;
let worker: Call;
let names = 0;
beforeAll(async () => {
  w = await openTestWork(12);
  ada = await w.operator();
  worker = await w.agent('worker');
});
// A budget of the fleet holds for every test.
beforeEach(() => w.sql('DELETE FROM work.budgets'));
afterAll(() => w.close());

const newName = () => `b${++names}`;
const set = (budget: string, more: Omit<InputOf<typeof operations.setBudget>, 'budget'>, call = ada) =>
  w.work.budgets.set(call, operations.setBudget.input.parse({ budget, ...more }));
const list = async (call = ada) => (await w.work.budgets.list(call, operations.listBudgets.input.parse({}))).items;
const find = async (budget: string, call = ada) => (await list(call)).find((item) => item.budget === budget)!;
const renew = (job: { id: string; lease: string }, usage?: Usage, by = worker) =>
  w.work.renew(by, operations.renewJobs.input.parse({ jobs: [{ id: job.id, lease: job.lease, usage }] }));
const told = async (what: string, budget: string) => {
  await w.work.budgets.tell(w.t.app.systemCall());
  return (await w.events(`work.budget.${what}`)).filter((payload) => payload['budget'] === budget);
};

/** A job that runs. */
async function running(more: object = {}, by = worker, call = ada): Promise<Claimed> {
  const queue = newName();
  await w.add(call, { kind: 'think', queue, ...more });
  return (await w.claim(by, { queues: [queue] }))[0]!;
}

/** As if the window had passed. */
const pass = (budget: string) =>
  w.sql(
    `UPDATE work.budgets SET since = since - interval '40 days', held_until = held_until - interval '40 days'
     WHERE name = $1`,
    [budget],
  );

describe('a budget of the fleet', () => {
  it('warns at 80 % and stops the job in its run with the report that reaches it', async () => {
    await set('daily', { window: 'day', usd: 1, tokens: 1_000_000 });
    const job = await running();
    expect((await renew(job, { usd: 0.79 })).renewed.length).toBe(1);
    expect(await told('warned', 'daily')).toEqual([]);
    await renew(job, { usd: 0.8 });
    await renew(job, { usd: 0.9, tokens: 5 });
    expect(await told('warned', 'daily')).toMatchObject([{ metric: 'usd', spent: 0.8, limit: 1 }]);
    expect(await find('daily')).toMatchObject({ percent: 90, warned: true, exhausted: false, tenant: 'fleet' });
    const answer = await renew(job, { usd: 1, tokens: 5 });
    expect(answer).toEqual({ renewed: [], lost: [{ id: job.id, reason: 'budget' }] });
    expect(await w.work.show(ada, job.id)).toMatchObject({
      state: 'dead',
      reason: 'budget',
      usage: { usd: { limit: 50, spent: 1 }, tokens: { limit: 50_000_000, spent: 5 } },
    });
    expect(await told('exhausted', 'daily')).toMatchObject([{ metric: 'usd', spent: 1, limit: 1 }]);
    expect((await renew(job, { usd: 3 })).lost).toEqual([{ id: job.id, reason: 'budget' }]);
    expect((await find('daily')).usd.spent).toBe(1);
  });

  it('stops every other job at its next renewal, hands out nothing, and takes what was done meanwhile', async () => {
    await set('all', { window: 'day', calls: 10 });
    const [one, two, three] = [await running(), await running(), await running({ max_attempts: 5 })];
    await renew(one, { calls: 10 });
    expect((await renew(two)).lost).toEqual([{ id: two.id, reason: 'budget' }]);
    expect((await w.complete(worker, { ...pick(three), outcome: 'done' })).accepted).toEqual([three.id]);
    const queue = newName();
    await w.add(ada, { kind: 'think', queue });
    const answer = await w.work.claim(worker, operations.claimJobs.input.parse({ queues: [queue] }));
    expect(answer).toEqual({ jobs: [], paused: true });
    await set('all', { window: 'day', calls: 20 });
    expect((await w.claim(worker, { queues: [queue] })).length).toBe(1);
  });

  it('begins empty with the next window, and warns again', async () => {
    await set('hourly', { window: 'hour', tokens: 100 });
    await renew(await running(), { tokens: 100 });
    expect(await find('hourly')).toMatchObject({ exhausted: true, percent: 100 });
    await pass('hourly');
    expect(await find('hourly')).toMatchObject({ exhausted: false, percent: 0, tokens: { spent: 0 } });
    const job = await running();
    await renew(job, { tokens: 85 });
    expect(await find('hourly')).toMatchObject({ percent: 85, warned: true });
    expect((await told('warned', 'hourly')).length).toBe(2);
  });

  it('is never anew when it is for good', async () => {
    await set('ever', { window: 'total', tokens: 100 });
    await renew(await running(), { tokens: 100 });
    expect(await find('ever')).toMatchObject({ exhausted: true, until: null });
    await w.work.budgets.remove(ada, { budget: 'ever' });
    expect(await running()).toBeDefined();
  });

  it('holds back at once when it is lowered below what was spent', async () => {
    await set('low', { window: 'day', tokens: 100 });
    const job = await running();
    await renew(job, { tokens: 50 });
    expect(await set('low', { window: 'day', tokens: 40 })).toMatchObject({ exhausted: true, percent: 125 });
    expect((await renew(job)).lost).toEqual([{ id: job.id, reason: 'budget' }]);
  });
});

describe('a budget of a tenant', () => {
  it('stops its jobs only, also where an agent of the fleet runs them', async () => {
    const acme = await w.operator('acme');
    await set('theirs', { window: 'month', tokens: 10 }, acme);
    const [theirs, ours] = [await running({}, worker, acme), await running()];
    await renew(theirs, { tokens: 10 });
    expect((await renew(ours)).renewed.length).toBe(1);
    const queue = newName();
    await w.add(acme, { kind: 'think', queue });
    const [mine] = await w.add(ada, { kind: 'think', queue });
    expect((await w.claim(worker, { queues: [queue], limit: 5 })).map(({ id }) => id)).toEqual([mine]);
    const own = await w.agent('theirs', 'acme');
    expect(await w.work.claim(own, operations.claimJobs.input.parse({ queues: [queue] }))).toMatchObject({
      paused: true,
    });
  });

  it('is invisible to others, and what is the fleet’s to it', async () => {
    await set('secret', { window: 'day', tokens: 10 }, await w.operator('acme'));
    await set('fleets', { window: 'day', tokens: 10 });
    expect((await list(await w.operator('other'))).length).toBe(0);
    expect((await list(await w.operator('acme'))).map(({ budget }) => budget)).toEqual(['secret']);
    const foreign = w.work.budgets.remove(await w.operator('other'), { budget: 'secret' });
    await expect(foreign).rejects.toMatchObject({ code: 'work.budget_not_found' });
  });

  it('counts towards the fleet’s, although its agent sees none of that', async () => {
    await set('sum', { window: 'day', tokens: 10 });
    const agent = await w.agent('theirs', 'acme');
    const job = await running({}, agent, await w.operator('acme'));
    expect((await renew(job, { tokens: 10 }, agent)).lost).toEqual([{ id: job.id, reason: 'budget' }]);
    expect(await find('sum')).toMatchObject({ exhausted: true });
    expect((await told('exhausted', 'sum')).length).toBe(1);
  });
});

describe('a budget of an agent', () => {
  it('stops what this agent runs, and nobody else', async () => {
    await w.agent('thinker');
    await set('one', { window: 'day', agent: 'thinker', calls: 5 });
    const thinker = await w.agent('thinker');
    const [its, ours] = [await running({}, thinker), await running()];
    expect((await renew(its, { calls: 5 }, thinker)).lost).toEqual([{ id: its.id, reason: 'budget' }]);
    expect((await renew(ours, { calls: 50 })).renewed.length).toBe(1);
    expect(await find('one')).toMatchObject({ agent: 'thinker@fleet', exhausted: true, calls: { spent: 5 } });
    const queue = newName();
    await w.add(ada, { kind: 'think', queue });
    expect(await w.claim(thinker, { queues: [queue] })).toEqual([]);
    expect((await w.claim(worker, { queues: [queue] })).length).toBe(1);
    await expect(set('one', { window: 'day', calls: 5 })).rejects.toMatchObject({ code: 'work.budget_of_another' });
  });
});

describe('the budget of a job', () => {
  it('holds over all its attempts, and ends it instead of trying again', async () => {
    const queue = newName();
    await w.add(ada, { kind: 'think', queue, budget: { tokens: 100 } });
    const [first] = await w.claim(worker, { queues: [queue] });
    await renew(first!, { tokens: 40 });
    await w.complete(worker, { ...pick(first!), outcome: 'failed', usage: { tokens: 60 }, retry_in_seconds: 0 });
    await w.makeDue(first!.id);
    const [second] = await w.claim(worker, { queues: [queue] });
    expect((await renew(second!, { tokens: 39 })).renewed.length).toBe(1);
    await w.complete(worker, { ...pick(second!), outcome: 'failed', usage: { tokens: 41 } });
    expect(await w.work.show(ada, first!.id)).toMatchObject({
      state: 'dead',
      reason: 'budget',
      usage: { tokens: { limit: 100, spent: 101 }, usd: { limit: 50, spent: 0 } },
    });
  });

  it('takes the result of what is done, whatever it cost', async () => {
    const job = await running({ budget: { usd: 0.5 } });
    await w.complete(worker, { ...pick(job), outcome: 'done', usage: { usd: 0.75 } });
    expect(await w.work.show(ada, job.id)).toMatchObject({
      state: 'done',
      usage: { usd: { limit: 0.5, spent: 0.75 } },
    });
  });

  it('is what the job had when it is added once more', async () => {
    const job = await running({ budget: { calls: 2 } });
    await renew(job, { calls: 2 });
    const { replayed } = await w.work.cancelling.replay(ada, operations.replayJobs.input.parse({ jobs: [job.id] }));
    expect((await w.work.show(ada, replayed[0]!.job)).usage).toMatchObject({ calls: { limit: 2, spent: 0 } });
  });

  it('is finite when nobody states it', async () => {
    const job = await running();
    expect((await renew(job, { usd: 50 })).lost).toEqual([{ id: job.id, reason: 'budget' }]);
  });
});

describe('what is refused', () => {
  const parse = (more: object) => operations.setBudget.input.safeParse({ budget: 'x', window: 'day', ...more }).success;

  it('limits that are negative, nothing or not finite, and windows that are none', () => {
    expect(parse({ usd: 1 })).toBe(true);
    for (const bad of [{ usd: -1 }, { usd: 0 }, { tokens: -5 }, { calls: 1.5 }, { usd: Number.POSITIVE_INFINITY }]) {
      expect(parse(bad)).toBe(false);
    }
    expect(parse({ usd: 1, window: 'week' })).toBe(false);
  });

  it('a budget without any limit, and usage below nothing', async () => {
    await expect(set('none', { window: 'day' })).rejects.toMatchObject({ code: 'work.budget_without_limit' });
    const held = { id: 'job_1', lease: 'x' };
    expect(operations.renewJobs.input.safeParse({ jobs: [{ ...held, usage: { usd: -1 } }] }).success).toBe(false);
  });

  it('usage of a job that somebody else holds', async () => {
    await set('mine', { window: 'day', tokens: 100 });
    const job = await running();
    const other = await w.agent('other');
    expect((await renew(job, { tokens: 50 }, other)).lost).toEqual([{ id: job.id, reason: 'taken' }]);
    expect((await find('mine')).tokens.spent).toBe(0);
  });
});

it('counts exactly when many report at once, and warns and stops once', async () => {
  await set('busy', { window: 'day', tokens: 1_000 });
  const jobs: Claimed[] = [];
  for (let n = 0; n < 8; n++) jobs.push(await running());
  // 8 × 100 = 800: the last report, whichever it is, reaches 80 %.
  await Promise.all(
    jobs.map(async (job) => {
      for (const tokens of [10, 30, 30, 70, 100]) await renew(job, { tokens });
    }),
  );
  expect(await find('busy')).toMatchObject({ tokens: { spent: 800 }, warned: true, exhausted: false });
  await Promise.all(jobs.map((job) => w.complete(worker, { ...pick(job), outcome: 'failed', usage: { tokens: 130 } })));
  expect(await find('busy')).toMatchObject({ tokens: { spent: 1_040 }, exhausted: true });
  expect((await told('warned', 'busy')).length).toBe(1);
  expect((await told('exhausted', 'busy')).length).toBe(1);
});

it('never waits crosswise when reports of several jobs and budgets meet each other and changed limits', async () => {
  const acme = await w.operator('acme');
  const jobs = [await running(), await running({}, worker, acme), await running(), await running({}, worker, acme)];
  const wide = { window: 'total', tokens: 1_000_000 } as const;
  await set('everything', wide);
  await set('theirs', wide, acme);
  await set('own', { ...wide, agent: 'worker' });
  const deadlocks = async () => {
    const [row] = await w.sql<{ deadlocks: number }>(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    return row!.deadlocks;
  };
  const before = await deadlocks();
  const reports = Array.from({ length: 24 }, (_, n) => {
    const some = n % 2 === 0 ? jobs : jobs.toReversed();
    // Some say nothing of some jobs, which are locked all the same.
    const input = some.map((job, place) => ({
      ...pick(job),
      usage: (n + place) % 3 === 0 ? undefined : { tokens: n },
    }));
    return w.work.renew(worker, operations.renewJobs.input.parse({ jobs: input }));
  });
  const changes = Array.from({ length: 6 }, (_, n) => set('everything', { ...wide, tokens: 500_000 + n }));
  await Promise.all([...reports, ...changes]);
  const spent = async (job: Claimed) => (await w.work.show(ada, job.id)).usage!.tokens.spent;
  const sums = await Promise.all(jobs.map(spent));
  const total = sums.reduce((sum, one) => sum + one, 0);
  expect((await find('everything')).tokens.spent).toBe(total);
  expect((await find('own')).tokens.spent).toBe(total);
  expect((await find('theirs')).tokens.spent).toBe(sums[1]! + sums[3]!);
  expect(await deadlocks()).toBe(before);
});

it('keeps sums exact, stops with the report that reaches the limit and warns once, in any history of reports', async () => {
  const step = fc.record({
    job: fc.nat(2),
    more: fc.integer({ min: -20, max: 60 }),
    by: fc.constantFrom('renew' as const, 'renew' as const, 'fail' as const),
    twice: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 15 }), async (steps) => {
      await w.sql('DELETE FROM work.budgets');
      const limit = 250;
      const budget = newName();
      await set(budget, { window: 'total', tokens: limit });
      const jobs = [await running(), await running(), await running()];
      const reported = [0, 0, 0];
      let spent = 0;
      for (const { job: n, more, by, twice } of steps) {
        const job = jobs[n]!;
        const tokens = Math.max(0, reported[n]! + more);
        // A report below what was said before takes nothing back.
        spent += Math.max(0, tokens - reported[n]!);
        reported[n] = Math.max(reported[n]!, tokens);
        const isOver = spent >= limit;
        if (by === 'renew') {
          const answers = [await renew(job, { tokens }), ...(twice ? [await renew(job, { tokens })] : [])];
          for (const answer of answers) expect(answer.lost).toEqual(isOver ? [{ id: job.id, reason: 'budget' }] : []);
        } else {
          await w.complete(worker, { ...pick(job), outcome: 'failed', usage: { tokens } });
        }
        const item = await find(budget);
        expect(item.tokens.spent).toBe(spent);
        expect(item.exhausted).toBe(isOver);
        expect((await told('warned', budget)).length).toBe(spent * 5 >= limit * 4 ? 1 : 0);
        expect((await told('exhausted', budget)).length).toBe(isOver ? 1 : 0);
        if (isOver) break;
        if (by === 'renew') continue;
        jobs[n] = await running();
        reported[n] = 0;
      }
    }),
    { numRuns: 25, endOnFailure: true },
  );
}, 60_000);

function pick({ id, lease }: Claimed) {
  return { id, lease };
}
