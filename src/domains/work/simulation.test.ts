// Thousands of random histories over the pure rules alone: leases that run out, outcomes that come late, retries, pauses,
// clocks that jump, schedules whose ticks nobody acted on. What is kept in the tables is a few lines here; what becomes of
// an attempt and of a tick is judged by the rules themselves. A failure prints its seed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, MOST_LOSSES, type Outcome } from './jobs.ts';
import { judgeTicks, nextTick, type Timing } from './schedules/ticks.ts';

const HISTORIES = 3_000;
const LEASE = 60;
const START = Date.UTC(2026, 2, 28);

interface Job {
  state: 'queued' | 'scheduled' | 'running' | 'done' | 'dead';
  attempt: number;
  readonly max_attempts: number;
  losses: number;
  runAt: number;
  /** The fence of the present holder. */
  lease: number | undefined;
  leaseUntil: number;
  runUntil: number;
  readonly maxRuntime: number | undefined;
  /** Times it ended: more than once would be the worst. */
  ends: number;
}

type Catch = 'skip' | 'once' | 'all';

class World {
  now = START / 1_000;
  paused = false;
  readonly jobs: Job[] = [];
  readonly leases = new Set<number>();
  #fence = 0;
  /** Ticks acted on, and those told as missed. */
  readonly acted: number[] = [];
  missed = 0;
  uncounted = false;
  #next: number;

  readonly timing: Timing;
  readonly catchUp: Catch;

  constructor(timing: Timing, catchUp: Catch) {
    this.timing = timing;
    this.catchUp = catchUp;
    this.#next = nextTick(timing, new Date(START))!.getTime() / 1_000;
  }

  get nextTick(): number {
    return this.#next;
  }

  add(max_attempts: number, maxRuntime: number | undefined): void {
    const fresh = { attempt: 0, losses: 0, runAt: this.now, lease: undefined, leaseUntil: 0, runUntil: 0, ends: 0 };
    this.jobs.push({ state: 'queued', max_attempts, maxRuntime, ...fresh });
  }

  claim(): number | undefined {
    if (this.paused) return undefined;
    const job = this.jobs.find(({ state }) => state === 'queued');
    if (job === undefined) return undefined;
    const lease = ++this.#fence;
    expect(this.leases.has(lease)).toBe(false);
    this.leases.add(lease);
    const runUntil = this.now + (job.maxRuntime ?? Number.POSITIVE_INFINITY);
    const leaseUntil = Math.min(this.now + LEASE, runUntil);
    Object.assign(job, { state: 'running', attempt: job.attempt + 1, lease, leaseUntil, runUntil });
    return lease;
  }

  renew(lease: number): void {
    const job = this.#held(lease);
    if (job !== undefined) job.leaseUntil = Math.min(this.now + LEASE, job.runUntil);
  }

  report(lease: number, outcome: Exclude<Outcome, { kind: 'lost' }>): void {
    const job = this.#held(lease);
    if (job !== undefined) this.#settle(job, outcome);
  }

  rescue(): void {
    for (const job of this.jobs) {
      if (job.state === 'running' && job.leaseUntil <= this.now) this.#settle(job, { kind: 'lost' });
    }
  }

  makeDue(): void {
    for (const job of this.jobs) if (job.state === 'scheduled' && job.runAt <= this.now) job.state = 'queued';
  }

