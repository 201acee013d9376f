import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../api/problem.ts';
import { fetchAgain, refresher } from './outdated.ts';

describe('snapshots that events outdate', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are fetched soon after the first event, then at a distance', () => {
    const fetched: { key: string; at: number }[] = [];
    const start = Date.now();
    const soon = refresher(({ key }) => fetched.push({ key: key.join(), at: Date.now() - start }));
    for (let ms = 0; ms < 1000; ms += 10) {
      soon.take({ event_type: 'fleet.agent.paused' });
      vi.advanceTimersByTime(10);
    }
    const agents = fetched.filter((one) => one.key === 'agents').map((one) => one.at);
    expect(agents[0]).toBeLessThanOrEqual(50);
    expect(agents.length).toBeLessThanOrEqual(8);
    expect(agents.length).toBeGreaterThanOrEqual(6);
    soon.stop();
  });

  it('wait less when an event that matters more comes', () => {
    const fetched: string[] = [];
    const soon = refresher(({ key }) => fetched.push(key.join()));
    soon.take({ event_type: 'work.job.done' });
    vi.advanceTimersByTime(40);
    soon.take({ event_type: 'work.job.done' });
    soon.take({ event_type: 'fleet.agent.late' });
    vi.advanceTimersByTime(160);
    expect(fetched.filter((key) => key === 'agents').length).toBe(2);
    soon.stop();
  });

  it('are left alone by events of the operator’s own programs', () => {
    const fetched: string[] = [];
    const soon = refresher(({ key }) => fetched.push(key.join()));
    soon.take({ event_type: 'price.checked' });
    vi.advanceTimersByTime(5000);
    expect(fetched).toEqual([]);
  });
});

describe('an agent that was not found', () => {
  let queries: QueryClient;
  let asked: string[];
  let found: ReadonlySet<string>;
  let stop: () => void;

  beforeEach(async () => {
    vi.useFakeTimers();
    asked = [];
    found = new Set(['pricer']);
    queries = new QueryClient({
      defaultOptions: { queries: { retry: false, staleTime: 5000, networkMode: 'always' } },
    });
    const leave = ['pricer', 'nobody'].map((agent) =>
      new QueryObserver(queries, { queryKey: ['agents', agent], queryFn: () => show(agent) }).subscribe(
        () => undefined,
      ),
    );
    stop = () => {
      for (const one of leave) one();
      queries.clear();
    };
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual(['pricer', 'nobody']);
    asked = [];
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  async function show(agent: string): Promise<string> {
    asked.push(agent);
    if (!found.has(agent)) throw new Problem(404, 'access.agent_not_found', `There is no agent ${agent}`);
    return agent;
  }

  async function happen(...types: string[]): Promise<void> {
    const soon = refresher((due) => fetchAgain(queries, due));
    for (const event_type of types) {
      soon.take({ event_type });
      await vi.advanceTimersByTimeAsync(2000);
    }
    soon.stop();
  }

  it('is not asked for again by what other agents do', async () => {
    await happen('fleet.agent.paused', 'work.job.done', 'access.agent.removed');
    expect(asked).toEqual(['pricer', 'pricer', 'pricer']);
  });

  it('is asked for again when an agent is made, and then follows the events', async () => {
    found = new Set(['pricer', 'nobody']);
    await happen('access.agent.created');
    expect(asked.sort()).toEqual(['nobody', 'pricer']);
    expect(queries.getQueryData(['agents', 'nobody'])).toBe('nobody');
    asked = [];
    await happen('work.job.done');
    expect(asked.sort()).toEqual(['nobody', 'pricer']);
  });
});
