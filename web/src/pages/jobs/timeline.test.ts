import { describe, expect, it } from 'vitest';
import { event } from '../../live/event.fixture.ts';
import { stepsOf } from './timeline.ts';

const job = 'job_a';
const at = (seconds: number) => `2026-01-02T03:04:${String(seconds).padStart(2, '0')}.000Z`;
const other = { id: 'job_b', kind: 'reprice', queue: 'prices' };
const own = { id: job, kind: 'reprice', queue: 'prices' };

const added = event(1, {
  event_type: 'work.job.added',
  source_agent: 'operator:ada',
  at: at(1),
  payload: { jobs: [other, { ...own, state: 'queued' }, other] },
});
const claimed = event(2, {
  event_type: 'work.job.claimed',
  at: at(2),
  payload: { agent: 'pricer', jobs: [{ ...own, attempt: 1 }] },
});
const failed = event(3, {
  event_type: 'work.job.completed',
  at: at(3),
  payload: { agent: 'pricer', jobs: [{ ...own, attempt: 1, state: 'dead', reason: 'failed', error: '429' }] },
});

describe('the steps of a job', () => {
  it('are told from events of batches, in order and each once', () => {
    const steps = stepsOf(job, [failed, claimed, added, claimed]);
    expect(steps.map(({ text, others, state }) => [text, others, state])).toEqual([
      ['Added by operator:ada', 2, 'queued'],
      ['Taken by pricer, attempt 1', 0, 'running'],
      ['Dead: pricer failed and it is not tried again', 0, 'dead'],
    ]);
    expect(steps.at(-1)?.error).toBe('429');
  });

  it('leave out what names other jobs only, and keep what is about it without naming it in a list', () => {
    const about = event(4, { event_type: 'price.checked', subject: `job:${job}`, source_agent: 'pricer', at: at(4) });
    const foreign = event(5, { event_type: 'work.job.claimed', at: at(5), payload: { agent: 'x', jobs: [other] } });
    expect(stepsOf(job, [foreign, about]).map((step) => step.text)).toEqual(['price.checked · pricer']);
  });

  it('tell of what operators did: a cancellation by its reason, a change by what it changed', () => {
    const cancelled = event(7, {
      event_type: 'work.job.cancelled',
      source_agent: 'operator:ada',
      at: at(7),
      payload: { reason: 'asked for', jobs: [{ ...own, state: 'queued' }] },
    });
    const changed = event(6, {
      event_type: 'work.job.changed',
      source_agent: 'operator:ada',
      at: at(6),
      payload: { job: own, priority: 10, urgent: true },
    });
    const otherChanged = event(8, { event_type: 'work.job.changed', at: at(8), payload: { job: other, priority: 1 } });
    expect(stepsOf(job, [cancelled, changed, otherChanged]).map(({ text, state }) => [text, state])).toEqual([
      ['Changed by operator:ada: priority 10, urgent true', undefined],
      ['Cancelled by operator:ada: asked for', 'cancelled'],
    ]);
  });

  it('hold together when an event is not as expected', () => {
    const odd = event(6, {
      event_type: 'work.job.lost',
      subject: `job:${job}`,
      at: at(6),
      payload: { jobs: [null, 7] },
    });
    expect(stepsOf(job, [odd])).toHaveLength(1);
  });
});
