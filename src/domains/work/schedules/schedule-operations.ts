// What the outside may ask about schedules.
import { z } from 'zod';
import { page, pageLimit, slug, timestamp } from '../../../platform/fields.ts';
import { operation } from '../../../platform/operation.ts';
import { newJobFields } from '../new-job.ts';

const inTenant = slug.optional().describe('Default: the caller’s own tenant, or `default`');
const address = z.strictObject({ schedule: slug, tenant: inTenant });
const reason = z.string().min(1).max(500).optional().describe('Kept in the event, and shown');
const cron = z.string().min(1).max(200).describe('Minute, hour, day, month, weekday; six fields begin with the second');
const zone = z.string().min(1).max(64).describe('IANA time zone, like Europe/Berlin');

const { run_at: _, unique_key: __, on_duplicate: ___, ...jobFields } = newJobFields;
/** What a schedule adds: the fields of a job but for its moment and its key, which the tick decides. */
export const scheduledJob = z.strictObject(jobFields).describe('What each tick adds');

/** The settings of a schedule, as the operation and the manifest take them. */
export const scheduleFields = {
  cron: cron.optional(),
  every_seconds: z.int().min(10).max(31_536_000).optional().describe('An interval instead of a cron line'),
  at: timestamp.optional().describe('One moment instead of a cron line'),
  zone: zone.default('UTC'),
  job: scheduledJob,
  catch_up: z
    .enum(['skip', 'once', 'all'])
    .default('once')
    .describe('Ticks that nobody acted on within a minute: leave them out, act on the last one, or on every one'),
  overlap: z
    .enum(['skip', 'queue', 'allow'])
    .default('skip')
    .describe('While a job of it has not ended: add none, one that waits at most, or any number'),
  jitter_seconds: z.int().min(0).max(86_400).default(0).describe('Each job starts up to so much later, by chance'),
};

const schedule = z.object({
  schedule: z.string(),
  tenant: z.string(),
  cron: z.string().nullable(),
  every_seconds: z.int().nullable(),
  at: z.string().nullable(),
  zone: z.string(),
  job: z.object({ kind: z.string() }).loose(),
  catch_up: z.string(),
  overlap: z.string(),
  jitter_seconds: z.int(),
  next_at: z.string().nullable().describe('null: it never comes again'),
  last_tick: z.string().nullable(),
  last_job: z.string().nullable(),
  paused: z.object({ since: z.string(), by: z.string(), reason: z.string().nullable() }).nullable(),
  declared_by: z.string().nullable().describe('The file that declares it, and decides'),
  version: z.int(),
});
export type ScheduleItem = z.output<typeof schedule>;

const timingErrors = ['work.zone_unknown', 'work.cron_invalid', 'work.cron_never_runs', 'work.cron_too_often'] as const;
const addressErrors = ['access.tenant_not_found', 'work.schedule_not_found'] as const;

export const setSchedule = operation({
  name: 'work.schedule.set',
  summary: 'Make or change a schedule, which adds a job at each of its ticks',
  ability: 'work:write',
  effect: 'write',
  method: 'PUT',
  path: '/v1/schedules/{schedule}',
  input: address.extend(scheduleFields),
  output: schedule,
  errors: [
    'access.tenant_not_found',
    ...timingErrors,
    'work.channel_not_found',
    'work.cost_above_limit',
    'work.payload_too_large',
    'work.catch_up_overlaps',
    'work.schedule_declared',
  ],
  next: { operation: 'work.schedule.show', input: { schedule: 'schedule' } },
  cli: {
    words: 'schedule set',
    positional: ['schedule'],
    example: 'quarterdeck schedule set nightly --cron "0 3 * * *" --zone Europe/Berlin --job \'{"kind":"reprice"}\'',
  },
  example: { schedule: 'nightly', cron: '0 3 * * *', zone: 'Europe/Berlin', job: { kind: 'reprice' } },
});

export const listSchedules = operation({
  name: 'work.schedule.list',
  summary: 'Schedules with their next and last ticks',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/schedules',
  input: z.strictObject({ tenant: slug.optional(), after: z.string().max(128).optional(), limit: pageLimit }),
  output: page(schedule),
  errors: ['access.tenant_not_found'],
  cli: {
    words: 'schedule list',
    columns: ['schedule', 'tenant', 'cron', 'every_seconds', 'zone', 'next_at', 'last_tick', 'paused.reason'],
    example: 'quarterdeck schedule list',
  },
});

export const showSchedule = operation({
  name: 'work.schedule.show',
  summary: 'One schedule with its next ticks',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/schedules/{schedule}',
  input: address,
  output: schedule.extend({ ticks: z.array(z.string()).describe('The next ones') }),
  errors: addressErrors,
  cli: { words: 'schedule show', positional: ['schedule'], example: 'quarterdeck schedule show nightly' },
  example: { schedule: 'nightly' },
});

