import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../../test/support/work.ts';
import type { Call } from '../../../platform/call.ts';
import type { InputOf } from '../../../platform/operation.ts';
import { operations } from '../operations.ts';

let w: TestWork;
let operator: Call;
let worker: Call;
let names = 0;
beforeAll(async () => {
  w = await openTestWork(10);
  operator = await w.operator();
  worker = await w.agent('worker');
});
afterAll(() => w.close());

type Given = Partial<InputOf<typeof operations.setSchedule>>;

/** A schedule of its own, whose jobs have the kind of its name. */
async function schedule(given: Given = {}, call = operator) {
  const name = `s${++names}`;
  const timing = given.every_seconds === undefined && given.at === undefined ? { cron: '0 * * * *' } : {};
  return set({ schedule: name, ...timing, job: { kind: name }, ...given }, call);
}
const set = (input: InputOf<typeof operations.setSchedule>, call = operator) =>
  w.work.schedules.set(call, operations.setSchedule.input.parse(input));
const show = (name: string) => w.work.schedules.show(operator, { schedule: name });
const tick = () => w.work.schedules.tick(w.t.app.systemCall());
const jobs = async (kind: string) =>
  (await w.work.list(operator, operations.listJobs.input.parse({ kind, limit: 500 }))).items;

/** As if the tick had been so long ago. */
const makeDue = (name: string, secondsAgo = 1) =>
  w.sql(`UPDATE work.schedules SET next_at = clock_timestamp() - make_interval(secs => $2) WHERE name = $1`, [
    name,
    secondsAgo,
  ]);

describe('a tick', () => {
  it('adds the job with all that the schedule says of it, and moves on to the next', async () => {
    await w.work.channels.set(operator, operations.setChannel.input.parse({ channel: 'paced' }));
    const job = { kind: 'reprice', queue: 'night', channel: 'paced', priority: 7, cost: 2, payload: { sku: 'A1' } };
    const { schedule: name } = await schedule({ cron: '0 3 * * *', zone: 'Europe/Berlin', job });
    await makeDue(name);
    await tick();
    const [added] = await jobs('reprice');
    expect(added).toMatchObject({ queue: 'night', channel: 'paced', priority: 7, cost: 2, state: 'queued' });
    const after = await show(name);
    expect(after).toMatchObject({ last_job: added!.id });
    expect(Date.parse(after.next_at!)).toBeGreaterThan(Date.now());
    expect(after.ticks.length).toBe(5);
    expect((await w.events('work.job.added')).at(-1)).toMatchObject({ jobs: [{ id: added!.id, schedule: name }] });
    await w.add(operator, { kind: 'reprice', queue: 'night' });
    const list = async (given: object) =>
      (await w.work.list(operator, operations.listJobs.input.parse({ kind: 'reprice', ...given }))).items;
    expect((await list({})).map((job) => job.schedule)).toEqual([null, name]);
    expect((await list({ schedule: name })).map((job) => job.id)).toEqual([added!.id]);
    const filter = { schedule: name };
    await w.work.cancelling.cancel(operator, operations.cancelJobs.input.parse({ filter }));
    expect((await list({ state: 'cancelled' })).map((job) => job.id)).toEqual([added!.id]);
    const counted = await w.work.cancelling.replay(
      operator,
      operations.replayJobs.input.parse({ filter: { ...filter, state: 'cancelled' }, dry_run: true }),
    );
    expect(counted).toMatchObject({ matched: 1, newest: added!.id });
  });

  it('is acted on once, however many engines look', async () => {
    const { schedule: name } = await schedule({ overlap: 'allow' });
    await makeDue(name);
    await Promise.all(Array.from({ length: 8 }, tick));
    expect((await jobs(name)).length).toBe(1);
  });

  it('that nobody acted on is told of, and made good as the policy says', async () => {
    for (const [catch_up, count] of [
      ['skip', 0],
      ['once', 1],
      ['all', 11],
    ] as const) {
      const { schedule: name } = await schedule({ every_seconds: 3600, catch_up, overlap: 'allow' });
      await w.sql(
        `UPDATE work.schedules SET created_at = clock_timestamp() - interval '20 hours 30 minutes',
           next_at = clock_timestamp() - interval '10 hours 30 minutes' WHERE name = $1`,
        [name],
      );
      await tick();
      expect((await jobs(name)).length).toBe(count);
      const missed = (await w.events('work.schedule.missed')).filter((event) => event['schedule'] === name);
      expect(missed.map((event) => event['count'])).toEqual(count === 11 ? [] : [11 - count]);
    }
  });

  it('adds nothing while a job of the schedule has not ended, or one that waits, or any number', async () => {
    for (const [overlap, afterWaiting, afterRunning] of [
      ['skip', 1, 1],
      ['queue', 1, 2],
      ['allow', 2, 3],
    ] as const) {
      const { schedule: name } = await schedule({ overlap });
      await makeDue(name, 5);
      await tick();
      await makeDue(name, 3);
      await tick();
      expect((await jobs(name)).length).toBe(afterWaiting);
      await w.claim(worker, { queues: [name], limit: 5 });
      await makeDue(name, 1);
      await tick();
      expect((await jobs(name)).length).toBe(afterRunning);
    }
    expect((await w.events('work.schedule.overlapped')).length).toBe(3);
  });

  it('that cannot add its job tells why, and the schedule goes on', async () => {
    await w.work.channels.set(operator, operations.setChannel.input.parse({ channel: 'gone' }));
    const { schedule: name } = await schedule({ job: { kind: 'orphan', channel: 'gone' } });
    await w.work.channels.remove(operator, { channel: 'gone' });
    await makeDue(name);
    await tick();
    expect((await w.events('work.schedule.failed')).at(-1)).toMatchObject({
      schedule: name,
      code: 'work.channel_not_found',
    });
    expect(Date.parse((await show(name)).next_at!)).toBeGreaterThan(Date.now());
  });

  it('of a single moment is the last', async () => {
    const { schedule: name } = await schedule({ at: new Date(Date.now() - 1_000).toISOString() });
    await tick();
    expect((await jobs(name)).length).toBe(1);
    expect(await show(name)).toMatchObject({ next_at: null, ticks: [] });
    await tick();
    expect((await jobs(name)).length).toBe(1);
  });

  it('of a paused schedule adds nothing, and what came meanwhile is left out', async () => {
    const { schedule: name } = await schedule();
    await w.work.schedules.pause(operator, { schedule: name, reason: 'closed' });
    await makeDue(name, 7200);
    await tick();
    expect(await jobs(name)).toEqual([]);
    const resumed = await w.work.schedules.resume(operator, { schedule: name });
    expect(Date.parse(resumed.next_at!)).toBeGreaterThan(Date.now());
    await tick();
    expect(await jobs(name)).toEqual([]);
  });
});

