// What the outside may ask about work: jobs, their claims and their outcomes. Channels, and what is done to jobs from
// outside, have files of their own.
import { z } from 'zod';
import { jsonObject, page, pageLimit, slug, waitSeconds } from '../../platform/fields.ts';
import { operation } from '../../platform/operation.ts';
import { approvalOperations, approvalRequest, givenApproval } from './approvals/approval-operations.ts';
import { batchId, batchOperations } from './batches/batch-operations.ts';
import { budgetOperations, jobUsage, usage } from './budgets/budget-operations.ts';
import { channelOperations, pausedWork } from './channels/channel-operations.ts';
import { endingOperations } from './ending-operations.ts';
import { artifact, newJob, oneJobFields, progress } from './new-job.ts';
import { scheduleOperations } from './schedules/schedule-operations.ts';
import { stepOperations } from './steps/step-operations.ts';

export const jobStates = ['scheduled', 'queued', 'awaiting_approval', 'running', 'done', 'dead', 'cancelled'] as const;

const jobId = z.string().max(64).describe('Like job_…');
const lease = z.string().min(1).max(100).describe('The fence that the claim gave; opaque');

export const addJobs = operation({
  name: 'work.job.add',
  summary: 'Enqueue one job or a batch',
  ability: 'work:enqueue',
  effect: 'write',
  method: 'POST',
  path: '/v1/jobs',
  status: 201,
  bodyLimit: 16 * 1024 * 1024,
  input: z.strictObject({
    jobs: z.array(newJob).min(1).max(1000).optional().describe('A batch; or give the fields of one job instead'),
    // Without their defaults, so that the fields of one job given beside `jobs` are noticed.
    ...oneJobFields,
    tenant: slug.optional().describe('Fleet credentials only; default: `default`'),
  }),
  output: z.object({
    jobs: z.array(z.object({ id: z.string(), state: z.enum(jobStates), existing: z.boolean() })),
  }),
  errors: [
    'work.payload_too_large',
    'work.details_too_large',
    'access.tenant_not_found',
    'work.channel_not_found',
    'work.cost_above_limit',
    'work.urgent_denied',
    'work.key_taken',
  ],
  next: { operation: 'work.job.show', input: { job: 'jobs.0.id' } },
  cli: { words: 'job add', positional: ['kind'], example: 'quarterdeck job add reprice --payload \'{"sku":"A1"}\'' },
  example: { kind: 'reprice', payload: { sku: 'A1' } },
});

