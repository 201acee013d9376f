// The fields of a job as the outside gives them, one by one or in a batch, and as schedules and batches keep them.
import { z } from 'zod';
import { jsonObject, slug, timestamp } from '../../platform/fields.ts';
import { approvalRequest } from './approvals/approval-operations.ts';
import { jobBudget } from './budgets/budget-operations.ts';

export const DEFAULT_PRIORITY = 100;

export const newJobFields = {
  kind: slug.describe('What is to be done; the worker chooses its handler by it'),
  payload: jsonObject.default({}).describe('At most 256 KiB'),
  queue: slug.optional().describe('Default: the kind'),
  priority: z.int().min(-1000).max(1000).default(DEFAULT_PRIORITY).describe('Lower runs first'),
  run_at: timestamp.optional().describe('Not before this moment'),
  unique_key: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('No second job with this key until it has ended; see `on_duplicate`'),
  max_attempts: z.int().min(1).max(100).default(5),
  channel: slug.optional().describe('What it uses together with others; `quarterdeck channel set` makes one'),
  cost: z.int().min(1).max(1_000_000).default(1).describe('How much of the windows of its channel it uses'),
  urgent: z.boolean().default(false).describe('Before the turns of tenants and before every priority'),
  max_runtime_seconds: z
    .int()
    .min(1)
    .max(2_592_000)
    .optional()
    .describe('An attempt that runs longer is taken back, even while it is renewed'),
  back_off_seconds: z
    .int()
    .min(1)
    .max(86_400)
    .optional()
    .describe('Wait before the second attempt, then doubled; default 5'),
  budget: jobBudget.optional(),
  approval: approvalRequest.optional().describe('It does not start before an operator has approved it'),
  on_duplicate: z
    .enum(['ignore', 'reject', 'replace'])
    .default('ignore')
    .describe('With a unique key that is taken: answer that job, refuse the call, or replace the job while it waits'),
};

export const newJob = z.strictObject(newJobFields);
export type NewJobInput = z.output<typeof newJob>;

const { run_at: _, unique_key: __, on_duplicate: ___, ...afterFields } = newJobFields;
/** A job that is added once, at a moment that nobody knows yet. */
export const afterJob = z.strictObject(afterFields);
export type AfterJob = z.output<typeof afterJob>;

/** How far the worker of a job says to be. */
export const progress = z.strictObject({
  fraction: z.number().min(0).max(1).optional(),
  message: z.string().max(500).optional(),
});
export type Progress = z.output<typeof progress>;

/** Something that a job made and that is kept elsewhere. */
export const artifact = z.strictObject({
  name: z.string().min(1).max(200),
  uri: z.string().min(1).max(2000).describe('Where it is; never fetched'),
  content_type: z.string().min(1).max(200).optional(),
  bytes: z.int().min(0).optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits')
    .optional(),
});
export type Artifact = z.output<typeof artifact>;

export const oneJobFields = {
  ...newJobFields,
  kind: newJobFields.kind.optional(),
  payload: jsonObject.optional(),
  priority: newJobFields.priority.unwrap().optional(),
  max_attempts: newJobFields.max_attempts.unwrap().optional(),
  cost: newJobFields.cost.unwrap().optional(),
  urgent: newJobFields.urgent.unwrap().optional(),
  on_duplicate: newJobFields.on_duplicate.unwrap().optional(),
};
