import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestWork, type TestWork } from '../../../test/support/work.ts';
import type { Call } from '../../platform/call.ts';
import { channelsSection, schedulesSection } from './manifest.ts';
import { operations } from './operations.ts';

let w: TestWork;
let operator: Call;
beforeAll(async () => {
  w = await openTestWork();
  operator = await w.operator();
});
afterAll(() => w.close());

const apply = (channels: object, schedules: object = {}) =>
  w.work.apply(
    w.t.app.systemCall(),
    { channels: channelsSection.parse(channels), schedules: schedulesSection.parse(schedules) },
    'quarterdeck.yaml',
  );
const limits = [{ limit: 10, window_seconds: 1 }];
const channels = async () =>
  (await w.work.channels.list(operator, operations.listChannels.input.parse({}))).items.map(({ channel }) => channel);
const schedules = async () =>
  (await w.work.schedules.list(operator, operations.listSchedules.input.parse({}))).items.map(
    ({ schedule }) => schedule,
  );

it('makes what the file names, changes it with the file, and takes it out with it', async () => {
  const job = { kind: 'reprice', channel: 'ebay' };
  await apply({ ebay: { concurrency: 4, limits } }, { nightly: { cron: '0 3 * * *', job } });
  const show = () => w.work.channels.show(operator, { channel: 'ebay' });
  expect(await show()).toMatchObject({ concurrency: 4, declared_by: 'quarterdeck.yaml', tenant: 'fleet' });
  expect(await schedules()).toEqual(['nightly']);

  const before = (await w.events('work.channel.set')).length;
  await apply({ ebay: { concurrency: 4, limits } }, { nightly: { cron: '0 3 * * *', job } });
  expect((await w.events('work.channel.set')).length).toBe(before);

  await apply({ ebay: { concurrency: 2 } }, { nightly: { every_seconds: 600, job } });
  expect(await show()).toMatchObject({ concurrency: 2, limits: [] });
  await apply({});
  expect([await channels(), await schedules()]).toEqual([[], []]);
});

it('lets nobody change what it declares, except by the file', async () => {
  await apply({ amazon: {} }, { hourly: { cron: '0 * * * *', job: { kind: 'look' } } });
  const set = operations.setChannel.input.parse({ channel: 'amazon', concurrency: 9 });
  await expect(w.work.channels.set(operator, set)).rejects.toMatchObject({ code: 'work.channel_declared' });
  await expect(w.work.channels.remove(operator, { channel: 'amazon' })).rejects.toMatchObject({
    code: 'work.channel_declared',
  });
  await expect(w.work.schedules.remove(operator, { schedule: 'hourly' })).rejects.toMatchObject({
    code: 'work.schedule_declared',
  });
  expect((await w.work.channels.pause(operator, { channel: 'amazon' })).paused).not.toBe(null);
});

it('leaves alone what others made, and a channel that jobs still wait for', async () => {
  await w.work.channels.set(operator, operations.setChannel.input.parse({ channel: 'by-hand' }));
  await apply({ busy: { concurrency: 1 } });
  await w.add(operator, { kind: 'x', channel: 'busy' });
  await apply({});
  expect((await channels()).sort()).toEqual(['busy', 'by-hand']);
  expect(await w.work.channels.show(operator, { channel: 'busy' })).toMatchObject({
    declared_by: null,
    concurrency: 1,
  });
});

it('changes nothing when one part of the file cannot be', async () => {
  await expect(apply({ good: {} }, { bad: { cron: '0 0 30 2 *', job: { kind: 'never' } } })).rejects.toMatchObject({
    code: 'work.cron_never_runs',
  });
  expect(await channels()).not.toContain('good');
});