const job = z.object({
  id: z.string(),
  kind: z.string(),
  queue: z.string(),
  tenant: z.string(),
  state: z.enum(jobStates),
  priority: z.int(),
  attempt: z.int().describe('Times it was handed out'),
  max_attempts: z.int(),
  run_at: z.string().nullable(),
  created_at: z.string(),
  created_by: z.string(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  agent: z.string().nullable().describe('Who holds or held it last'),
  lease_until: z.string().nullable(),
  reason: z.string().nullable().describe('Why the last attempt did not end well'),
  error: z.string().nullable(),
  channel: z.string().nullable(),
  cost: z.int(),
  urgent: z.boolean(),
  max_runtime_seconds: z.int().nullable(),
  replay_of: z.string().nullable().describe('The ended job that this one tries again'),
  batch: z.string().nullable(),
  progress: progress.nullable().describe('While it runs, what its worker said last'),
  schedule: z.string().nullable().describe('The schedule that added it'),
  version: z.int().describe('Grows with each change of the row'),
});
export type JobItem = z.output<typeof job>;

export const listJobs = operation({
  name: 'work.job.list',
  summary: 'Jobs in all states, newest first',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/jobs',
  input: z.strictObject({
    state: z.enum(jobStates).optional(),
    queue: slug.optional(),
    kind: slug.optional(),
    agent: z.string().max(127).optional(),
    tenant: slug.optional(),
    channel: slug.optional(),
    batch: batchId.optional(),
    schedule: slug.optional().describe('What a schedule added'),
    after: z.string().max(128).optional(),
    limit: pageLimit,
  }),
  output: page(job),
  errors: ['access.tenant_not_found'],
  cli: {
    words: 'job list',
    columns: ['id', 'state', 'kind', 'queue', 'tenant', 'priority', 'attempt', 'agent', 'created_at'],
    example: 'quarterdeck job list --state queued',
  },
});

export const showJob = operation({
  name: 'work.job.show',
  summary: 'One job with its payload and result',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/jobs/{job}',
  input: z.strictObject({ job: jobId }),
  output: job.extend({
    payload: jsonObject,
    result: z.unknown(),
    artifacts: z.array(artifact).describe('What it made and is kept elsewhere'),
    usage: jobUsage
      .nullable()
      .describe('What its attempts said that they used; null: nothing, and it has the usual budget'),
  }),
  errors: ['work.job_not_found'],
  cli: { words: 'job show', positional: ['job'], example: 'quarterdeck job show job_0SjPq…' },
  example: { job: 'job_0000000000000000000000' },
});

export const claimJobs = operation({
  name: 'work.job.claim',
  summary: 'Take jobs under a lease; waits up to `wait` seconds for the first',
  kind: 'poll',
  ability: 'work:claim',
  effect: 'write',
  method: 'POST',
  path: '/v1/jobs/claims',
  input: z.strictObject({
    queues: z.array(slug).min(1).max(50),
    limit: z.int().min(1).max(500).default(1),
    wait: waitSeconds,
    lease_seconds: z.int().min(5).max(3600).default(60),
  }),
  output: z.object({
    jobs: z.array(
      z.object({
        id: z.string(),
        lease,
        attempt: z.int(),
        max_attempts: z.int(),
        kind: z.string(),
        queue: z.string(),
        tenant: z.string(),
        token: z.string().describe('Acts as this job’s tenant while the lease is valid'),
        traceparent: z
          .string()
          .optional()
          .describe('The trace it belongs to; send it as the header `traceparent` with what you do for it'),
        payload: jsonObject,
        priority: z.int(),
        created_at: z.string(),
        lease_until: z.string(),
        channel: z.string().nullable(),
        run_until: z.string().nullable().describe('The end of its max_runtime: no renewal goes beyond'),
        approval: givenApproval.optional().describe('What an operator decided about it; told once'),
      }),
    ),
    paused: z
      .boolean()
      .describe(
        'True when this agent, its tenant or everything is paused or has used up its budget, and it gets nothing',
      ),
  }),
  secretOutput: ['jobs.token'],
  errors: ['work.agents_only'],
  cli: { words: 'job claim', example: 'quarterdeck job claim --queues reprice' },
  example: { queues: ['reprice'], limit: 1 },
});

const held = z.strictObject({ id: jobId, lease });

export const renewJobs = operation({
  name: 'work.job.renew',
  summary: 'Prolong leases; what comes back as lost must be stopped',
  ability: 'work:claim',
  effect: 'write',
  method: 'POST',
  path: '/v1/jobs/renewals',
  input: z.strictObject({
    jobs: z
      .array(
        held.extend({
          progress: progress.optional().describe('Replaces what was said before'),
          usage: usage.optional(),
        }),
      )
      .min(1)
      .max(500),
    lease_seconds: z.int().min(5).max(3600).default(60),
  }),
  output: z.object({
    renewed: z.array(z.object({ id: z.string(), lease_until: z.string() })),
    lost: z.array(
      z.object({
        id: z.string(),
        reason: z
          .string()
          .describe('`expired`, `taken`, `ended`, `timeout`, `cancelled` or `budget`: stop working on it'),
      }),
    ),
  }),
  cli: { words: 'job renew', example: 'quarterdeck job renew --jobs \'[{"id":"job_…","lease":"…"}]\'' },
  example: { jobs: [{ id: 'job_0000000000000000000000', lease: '1.abc' }] },
});

export const completeJobs = operation({
  name: 'work.job.complete',
  summary: 'Report outcomes; refused for a lease that is no longer valid',
  ability: 'work:claim',
  effect: 'write',
  method: 'POST',
  path: '/v1/jobs/completions',
  bodyLimit: 16 * 1024 * 1024,
  input: z.strictObject({
    jobs: z
      .array(
        held
          .extend({
            outcome: z
              .enum(['done', 'failed', 'ask'])
              .describe('`ask`: it waits, held by nobody, until an operator has decided about `approval`'),
            approval: approvalRequest.optional().describe('With `ask`, and only with it'),
            usage: usage.optional(),
            result: z.unknown().optional().describe('JSON, at most 256 KiB'),
            artifacts: z.array(artifact).max(50).optional().describe('What it made and is kept elsewhere'),
            error: z.string().max(8000).optional(),
            retry: z.boolean().default(true).describe('false: do not try again'),
            retry_in_seconds: z
              .number()
              .min(0)
              .max(86_400 * 7)
              .optional()
              .describe('Try again after so long, instead of the usual back-off; what a provider asked for'),
            pause_channel_seconds: z
              .number()
              .min(0)
              .max(86_400)
              .optional()
              .describe('A provider refuses until then: nothing of the job’s channel starts before'),
          })
          .refine(({ outcome, approval }) => (outcome === 'ask') === (approval !== undefined), {
            message: '`approval` belongs to the outcome `ask`',
            path: ['approval'],
          }),
      )
      .min(1)
      .max(500),
  }),
  output: z.object({
    accepted: z.array(z.string()),
    refused: z.array(z.object({ id: z.string(), code: z.string() })),
  }),
  errors: ['work.stale_lease', 'work.job_not_found', 'work.result_too_large', 'work.details_too_large'],
  cli: {
    words: 'job complete',
    example: 'quarterdeck job complete --jobs \'[{"id":"job_…","lease":"…","outcome":"done"}]\'',
  },
  example: { jobs: [{ id: 'job_0000000000000000000000', lease: '1.abc', outcome: 'done' }] },
});

export const summary = operation({
  name: 'work.summary',
  summary: 'How many jobs are in each state, per queue, and how long the oldest waits',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/work/summary',
  input: z.strictObject({ tenant: slug.optional() }),
  output: z.object({
    queued: z.int(),
    scheduled: z.int(),
    running: z.int(),
    done_1h: z.int(),
    dead_1h: z.int(),
    failed_attempts_1h: z.int(),
    oldest_queued_seconds: z.number().nullable(),
    queues: z.array(z.object({ queue: z.string(), queued: z.int(), running: z.int() })),
    pauses: z.array(pausedWork).describe('Whose jobs are not handed out, the oldest pause first'),
    as_of: z.string(),
  }),
  errors: ['access.tenant_not_found'],
  next: { operation: 'work.job.list' },
  cli: { words: 'job summary', example: 'quarterdeck job summary' },
});

export const operations = {
  addJobs,
  listJobs,
  showJob,
  claimJobs,
  renewJobs,
  completeJobs,
  ...endingOperations,
  ...approvalOperations,
  ...budgetOperations,
  summary,
  ...channelOperations,
  ...scheduleOperations,
  ...batchOperations,
  ...stepOperations,
};