describe('a schedule', () => {
  it('keeps its next tick when only its job changes, and counts anew when its timing does', async () => {
    const made = await schedule({ every_seconds: 5_000 });
    const { schedule: name } = made;
    const other = await set({ schedule: name, every_seconds: 5_000, job: { kind: 'other' } });
    expect(other).toMatchObject({ next_at: made.next_at, version: 2, job: { kind: 'other' } });
    expect(await set({ schedule: name, every_seconds: 5_000, job: { kind: 'other' } })).toMatchObject({ version: 2 });
    expect(await set({ schedule: name, every_seconds: 60, job: { kind: 'other' } })).not.toMatchObject({
      next_at: made.next_at,
    });
  });

  it.each<[string, Given, string]>([
    ['four fields', { cron: '* * * *' }, 'work.cron_invalid'],
    ['a day that never comes', { cron: '0 0 30 2 *' }, 'work.cron_never_runs'],
    ['every second', { cron: '* * * * * *' }, 'work.cron_too_often'],
    ['a zone that is none', { zone: 'Mars/Olympus' }, 'work.zone_unknown'],
    ['two timings', { cron: '0 * * * *', every_seconds: 60 }, 'invalid_input'],
    ['catching up on all without overlap', { catch_up: 'all' }, 'work.catch_up_overlaps'],
    ['an unknown channel', { job: { kind: 'x', channel: 'nowhere' } }, 'work.channel_not_found'],
    ['a large payload', { job: { kind: 'x', payload: { text: 'x'.repeat(300_000) } } }, 'work.payload_too_large'],
  ])('is refused for %s, and nothing is made', async (_, given, code) => {
    const before = (await w.work.schedules.list(operator, operations.listSchedules.input.parse({ limit: 500 }))).items;
    await expect(schedule(given)).rejects.toMatchObject({ code });
    const after = (await w.work.schedules.list(operator, operations.listSchedules.input.parse({ limit: 500 }))).items;
    expect(after.length).toBe(before.length);
  });

  it('runs once by hand, and is backfilled after a count', async () => {
    const { schedule: name } = await schedule({ cron: '0 3 * * *' });
    const { job } = await w.work.schedules.run(operator, { schedule: name });
    expect(await w.work.show(operator, job)).toMatchObject({ kind: name, state: 'queued' });
    const span = { schedule: name, since: '2026-03-01T00:00:00Z', until: '2026-03-07T23:00:00Z' };
    const dry = await w.work.schedules.backfill(operator, { ...span, dry_run: true });
    expect(dry).toMatchObject({ ticks: 7, first: '2026-03-01T03:00:00.000Z', jobs: [] });
    expect((await jobs(name)).length).toBe(1);
    const filled = await w.work.schedules.backfill(operator, { ...span, dry_run: false });
    expect(filled.jobs.length).toBe(7);
    expect((await w.work.schedules.backfill(operator, { ...span, dry_run: false })).jobs).toEqual([]);
    await expect(
      w.work.schedules.backfill(operator, { ...span, since: '2000-01-01T00:00:00Z', dry_run: true }),
    ).rejects.toMatchObject({ code: 'work.too_many_ticks' });
  });

  it('is listed page by page, of one tenant or of all, and seen by no other', async () => {
    const mine = await w.operator('mine');
    for (let n = 0; n < 3; n++) await schedule({}, mine);
    const input = operations.listSchedules.input.parse({ limit: 2 });
    const first = await w.work.schedules.list(mine, input);
    const rest = await w.work.schedules.list(mine, { ...input, after: first.next_cursor! });
    expect([...first.items, ...rest.items].map(({ tenant }) => tenant)).toEqual(['mine', 'mine', 'mine']);
    expect(rest.next_cursor).toBe(null);
    const name = first.items[0]!.schedule;
    for (const call of [await w.operator('theirs'), operator]) {
      await expect(w.work.schedules.remove(call, { schedule: name })).rejects.toMatchObject({
        code: 'work.schedule_not_found',
      });
    }
    await w.work.schedules.remove(operator, { schedule: name, tenant: 'mine' });
  });

  it('is previewed true to the clock changes of its zone', async () => {
    const { ticks } = await w.work.schedules.preview(
      operator,
      operations.previewSchedule.input.parse({
        cron: '30 2 * * *',
        zone: 'Europe/Berlin',
        after: '2026-03-28T12:00:00Z',
        count: 2,
      }),
    );
    expect(ticks).toEqual([
      { at: '2026-03-29T01:00:00.000Z', local: '2026-03-29 03:00:00' },
      { at: '2026-03-30T00:30:00.000Z', local: '2026-03-30 02:30:00' },
    ]);
  });
});
