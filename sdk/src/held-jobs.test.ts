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

function held(answer: () => JobRenewOutput) {
  const asked: JobRenewInput[] = [];
  const operations = {
    renew: async (input: JobRenewInput) => {
      asked.push(input);
      return answer();
    },
  };
  return { asked, jobs: new HeldJobs(operations, jobs, 60, performance.now()) };
}

describe('leases', () => {
  it('are renewed together, when a quarter of their time is over and not before', async () => {
    const { asked, jobs: leases } = held(() => ({ renewed: [], lost: [] }));
    vi.advanceTimersByTime(14_999);
    await leases.keep(one);
    expect(asked).toEqual([]);
    vi.advanceTimersByTime(1);
    await leases.keep(one);
    await leases.keep(two);
    expect(asked).toEqual([{ jobs: jobs.map(({ id, lease }) => ({ id, lease })), lease_seconds: 60 }]);
  });

  it('that are lost stop the work on their job, and only on that', async () => {
    const { asked, jobs: leases } = held(() => ({ renewed: [], lost: [{ id: 'job_1', reason: 'cancelled' }] }));
    vi.advanceTimersByTime(20_000);
    await expect(leases.keep(one)).rejects.toThrow(new LeaseLost('job_1: cancelled'));
    await leases.keep(two);
    expect([leases.has(one), leases.has(two)]).toEqual([false, true]);
    // It stays lost, without asking for the others before their time.
    await expect(leases.keep(one)).rejects.toThrow(LeaseLost);
    expect(asked.length).toBeLessThanOrEqual(2);
  });

  it('are over when the server was away for longer than they last', async () => {
    const { jobs: leases } = held(() => {
      throw new QuarterdeckError({ code: 'sdk.unreachable', status: 0, detail: 'away', retryable: true });
    });
    vi.advanceTimersByTime(60_000);
    await expect(leases.keep(one)).rejects.toThrow('away for longer than the lease');
    expect(leases.has(two)).toBe(false);
  });

  it('that the server refuses to renew end the worker, not only the job', async () => {
    const { jobs: leases } = held(() => {
      throw new QuarterdeckError({ code: 'unauthenticated', status: 401, detail: 'revoked', retryable: false });
    });
    vi.advanceTimersByTime(20_000);
    await expect(leases.keep(one)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});
