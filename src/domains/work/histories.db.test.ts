// Random histories of jobs against a small model: what may be claimed, who holds what, what has ended. At the end of each
// the tables, the counts and the state rebuilt from the log alone must all say the same.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../test/support/work.ts';
import type { Call } from '../../platform/call.ts';
import { operations } from './operations.ts';

interface ModelJob {
  readonly id: string;
  readonly priority: number;
  max: number;
  readonly key: string | undefined;
  state: 'scheduled' | 'queued' | 'awaiting_approval' | 'running' | 'done' | 'dead' | 'cancelled';
  attempt: number;
  /** Every lease it ever had; while it runs, the last one is valid until it expires. */
  readonly leases: string[];
  holder: number;
  expired: boolean;
  /** The agent that lost it and does not get it again. */
  avoids: number | undefined;
}

const pick = fc.nat(30);
const agent = fc.nat(2);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      priority: fc.nat(2),
      max: fc.integer({ min: 1, max: 3 }),
      key: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('claim' as const), agent, limit: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('renew' as const), agent, pick, lease: pick }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('complete' as const),
      // Mostly the holder with the lease it has, sometimes anybody with any.
      right: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
      agent,
      pick,
      lease: pick,
      outcome: fc.constantFrom('done' as const, 'failed' as const),
      retry: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('expire' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ask' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('decide' as const), pick, yes: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rescue' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('due' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Doing<K> = Extract<Step, { do: K }>;

let w: TestWork;
let operator: Call;
let agents: Call[];
let histories = 0;

beforeAll(async () => {
  w = await openTestWork();
  operator = await w.operator('model');
  agents = [await w.agent('m0', 'model'), await w.agent('m1'), await w.agent('m2', 'model')];
});
afterAll(() => w.close());

class History {
  readonly queue = `h${++histories}`;
  /** In the order in which they were added. */
  readonly jobs: ModelJob[] = [];
  lost = 0;

  async run(one: Step): Promise<void> {
    if (one.do === 'add') return this.#add(one);
    if (one.do === 'claim') return this.#claim(one);
    if (one.do === 'rescue') return this.#rescue();
    if (one.do === 'due') return this.#makeDue();
    if (this.jobs.length === 0) return;
    const job = this.jobs[one.pick % this.jobs.length]!;
    if (one.do === 'renew') return this.#renew(one, job);
    if (one.do === 'complete') return this.#complete(one, job);
    if (one.do === 'cancel') return this.#cancel(job);
    if (one.do === 'ask') return this.#ask(job);
    if (one.do === 'decide') return this.#decide(one, job);
    if (job.state === 'running') {
      await w.expire(job.id);
      job.expired = true;
    }
  }

  async #add({ priority, max, key }: Doing<'add'>): Promise<void> {
    const unique_key = key === undefined ? undefined : `${this.queue}:${key}`;
    const input = { kind: 'model', queue: this.queue, priority, max_attempts: max, unique_key, payload: {} };
    const { jobs } = await w.work.add(operator, operations.addJobs.input.parse(input));
    const same = this.jobs.find((job) => key !== undefined && job.key === key && !hasEnded(job));
    expect(jobs[0]!.existing).toBe(same !== undefined);
    if (same !== undefined) {
      expect(jobs[0]).toMatchObject({ id: same.id, state: same.state });
      return;
    }
    const { id } = jobs[0]!;
    const fresh = { state: 'queued', attempt: 0, leases: [], holder: -1, expired: false, avoids: undefined } as const;
    this.jobs.push({ id, priority, max, key, ...fresh, leases: [] });
  }

  async #claim({ agent, limit }: Doing<'claim'>): Promise<void> {
    const expected = this.jobs
      .filter((job) => job.state === 'queued' && job.avoids !== agent)
      .sort((a, b) => a.priority - b.priority)
      .slice(0, limit);
    const taken = await w.claim(agents[agent]!, { queues: [this.queue], limit });
    expect(taken.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    for (const [n, job] of expected.entries()) {
      const { lease, attempt } = taken[n]!;
      expect(attempt).toBe(job.attempt + 1);
      expect(attempt).toBeLessThanOrEqual(job.max);
      expect(job.leases).not.toContain(lease);
      job.leases.push(lease);
      Object.assign(job, { state: 'running', attempt, holder: agent, expired: false, avoids: undefined });
    }
  }

  async #renew({ agent, lease }: Doing<'renew'>, job: ModelJob): Promise<void> {
    const shown = job.leases[lease % Math.max(1, job.leases.length)] ?? '1.none';
    const answer = await w.renew(agents[agent]!, { id: job.id, lease: shown });
    expect(answer.renewed.length).toBe(isHeld(job, agent, shown) ? 1 : 0);
    expect(answer.lost.length).toBe(isHeld(job, agent, shown) ? 0 : 1);
    if (hasEnded(job)) expect(answer.lost[0]!.reason).toBe(job.state === 'cancelled' ? 'cancelled' : 'ended');
  }

  async #complete(one: Doing<'complete'>, job: ModelJob): Promise<void> {
    const { outcome, retry } = one;
    const by = one.right && job.holder >= 0 ? job.holder : one.agent;
    const shown = (one.right ? job.leases.at(-1) : job.leases[one.lease % Math.max(1, job.leases.length)]) ?? '1.none';
    const answer = await w.complete(agents[by]!, { id: job.id, lease: shown, outcome, retry });
    if (!isHeld(job, by, shown)) {
      expect(answer).toEqual({ accepted: [], refused: [{ id: job.id, code: 'work.stale_lease' }] });
      return;
    }
    expect(answer).toEqual({ accepted: [job.id], refused: [] });
    if (outcome === 'done') job.state = 'done';
    else {
      this.lost++;
      job.state = retry && job.attempt < job.max ? 'scheduled' : 'dead';
    }
  }

  async #ask(job: ModelJob): Promise<void> {
    if (job.leases.length === 0) return;
    const asked = { id: job.id, lease: job.leases.at(-1)!, outcome: 'ask' as const, approval: { summary: 'may I?' } };
    const answer = await w.complete(agents[job.holder]!, asked);
    const held = isHeld(job, job.holder, asked.lease);
    expect(answer.accepted).toEqual(held ? [job.id] : []);
    if (!held) return;
    job.state = 'awaiting_approval';
    job.max++;
  }

  async #decide({ yes }: Doing<'decide'>, job: ModelJob): Promise<void> {
    const query = operations.listApprovals.input.parse({ job: job.id, state: 'pending' });
    const { items } = await w.work.approvals.list(operator, query);
    expect(items.length).toBe(job.state === 'awaiting_approval' ? 1 : 0);
    if (items.length === 0) return;
    const decision = yes ? 'approve' : 'reject';
    await w.work.approvals.decide(
      operator,
      operations.decideApproval.input.parse({ approval: items[0]!.id, decision }),
    );
    job.state = yes ? 'queued' : 'dead';
  }

  async #cancel(job: ModelJob): Promise<void> {
    const input = operations.cancelJobs.input.parse({ jobs: [job.id] });
    const answer = await w.work.cancelling.cancel(operator, input);
    expect(answer.cancelled).toEqual(hasEnded(job) ? [] : [job.id]);
    expect(answer.refused).toEqual(hasEnded(job) ? [{ id: job.id, code: 'work.job_ended' }] : []);
    if (!hasEnded(job)) job.state = 'cancelled';
  }

  async #rescue(): Promise<void> {
    await w.rescue();
    for (const job of this.jobs.filter(({ state, expired }) => state === 'running' && expired)) {
      this.lost++;
      job.state = job.attempt < job.max ? 'queued' : 'dead';
      job.avoids = job.holder;
    }
  }

  async #makeDue(): Promise<void> {
    const scheduled = this.jobs.filter(({ state }) => state === 'scheduled');
    await w.makeDue(...scheduled.map(({ id }) => id));
    for (const job of scheduled) job.state = 'queued';
  }

  async check(): Promise<void> {
    const modelled = new Map(this.jobs.map((job) => [job.id, `${job.state} ${job.attempt}`]));
    const { items } = await w.work.list(operator, { queue: this.queue, limit: 500 });
    expect(new Map(items.map((item) => [item.id, `${item.state} ${item.attempt}`]))).toEqual(modelled);
    expect(items.length).toBe(this.jobs.length);
    expect(await this.#fromLog()).toEqual(modelled);
    const count = (state: string) => this.jobs.filter((job) => job.state === state).length;
    const [counts] = await w.sql(
      `SELECT sum(added) AS added, sum(done) AS done, sum(dead) AS dead,
              sum(cancelled) AS cancelled, sum(failed_attempts) AS failed
       FROM work.count_changes WHERE queue = $1`,
      [this.queue],
    );
    const ends = { done: count('done'), dead: count('dead'), cancelled: count('cancelled') };
    const none = { added: null, done: null, dead: null, cancelled: null, failed: null };
    expect(counts).toEqual(this.jobs.length === 0 ? none : { added: this.jobs.length, ...ends, failed: this.lost });
  }

  async #fromLog(): Promise<Map<string, string>> {
    const states = new Map<string, string>();
    const attempts = new Map<string, number>();
    const whatIs: Record<string, string> = {
      'work.job.due': 'queued',
      'work.job.claimed': 'running',
      'work.job.cancelled': 'cancelled',
    };
    let after: string | undefined;
    do {
      const query = { event_type: 'work.job.*', limit: 500, order: 'asc' as const, ...(after ? { after } : {}) };
      const { items, next_cursor } = await w.t.app.log.list(operator, query);
      for (const { event_type, payload } of items) {
        for (const job of payload['jobs'] as { id: string; queue: string; state?: string; attempt?: number }[]) {
          if (job.queue !== this.queue) continue;
          attempts.set(job.id, job.attempt ?? attempts.get(job.id) ?? 0);
          states.set(job.id, whatIs[event_type] ?? job.state!);
        }
      }
      after = next_cursor ?? undefined;
    } while (after !== undefined);
    return new Map([...states].map(([id, state]) => [id, `${state} ${attempts.get(id)}`]));
  }
}

function hasEnded(job: ModelJob): boolean {
  return job.state === 'done' || job.state === 'dead' || job.state === 'cancelled';
}

function isHeld(job: ModelJob, agent: number, lease: string): boolean {
  return job.state === 'running' && job.holder === agent && job.leases.at(-1) === lease && !job.expired;
}

it('keeps its promises through any history of adding, claiming, renewing, reporting, losing and retrying', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      const history = new History();
      for (const one of steps) await history.run(one);
      await history.check();
    }),
    { numRuns: 40, endOnFailure: true },
  );
}, 60_000);
