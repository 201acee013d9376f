import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../api/routes.ts';
import { draftOf, readDraft } from './draft.ts';

const schedule: Schedule = {
  schedule: 'nightly',
  tenant: 'acme',
  cron: '0 3 * * *',
  every_seconds: null,
  at: null,
  zone: 'Europe/Berlin',
  job: { kind: 'reprice', queue: 'night', priority: 7, payload: { sku: 'A1' }, cost: 2 },
  catch_up: 'once',
  overlap: 'queue',
  jitter_seconds: 30,
  next_at: null,
  last_tick: null,
  last_job: null,
  paused: null,
  declared_by: null,
  version: 1,
};

describe('the form of a schedule', () => {
  it('gives back what it was given, also what it does not show', () => {
    expect(readDraft(draftOf(schedule, 'UTC'), schedule.job)).toEqual({
      problems: {},
      input: {
        cron: '0 3 * * *',
        zone: 'Europe/Berlin',
        job: schedule.job,
        overlap: 'queue',
        catch_up: 'once',
        jitter_seconds: 30,
      },
    });
    const every = { ...schedule, cron: null, every_seconds: 5400 };
    expect(draftOf(every, 'UTC')).toMatchObject({ how: 'every', every: '90', unit: 60 });
    expect(readDraft(draftOf(every, 'UTC'), every.job).input).toMatchObject({ every_seconds: 5400 });
    const once = { ...schedule, cron: null, at: '2026-03-29T10:15:00.000Z' };
    expect(readDraft(draftOf(once, 'UTC'), once.job).input).toMatchObject({ at: '2026-03-29T10:15:00.000Z' });
  });

  it('lets the queue and the channel of the job go', () => {
    const { input } = readDraft({ ...draftOf(schedule, 'UTC'), queue: ' ', channel: 'ebay' }, schedule.job);
    expect(input?.job).toEqual({ kind: 'reprice', priority: 7, payload: { sku: 'A1' }, cost: 2, channel: 'ebay' });
  });

  it('says of each field what is wrong with it, and asks for nothing then', () => {
    const draft = draftOf(schedule, 'UTC');
    for (const [field, bad] of [
      ['name', { name: 'Nightly!' }],
      ['kind', { kind: '' }],
      ['cron', { cron: ' ' }],
      ['every', { how: 'every', every: '5', unit: 1 }],
      ['every', { how: 'every', every: '1.5', unit: 60 }],
      ['at', { how: 'at', at: '' }],
      ['payload', { payload: '[1]' }],
      ['payload', { payload: '{' }],
      ['jitter', { jitter: '-1' }],
      ['catchUp', { catchUp: 'all', overlap: 'skip' }],
    ] as const) {
      const read = readDraft({ ...draft, ...bad }, schedule.job);
      expect(read.input, field).toBe(undefined);
      expect(Object.keys(read.problems), field).toEqual([field]);
    }
  });
});
