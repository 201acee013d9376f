import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Answer, type Ask, type Outcome, PAGE, possible, runBulk } from './bulk.ts';

/** A server with so many jobs, some of which it refuses each time it comes to them. */
function server(count: number, isRefused: (n: number) => boolean) {
  const left = Array.from({ length: count }, (_, n) => n);
  const ask: Ask = async ({ limit = PAGE }): Promise<Answer> => {
    const page = left.slice(0, limit);
    const done = page.filter((n) => !isRefused(n)).map((n) => ({ id: `job_${n}` }));
    const refused = page.filter(isRefused).map((n) => ({ id: `job_${n}`, code: 'work.key_taken' }));
    for (const n of page) if (!isRefused(n)) left.splice(left.indexOf(n), 1);
    return { done, refused, matched: count, newest: null, more: page.length === limit };
  };
  return { ask, left };
}

async function run(ask: Ask, isStopped: () => boolean = () => false) {
  const outcomes: Outcome[] = [];
  const pages = runBulk(ask, 'job_z', isStopped);
  for (;;) {
    const { value, done } = await pages.next();
    if (done === true) return { end: value, outcomes };
    outcomes.push(...value);
  }
}

describe('what is done to all jobs of a filter', () => {
  it('has one outcome for each job, whichever are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(700), fc.integer({ min: 2, max: 9 }), async (count, nth) => {
        const { ask } = server(count, (n) => n % nth === 0);
        const { end, outcomes } = await run(ask);
        expect(end).toBe('all');
        expect(new Set(outcomes.map(({ id }) => id)).size).toBe(count);
        expect(outcomes.length).toBe(count);
        expect(outcomes.filter(({ code }) => code !== undefined).length).toBe(Math.ceil(count / nth));
      }),
      { numRuns: 30 },
    );
  });

  it('ends where all that comes is refused, and says so', async () => {
    const { ask } = server(1500, (n) => n < 1000);
    const { end, outcomes } = await run(ask);
    expect(end).toBe('stuck');
    expect(outcomes.length).toBe(1000);
  });

  it('goes no further once it is stopped', async () => {
    const { ask, left } = server(1000, () => false);
    const { end, outcomes } = await run(ask, () => left.length <= 700);
    expect([end, outcomes.length, left.length]).toEqual(['stopped', 300, 700]);
  });

  it('is offered only where the filter can mean it', () => {
    expect(possible({})).toEqual(['replay', 'cancel']);
    expect(possible({ state: 'queued' })).toEqual(['cancel']);
    expect(possible({ state: 'dead', queue: 'q' })).toEqual(['replay']);
    for (const filter of [{ state: 'done' }, { agent: 'pricer' }, { state: 'none' }])
      expect(possible(filter)).toEqual([]);
  });
});
