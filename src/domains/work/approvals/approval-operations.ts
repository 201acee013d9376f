// What the outside may ask about approvals, and how a job asks for one.
import { z } from 'zod';
import { jsonObject, page, pageLimit, slug } from '../../../platform/fields.ts';
import { operation } from '../../../platform/operation.ts';

export const approvalStates = ['pending', 'approved', 'rejected', 'expired', 'withdrawn'] as const;

const WEEK_SECONDS = 604_800;
const id = z.string().max(64).describe('Like apr_…');

/** How a job, or the worker that runs it, asks. */
export const approvalRequest = z.strictObject({
  summary: z.string().min(1).max(500).describe('What is to be decided, in a sentence'),
  details: jsonObject.optional().describe('What exactly would be done; at most 64 KiB'),
  expires_in_seconds: z
    .int()
    .min(1)
    .max(7_776_000)
    .default(WEEK_SECONDS)
    .describe('When nobody decides until then the job ends; default: a week'),
  deciders: z
    .array(z.string().min(1).max(63))
    .min(1)
    .max(20)
    .optional()
    .describe('Operators who may decide, by name; default: every one with the ability'),
});
export type ApprovalRequest = z.output<typeof approvalRequest>;

/** What the claim tells of a decision, once. */
export const givenApproval = z.object({
  id: z.string(),
  decision: z.literal('approve'),
  by: z.string(),
  note: z.string().nullable(),
  summary: z.string(),
  digest: z.string(),
});

const approval = z.object({
  id: z.string(),
  state: z.enum(approvalStates).describe('`withdrawn`: the job ended before anybody decided'),
  job: z.string(),
  kind: z.string(),
  queue: z.string(),
  tenant: z.string(),
  attempt: z.int().describe('The attempt that asked; 0: the job does not start before'),
  summary: z.string(),
  digest: z.string().describe('SHA-256 of what is decided on: kind, payload, summary, details'),
  deciders: z.array(z.string()).nullable(),
  asked_by: z.string(),
  asked_at: z.string(),
  expires_at: z.string(),
  decided_at: z.string().nullable(),
  decided_by: z.string().nullable(),
  note: z.string().nullable(),
  used_at: z.string().nullable().describe('When a worker was told of it; no second attempt is'),
});
export type ApprovalItem = z.output<typeof approval>;

const fullApproval = approval.extend({
  details: jsonObject.nullable(),
  payload: jsonObject.nullable().describe('Of the job; null when the job is no longer kept'),
});
export type FullApproval = z.output<typeof fullApproval>;

export const listApprovals = operation({
  name: 'work.approval.list',
  summary: 'What jobs ask or asked operators to decide, newest first',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/approvals',
  input: z.strictObject({
    state: z.enum(approvalStates).optional(),
    job: z.string().max(64).optional(),
    tenant: slug.optional(),
    after: z.string().max(128).optional(),
    limit: pageLimit,
  }),
  output: page(approval),
  errors: ['access.tenant_not_found'],
  cli: {
    words: 'approval list',
    columns: ['id', 'state', 'summary', 'kind', 'job', 'asked_by', 'expires_at', 'decided_by'],
    example: 'quarterdeck approval list --state pending',
  },
});

export const showApproval = operation({
  name: 'work.approval.show',
  summary: 'One approval with all that is decided on',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/approvals/{approval}',
  input: z.strictObject({ approval: id }),
  output: fullApproval,
  errors: ['work.approval_not_found'],
  next: { operation: 'work.job.show', input: { job: 'job' } },
  cli: { words: 'approval show', positional: ['approval'], example: 'quarterdeck approval show apr_0SjPq…' },
  example: { approval: 'apr_0000000000000000000000' },
});

export const decideApproval = operation({
  name: 'work.approval.decide',
  summary: 'Let a waiting job go on, or end it; decided once',
  ability: 'work:approve',
  effect: 'destroy',
  method: 'PUT',
  path: '/v1/approvals/{approval}/decision',
  input: z.strictObject({
    approval: id,
    decision: z.enum(['approve', 'reject']),
    note: z.string().min(1).max(2000).optional().describe('Kept, and told to the worker'),
    digest: z
      .string()
      .length(64)
      .optional()
      .describe('As it was shown: refused when it is not what the decision would be about'),
  }),
  output: approval,
  errors: [
    'work.approval_not_found',
    'work.approval_decided',
    'work.approval_expired',
    'work.approval_withdrawn',
    'work.digest_mismatch',
    'work.operators_only',
    'work.not_a_decider',
  ],
  next: { operation: 'work.job.show', input: { job: 'job' } },
  noMcp: 'a person decides, not a model',
  cli: {
    words: 'approval decide',
    positional: ['approval', 'decision'],
    example: 'quarterdeck approval decide apr_0SjPq… approve --note "only this once"',
  },
  example: { approval: 'apr_0000000000000000000000', decision: 'approve' },
});

export const approvalOperations = { listApprovals, showApproval, decideApproval };
