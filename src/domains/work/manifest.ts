// The `channels` and `schedules` sections of quarterdeck.yaml. Reading the file is src/config's, making it so is
// declared.ts's.
import { z } from 'zod';
import { slug } from '../../platform/fields.ts';
import { channelFields } from './channels/channel-operations.ts';
import { scheduleFields } from './schedules/schedule-operations.ts';

export const declaredChannel = z.strictObject({
  ...channelFields,
  tenant: slug.default('fleet').describe('The tenant it belongs to; the fleet, whose channels serve all, when absent'),
});

export const declaredSchedule = z
  .strictObject({ ...scheduleFields, tenant: slug.default('default').describe('The tenant whose jobs it adds') })
  .refine(({ cron, every_seconds, at }) => [cron, every_seconds, at].filter((one) => one !== undefined).length === 1, {
    message: 'one of `cron`, `every_seconds` and `at`',
  });

export const channelsSection = z
  .record(slug, declaredChannel)
  .refine((channels) => Object.keys(channels).length <= 500, 'at most 500 channels')
  .describe('The channels that jobs use, by name');

export const schedulesSection = z
  .record(slug, declaredSchedule)
  .refine((schedules) => Object.keys(schedules).length <= 1000, 'at most 1000 schedules')
  .describe('The schedules that add jobs, by name');

/** What a file declares of work. */
export interface DeclaredWork {
  readonly channels: z.output<typeof channelsSection>;
  readonly schedules: z.output<typeof schedulesSection>;
}
