import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QuarterdeckError } from './errors.ts';
import { type ClaimedJob, HeldJobs, LeaseLost } from './held-jobs.ts';
import type { JobRenewInput, JobRenewOutput } from './operations.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const jobs = ['job_1', 'job_2'].map((id) => ({ id, lease: `1.${id}` }) as ClaimedJob);
const [one, two] = jobs as [ClaimedJob, ClaimedJob];
const lost = (id: string, reason: string) => ({ renewed: [], lost: [{ id, reason }] });
const away = () => {
  throw new QuarterdeckError({ code: 'sdk.unreachable', status: 0, detail: 'away', retryable: true });
};
const allRenewed = (input: JobRenewInput) => ({
  renewed: input.jobs.map(({ id }) => ({ id, lease_until: '' })),
  lost: [],
});

function hold(answer: (input: JobRenewInput) => JobRenewOutput, { stallSeconds = 900, of = jobs } = {}) {
  const asked: JobRenewInput[] = [];
  const lines: string[] = [];
  const operations = {
    renew: async (input: JobRenewInput) => {
      asked.push(input);
      return answer(input);
    },
  };
  const held = new HeldJobs({ operations, leaseSeconds: 60, stallSeconds, log: (line) => lines.push(line) });
  const signals = of.map((job) => held.add(job, performance.now()));
  return { asked, lines, held, signals };
}

/** Time goes by in steps of a second, with the loop of the worker in it. */
async function passes(held: HeldJobs, seconds: number): Promise<void> {
  for (let n = 0; n < seconds; n++) {
    vi.advanceTimersByTime(1_000);
    await held.tick();
  }
}

describe('leases', () => {
  it('are renewed together by the loop, when a quarter of their time is over and not before', async () => {
    const { asked, held } = hold(allRenewed);
    await passes(held, 14);
    expect(asked).toEqual([]);
    await passes(held, 2);
    expect(asked).toEqual([{ jobs: jobs.map(({ id, lease }) => ({ id, lease })), lease_seconds: 60 }]);
    await passes(held, 60);
    expect(asked).toHaveLength(5);
  });

  it('carry what handlers say of their progress, once, and again when nobody heard it', async () => {
    let isAway = true;
    const { asked, held } = hold((input) => (isAway ? away() : allRenewed(input)));
    held.progress(one, { fraction: 0.5, message: 'x'.repeat(600) });
    held.progress(two, { fraction: 7 });
    await passes(held, 16);
    isAway = false;
    await passes(held, 1);
    await passes(held, 16);
    const half = { fraction: 0.5, message: 'x'.repeat(500) };
    const said = asked.map((input) => input.jobs.map(({ progress }) => progress));
    expect(said[0]).toEqual([half, { fraction: 1 }]);
    expect(said.at(-2)).toEqual([half, { fraction: 1 }]);
    expect(said.at(-1)).toEqual([undefined, undefined]);
  });

  it.each(['expired', 'taken', 'timeout', 'cancelled', 'budget'])(
    '%s: the signal of that job fires',
    async (reason) => {
      const { held, signals } = hold(() => lost('job_1', reason));
      await passes(held, 15);
      expect(signals[0]!.reason).toEqual(new LeaseLost('job_1', reason));
      expect(signals[0]!.reason.reason).toBe(reason);
      expect(signals[1]!.aborted).toBe(false);
      expect([held.has(one), held.has(two)]).toEqual([false, true]);
      await expect(held.keep(one)).rejects.toThrow(LeaseLost);
      await held.keep(two);
    },
  );

  it('in doubt while the server is away: the work goes on, but who asks is told', async () => {
    let answer: (input: JobRenewInput) => JobRenewOutput = away;
    const { held, signals } = hold((input) => answer(input));
    await passes(held, 59);
    await held.keep(one);
    await passes(held, 600);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    await expect(held.keep(one)).rejects.toThrow('away for longer than the lease');
    answer = (input) => ({ ...allRenewed({ ...input, jobs: [two] }), ...{ lost: [{ id: 'job_1', reason: 'taken' }] } });
    await passes(held, 1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await held.keep(two);
  });

  it('of a handler that gives no sign are not renewed for ever, and it is told at their end', async () => {
    const { asked, lines, held, signals } = hold(allRenewed, { stallSeconds: 100, of: [one] });
    await passes(held, 101);
    expect(asked).toHaveLength(6);
    expect(held.allStalled).toBe(true);
    expect(lines).toEqual([expect.stringContaining('gives no sign')]);
    await passes(held, 60);
    expect(asked).toHaveLength(6);
    expect(signals[0]!.reason).toMatchObject({ reason: 'stalled' });
  });

  it('are renewed by keep alone when that is asked for', async () => {
    const { asked, held, signals } = hold(allRenewed, { stallSeconds: 0, of: [one] });
    await passes(held, 20);
    expect(asked).toEqual([]);
    await held.keep(one);
    expect(asked).toHaveLength(1);
    await passes(held, 61);
    expect(signals[0]!.reason).toMatchObject({ reason: 'stalled' });
  });

  it('end with the longest runtime, whatever the server answers or does not', async () => {
    const job = { ...one, lease_until: '2030-01-01T00:01:00Z', run_until: '2030-01-01T00:02:00Z' };
    const { held, signals } = hold(away, { of: [job] });
    await passes(held, 119);
    expect(signals[0]!.aborted).toBe(false);
    await passes(held, 1);
    expect(signals[0]!.reason).toMatchObject({ reason: 'timeout' });
  });

  it('are kept after the handler has ended, until the outcome is heard', async () => {
    const { asked, held } = hold(allRenewed, { stallSeconds: 10, of: [one] });
    held.finished(one);
    await passes(held, 60);
    expect(asked.length).toBeGreaterThan(2);
    held.forget(one);
    const before = asked.length;
    await passes(held, 60);
    expect(asked).toHaveLength(before);
  });

  it('that the server refuses to renew at all end the worker, not only the job', async () => {
    const { held } = hold(() => {
      throw new QuarterdeckError({ code: 'unauthenticated', status: 401, detail: 'revoked', retryable: false });
    });
    vi.advanceTimersByTime(20_000);
    await expect(held.tick()).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(held.keep(one)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});
