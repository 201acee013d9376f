// Random histories of batches, several things at a time: after each moment what the batches count is what is in the tables,
// what comes after one is there exactly once and never before all its children have ended.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../../test/support/work.ts';
import type { Call } from '../../../platform/call.ts';
import { findUuid } from '../../../platform/ids.ts';
import { operations } from '../operations.ts';

const pick = fc.nat(30);
const on_failure = fc.constantFrom('continue' as const, 'cancel_rest' as const);
const agent = fc.nat(1);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      jobs: fc.nat(3),
      open: fc.boolean(),
      parent: fc.option(pick, { nil: undefined }),
      on_failure,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      pick,
      key: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
      on_duplicate: fc.constantFrom('ignore' as const, 'reject' as const, 'replace' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('work' as const),
      agent,
      limit: fc.integer({ min: 1, max: 4 }),
      outcome: fc.constantFrom('done' as const, 'done' as const, 'failed' as const),
      retry: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), agent }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('close' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel job' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel batch' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stop' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('due' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

// What a step may be answered when others did theirs in the same moment.
const LATE = new Set(['work.batch_closed', 'work.batch_ended', 'work.batch_too_deep', 'work.key_taken']);

let w: TestWork;
let operator: Call;
let agents: Call[];
let histories = 0;
beforeAll(async () => {
  w = await openTestWork(8);
  operator = await w.operator('model');
  agents = [await w.agent('m0', 'model'), await w.agent('m1')];
});
afterAll(() => w.close());

class History {
  readonly queue = `b${++histories}`;
  readonly batches: string[] = [];
  readonly jobs: string[] = [];

  async run(steps: readonly Step[]): Promise<void> {
    await Promise.all(
      steps.map((one) =>
        this.#do(one).catch((error: { code?: string }) => {
          if (!LATE.has(error.code ?? '')) throw error;
        }),
      ),
    );
  }

  async #do(one: Step): Promise<void> {
    const job = { kind: 'model', queue: this.queue, max_attempts: 2 };
    const batch = 'pick' in one ? this.batches[one.pick % this.batches.length] : undefined;
    if (one.do === 'create') {
      const input = operations.createBatch.input.parse({
        jobs: Array.from({ length: one.jobs }, () => job),
        open: one.open,
        on_failure: one.on_failure,
        parent: one.parent === undefined ? undefined : this.batches[one.parent % this.batches.length],
        on_done: { kind: 'after', queue: `${this.queue}-after` },
      });
      const made = await w.work.batches.create(operator, input);
      this.batches.push(made.batch);
      this.jobs.push(...made.jobs.map(({ id }) => id));
    } else if (one.do === 'work') {
      const jobs = await w.claim(agents[one.agent]!, { queues: [this.queue], limit: one.limit });
      const { outcome, retry } = one;
      if (jobs.length === 0) return;
      await w.complete(agents[one.agent]!, ...jobs.map(({ id, lease }) => ({ id, lease, outcome, retry })));
    } else if (one.do === 'lose') {
      const jobs = await w.claim(agents[one.agent]!, { queues: [this.queue], limit: 1 });
      await w.expire(...jobs.map(({ id }) => id));
      await w.rescue();
    } else if (one.do === 'stop') {
      await w.work.batches.stop(w.t.app.systemCall());
    } else if (one.do === 'due') {
      await w.makeDue(...this.jobs);
    } else if (one.do === 'cancel job') {
      const named = this.jobs[one.pick % this.jobs.length];
      if (named === undefined) return;
      await w.work.cancelling.cancel(operator, operations.cancelJobs.input.parse({ jobs: [named] }));
    } else if (batch === undefined) {
      return;
    } else if (one.do === 'add') {
      const unique_key = one.key === undefined ? undefined : `${this.queue}:${one.key}`;
      const jobs = [{ ...job, unique_key, on_duplicate: one.on_duplicate }, job];
      const made = await w.work.batches.add(operator, operations.addToBatch.input.parse({ batch, jobs }));
      this.jobs.push(...made.jobs.map(({ id }) => id));
    } else if (one.do === 'close') {
      await w.work.batches.close(operator, { batch });
    } else {
      await w.work.batches.cancel(operator, { batch });
    }
  }

  /** Ends all that has not ended. */
  async finish(): Promise<void> {
    for (const batch of this.batches) await w.work.batches.close(operator, { batch });
    for (;;) {
      const isMore = await w.work.batches.stop(w.t.app.systemCall());
      await w.sql(`UPDATE work.jobs SET avoid_until = NULL, avoid_agent_id = NULL WHERE queue = $1`, [this.queue]);
      await w.makeDue(...this.jobs);
      const jobs = await w.claim(agents[0]!, { queues: [this.queue], limit: 100 });
      const done = jobs.map(({ id, lease }) => ({ id, lease, outcome: 'done' as const }));
      if (jobs.length > 0) await w.complete(agents[0]!, ...done);
      else if (!isMore) return;
    }
  }

  async check(): Promise<void> {
    for (const row of await this.#truth()) {
      const { state, on_failure, total, done, dead, cancelled, cancelled_by } = row;
      expect({ total, done, dead, cancelled }).toEqual({
        total: row.real_total,
        done: row.real_done,
        dead: row.real_dead,
        cancelled: row.real_cancelled,
      });
      const isOver = done + dead + cancelled === total;
      const hasEnded = ['done', 'failed', 'cancelled'].includes(state);
      expect(hasEnded).toBe(isOver && state !== 'open');
      if (cancelled_by !== null) expect(['stopping', 'cancelled']).toContain(state);
      else if (hasEnded) expect(state).toBe(dead + cancelled > 0 ? 'failed' : 'done');
      else expect(state === 'stopping').toBe(on_failure === 'cancel_rest' && dead > 0);
      expect(row.after).toBe(state === 'done' || state === 'failed' ? 1 : 0);
    }
  }

  async allHaveEnded(): Promise<boolean> {
    const rows = await this.#truth();
    expect(rows.length).toBe(this.batches.length);
    return rows.every(({ state }) => ['done', 'failed', 'cancelled'].includes(state));
  }

  #truth(): Promise<Truth[]> {
    return w.sql<Truth>(
      `WITH children AS (
         SELECT batch_id AS id, state FROM work.jobs WHERE batch_id = ANY ($1)
         UNION ALL SELECT batch_id, state FROM work.ended_jobs WHERE batch_id = ANY ($1)
         UNION ALL SELECT parent_id, CASE state WHEN 'failed' THEN 'dead' ELSE state END FROM work.batches
           WHERE parent_id = ANY ($1)),
       after AS (
         SELECT payload #>> '{batch,batch}' AS wire FROM work.jobs WHERE queue = $2
         UNION ALL SELECT payload #>> '{batch,batch}' FROM work.ended_jobs WHERE queue = $2)
       SELECT b.*, (SELECT count(*) FROM children c WHERE c.id = b.id) AS real_total,
              (SELECT count(*) FROM children c WHERE c.id = b.id AND c.state = 'done') AS real_done,
              (SELECT count(*) FROM children c WHERE c.id = b.id AND c.state = 'dead') AS real_dead,
              (SELECT count(*) FROM children c WHERE c.id = b.id AND c.state = 'cancelled') AS real_cancelled,
              (SELECT count(*) FROM after a WHERE a.wire = n.wire) AS after
       FROM work.batches b JOIN unnest($1::uuid[], $3::text[]) AS n (id, wire) ON n.id = b.id`,
      [this.batches.map((batch) => findUuid('bat', batch)), `${this.queue}-after`, this.batches],
    );
  }
}

interface Truth {
  readonly state: string;
  readonly on_failure: string;
  readonly cancelled_by: string | null;
  readonly total: number;
  readonly done: number;
  readonly dead: number;
  readonly cancelled: number;
  readonly real_total: number;
  readonly real_done: number;
  readonly real_dead: number;
  readonly real_cancelled: number;
  /** Jobs that come after it. */
  readonly after: number;
}

it('counts right and lets one job come after, through any history of making, adding, ending, losing and cancelling', async () => {
  let ends = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 5, maxLength: 15 }),
      async (moments) => {
        const history = new History();
        for (const steps of moments) {
          await history.run(steps);
          await history.check();
        }
        await history.finish();
        await history.check();
        expect(await history.allHaveEnded()).toBe(true);
        ends += history.batches.length;
      },
    ),
    { numRuns: 40, endOnFailure: true },
  );
  expect(ends).toBeGreaterThan(40);
}, 120_000);