  /** An engine looks at the schedule. */
  tick(): void {
    if (this.#next > this.now) return;
    const judged = judgeTicks(this.timing, new Date(this.#next * 1_000), new Date(this.now * 1_000), this.catchUp);
    for (const tick of judged.run) this.acted.push(tick.getTime() / 1_000);
    this.missed += judged.missed?.count ?? 0;
    this.uncounted ||= judged.more;
    this.#next = judged.next!.getTime() / 1_000;
  }

  // The fence: the lease is the present one and has not run out.
  #held(lease: number): Job | undefined {
    return this.jobs.find((job) => job.state === 'running' && job.lease === lease && job.leaseUntil > this.now);
  }

  #settle(job: Job, outcome: Outcome): void {
    const timed_out = job.leaseUntil >= job.runUntil;
    const verdict = judge({ ...job, back_off_seconds: null, timed_out }, outcome, 0.5);
    if (outcome.kind === 'lost' && !timed_out) job.losses++;
    job.lease = undefined;
    job.state = verdict.state;
    if (verdict.state === 'scheduled') job.runAt = this.now + verdict.delaySeconds;
    if (verdict.state === 'done' || verdict.state === 'dead') job.ends++;
  }

  check(): void {
    for (const job of this.jobs) {
      expect(job.attempt).toBeLessThanOrEqual(job.max_attempts);
      expect(job.losses).toBeLessThanOrEqual(MOST_LOSSES);
      expect(job.ends).toBe(job.state === 'done' || job.state === 'dead' ? 1 : 0);
      expect(job.lease !== undefined).toBe(job.state === 'running');
    }
    const valid = this.jobs.flatMap(({ lease }) => lease ?? []);
    expect(new Set(valid).size).toBe(valid.length);
    // No tick is acted on twice, and none is forgotten: what lies before the next one was acted on or told as missed.
    expect(new Set(this.acted).size).toBe(this.acted.length);
    if (this.uncounted) return;
    let passed = 0;
    for (
      let at = nextTick(this.timing, new Date(START))!;
      at.getTime() / 1_000 < this.#next;
      at = nextTick(this.timing, at)!
    ) {
      passed++;
    }
    expect(this.acted.length + this.missed).toBe(passed);
  }
}

const cronLine = (cron: string): Timing => ({
  cron,
  everySeconds: null,
  onceAt: null,
  zone: 'Europe/Berlin',
  anchor: new Date(START),
});
const timing = fc.oneof(
  // The night in which the clock of this zone is set forward is in reach of every history.
  fc.constantFrom('30 2 * * *', '0 * * * *', '15 3 * * 0').map(cronLine),
  fc.integer({ min: 10, max: 7_200 }).map((everySeconds): Timing => ({ ...cronLine(''), cron: null, everySeconds })),
);
const step = fc.oneof(
  fc.record({
    do: fc.constant('add' as const),
    max: fc.integer({ min: 1, max: 6 }),
    maxRuntime: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
  }),
  fc.record({ do: fc.constant('claim' as const) }),
  fc.record({
    do: fc.constantFrom('renew' as const, 'done' as const, 'fail' as const, 'give_up' as const),
    lease: fc.nat(12),
  }),
  fc.record({ do: fc.constantFrom('rescue' as const, 'due' as const, 'tick' as const, 'pause' as const) }),
  fc.record({ do: fc.constant('pass' as const), seconds: fc.integer({ min: 0, max: 200 }) }),
  // The clock jumps: forward by hours, or back.
  fc.record({ do: fc.constant('pass' as const), seconds: fc.integer({ min: -3_600, max: 50_000 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function run(world: World, one: Step): void {
  if (one.do === 'add') world.add(one.max, one.maxRuntime);
  else if (one.do === 'claim') world.claim();
  else if (one.do === 'renew') world.renew(one.lease);
  else if (one.do === 'done') world.report(one.lease, { kind: 'done' });
  else if (one.do === 'fail') world.report(one.lease, { kind: 'failed', retry: true });
  else if (one.do === 'give_up') world.report(one.lease, { kind: 'failed', retry: false });
  else if (one.do === 'rescue') world.rescue();
  else if (one.do === 'due') world.makeDue();
  else if (one.do === 'tick') world.tick();
  else if (one.do === 'pause') world.paused = !world.paused;
  else if (one.do === 'pass') world.now += one.seconds;
}

describe('random histories', () => {
  it(`keep every promise, ${HISTORIES} times`, { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(
        timing,
        fc.constantFrom<Catch>('skip', 'once', 'all'),
        fc.array(step, { minLength: 10, maxLength: 60 }),
        (drawn, catchUp, steps) => {
          const world = new World(drawn, catchUp);
          for (const one of steps) {
            run(world, one);
            world.check();
          }
          // Whatever happened, everything can still come to its end.
          world.paused = false;
          for (let round = 0; round < 200 && world.jobs.some(({ ends }) => ends === 0); round++) {
            world.now += 4_000;
            world.rescue();
            world.makeDue();
            for (let lease = world.claim(); lease !== undefined; lease = world.claim())
              world.report(lease, { kind: 'done' });
          }
          world.check();
          expect(world.jobs.filter(({ ends }) => ends !== 1)).toEqual([]);
        },
      ),
      { numRuns: HISTORIES },
    );
  });
});
