import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { refresher } from './outdated.ts';

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
    const soon = refresher((key) => fetched.push({ key: key.join(), at: Date.now() - start }));
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
    const soon = refresher((key) => fetched.push(key.join()));
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
    const soon = refresher((key) => fetched.push(key.join()));
    soon.take({ event_type: 'price.checked' });
    vi.advanceTimersByTime(5000);
    expect(fetched).toEqual([]);
  });
});