export const removeSchedule = operation({
  name: 'work.schedule.remove',
  summary: 'Remove a schedule; jobs that it added stay',
  ability: 'work:write',
  effect: 'destroy',
  method: 'DELETE',
  path: '/v1/schedules/{schedule}',
  input: address,
  output: z.object({ schedule: z.string(), removed: z.boolean() }),
  errors: [...addressErrors, 'work.schedule_declared'],
  cli: { words: 'schedule remove', positional: ['schedule'], example: 'quarterdeck schedule remove nightly' },
  example: { schedule: 'nightly' },
});

export const pauseSchedule = operation({
  name: 'work.schedule.pause',
  summary: 'Let a schedule add nothing until it is resumed; ticks of that time are left out',
  ability: 'work:write',
  effect: 'write',
  method: 'PUT',
  path: '/v1/schedules/{schedule}/pause',
  input: address.extend({ reason }),
  output: schedule,
  errors: addressErrors,
  next: { operation: 'work.schedule.resume', input: { schedule: 'schedule' } },
  cli: {
    words: 'schedule pause',
    positional: ['schedule'],
    example: 'quarterdeck schedule pause nightly --reason "the shop is closed"',
  },
  example: { schedule: 'nightly', reason: 'the shop is closed' },
});

export const resumeSchedule = operation({
  name: 'work.schedule.resume',
  summary: 'Let a paused schedule add jobs again, from its next tick on',
  ability: 'work:write',
  effect: 'write',
  method: 'DELETE',
  path: '/v1/schedules/{schedule}/pause',
  input: address,
  output: schedule,
  errors: addressErrors,
  next: { operation: 'work.schedule.show', input: { schedule: 'schedule' } },
  cli: { words: 'schedule resume', positional: ['schedule'], example: 'quarterdeck schedule resume nightly' },
  example: { schedule: 'nightly' },
});

export const runSchedule = operation({
  name: 'work.schedule.run',
  summary: 'Add the job of a schedule now, beside its ticks',
  ability: 'work:write',
  effect: 'write',
  method: 'POST',
  path: '/v1/schedules/{schedule}/runs',
  status: 201,
  input: address,
  output: z.object({ schedule: z.string(), job: z.string() }),
  errors: [...addressErrors, 'work.channel_not_found', 'work.cost_above_limit'],
  next: { operation: 'work.job.show', input: { job: 'job' } },
  cli: { words: 'schedule run', positional: ['schedule'], example: 'quarterdeck schedule run nightly' },
  example: { schedule: 'nightly' },
});

export const backfillSchedule = operation({
  name: 'work.schedule.backfill',
  summary: 'Add the jobs that the ticks of a past time would have added; count them first with `dry_run`',
  ability: 'work:write',
  effect: 'write',
  method: 'POST',
  path: '/v1/schedules/{schedule}/backfills',
  input: address.extend({
    since: timestamp,
    until: timestamp,
    dry_run: z.boolean().default(false).describe('Only count the ticks'),
  }),
  output: z.object({
    schedule: z.string(),
    ticks: z.int(),
    first: z.string().nullable(),
    last: z.string().nullable(),
    jobs: z.array(z.string()),
  }),
  errors: [...addressErrors, 'work.too_many_ticks', 'work.channel_not_found', 'work.cost_above_limit'],
  next: { operation: 'work.job.list' },
  cli: {
    words: 'schedule backfill',
    positional: ['schedule'],
    example:
      'quarterdeck schedule backfill nightly --since 2026-03-01T00:00:00Z --until 2026-03-08T00:00:00Z --dry-run',
  },
  example: { schedule: 'nightly', since: '2026-03-01T00:00:00Z', until: '2026-03-08T00:00:00Z', dry_run: true },
});

export const previewSchedule = operation({
  name: 'work.schedule.preview',
  summary: 'When a cron line would come, true to the clock changes of its zone',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/schedule-previews',
  input: z.strictObject({
    cron,
    zone: zone.default('UTC'),
    after: timestamp.optional().describe('Default: now'),
    count: z.int().min(1).max(100).default(10),
  }),
  output: z.object({ ticks: z.array(z.object({ at: z.string(), local: z.string() })) }),
  errors: timingErrors,
  next: { operation: 'work.schedule.set' },
  cli: {
    words: 'schedule preview',
    positional: ['cron'],
    example: 'quarterdeck schedule preview "0 3 * * *" --zone Europe/Berlin',
  },
  example: { cron: '0 3 * * *', zone: 'Europe/Berlin' },
});

export const scheduleOperations = {
  setSchedule,
  listSchedules,
  showSchedule,
  removeSchedule,
  pauseSchedule,
  resumeSchedule,
  runSchedule,
  backfillSchedule,
  previewSchedule,
};
