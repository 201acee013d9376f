import { describe, expect, it } from 'vitest';
import { summaryOf } from './summary.ts';

describe('the summary of a payload', () => {
  it('names plain values and leaves out what is empty', () => {
    expect(summaryOf({ sku: 'A1', price: 12, note: null, ok: false })).toBe('sku A1 · price 12 · ok false');
  });

  it('counts lists and tells the first of them', () => {
    const jobs = [{ id: 'job_1', kind: 'reprice', queue: 'reprice', attempt: 1 }, { id: 'job_2' }];
    expect(summaryOf({ jobs })).toBe('jobs 2: job_1 reprice 1, …');
    expect(summaryOf({ jobs: jobs.slice(0, 1), changed: [] })).toBe('jobs job_1 reprice 1 · changed none');
  });

  it('cuts what is long and shows what hides', () => {
    expect(summaryOf({ text: 'x'.repeat(500) }).length).toBeLessThan(100);
    expect(summaryOf({ file: 'a\u202eb' })).toBe('file a\\u{202e}b');
  });
});
