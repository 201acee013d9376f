// What the outside may do to jobs that others hold or that have ended: cancel, change, try again. Each works on named
// jobs or on all that a filter finds.
import { z } from 'zod';
import { slug, timestamp } from '../../platform/fields.ts';
import { operation } from '../../platform/operation.ts';

const jobId = z.string().max(64).describe('Like job_…');
const someJobs = z.array(jobId).min(1).max(1000).optional().describe('These jobs; or give a filter instead');
const upTo = jobId
  .optional()
  .describe('With a filter: only jobs made up to this one, so that what came since a dry run stays out');
const dryRun = z.boolean().default(false).describe('Only count what the filter finds');
const limit = z.int().min(1).max(1000).default(1000).describe('Most jobs in one call; call again while `more` is true');

const filter = {
  queue: slug.optional(),
  kind: slug.optional(),
  channel: slug.optional(),
  schedule: slug.optional().describe('What a schedule added'),
  tenant: slug.optional(),
};

const outcome = {
  refused: z.array(z.object({ id: z.string(), code: z.string() })),
  matched: z.int().describe('How many the filter finds, counted up to 10,000; for named jobs how many were named'),
  newest: z.string().nullable().describe('The newest that the filter finds: give it as `up_to` to freeze the filter'),
  more: z.boolean(),
};

export const cancelJobs = operation({
  name: 'work.job.cancel',
  summary: 'End jobs that have not ended; a worker that runs one learns it with its next renewal',
  ability: 'work:write',
  effect: 'destroy',
  method: 'POST',
  path: '/v1/jobs/cancellations',
  input: z.strictObject({
    jobs: someJobs,
    filter: z
      .strictObject({ ...filter, state: z.enum(['scheduled', 'queued', 'running', 'awaiting_approval']).optional() })
      .optional(),
    up_to: upTo,
    reason: z.string().min(1).max(500).optional().describe('Kept with the job, and in the event'),
    dry_run: dryRun,
    limit,
  }),
  output: z.object({ cancelled: z.array(z.string()), ...outcome }),
  errors: ['access.tenant_not_found', 'work.job_not_found', 'work.job_ended'],
  next: { operation: 'work.job.list' },
  cli: {
    words: 'job cancel',
    positional: ['jobs'],
    example: 'quarterdeck job cancel job_0SjPq… --reason "asked for by the client"',
  },
  example: { jobs: ['job_0000000000000000000000'], reason: 'asked for by the client' },
});

export const replayJobs = operation({
  name: 'work.job.replay',
  summary: 'Add ended jobs once more, with the same payload; what has ended stays ended',
  ability: 'work:write',
  effect: 'write',
  method: 'POST',
  path: '/v1/jobs/replays',
  input: z.strictObject({
    jobs: someJobs,
    filter: z
      .strictObject({ ...filter, state: z.enum(['dead', 'cancelled']).default('dead'), reason: slug.optional() })
      .optional(),
    up_to: upTo,
    dry_run: dryRun,
    limit,
  }),
  output: z.object({ replayed: z.array(z.object({ id: z.string(), job: z.string() })), ...outcome }),
  errors: [
    'access.tenant_not_found',
    'work.job_not_found',
    'work.job_not_ended',
    'work.already_replayed',
    'work.key_taken',
    'work.cost_above_limit',
  ],
  next: { operation: 'work.job.list' },
  cli: { words: 'job replay', positional: ['jobs'], example: 'quarterdeck job replay job_0SjPq…' },
  example: { jobs: ['job_0000000000000000000000'] },
});

export const changeJob = operation({
  name: 'work.job.change',
  summary: 'Change when a waiting job runs: its priority, urgency, moment, or number of attempts',
  ability: 'work:write',
  effect: 'write',
  method: 'PATCH',
  path: '/v1/jobs/{job}',
  input: z.strictObject({
    job: jobId,
    priority: z.int().min(-1000).max(1000).optional(),
    urgent: z.boolean().optional(),
    run_at: timestamp.optional(),
    max_attempts: z.int().min(1).max(100).optional(),
  }),
  output: z.object({
    id: z.string(),
    state: z.string(),
    priority: z.int(),
    urgent: z.boolean(),
    run_at: z.string(),
    max_attempts: z.int(),
    version: z.int(),
  }),
  errors: ['work.job_not_found', 'work.job_ended', 'work.job_running', 'work.attempts_used'],
  next: { operation: 'work.job.show', input: { job: 'id' } },
  cli: { words: 'job change', positional: ['job'], example: 'quarterdeck job change job_0SjPq… --priority 10' },
  example: { job: 'job_0000000000000000000000', priority: 10 },
});

export const endingOperations = { cancelJobs, replayJobs, changeJob };
