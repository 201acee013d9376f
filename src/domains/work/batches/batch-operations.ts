// What the outside may ask about batches: jobs that are waited for together.
import { z } from 'zod';
import { page, pageLimit, slug } from '../../../platform/fields.ts';
import { operation } from '../../../platform/operation.ts';
import { afterJob, newJob } from '../new-job.ts';

export const batchStates = ['open', 'closed', 'stopping', 'done', 'failed', 'cancelled'] as const;

export const batchId = z.string().max(64).describe('Like bat_…');
const address = z.strictObject({ batch: batchId });
const reason = z.string().min(1).max(500).optional().describe('Kept with the batch and its jobs, and in the event');

const batch = z.object({
  batch: z.string(),
  name: z.string().nullable(),
  tenant: z.string(),
  parent: z.string().nullable(),
  state: z.enum(batchStates).describe('`stopping`: what has not ended is being cancelled'),
  on_failure: z.enum(['continue', 'cancel_rest']),
  total: z.int().describe('Children so far: jobs, and batches within it'),
  done: z.int(),
  dead: z.int(),
  cancelled: z.int(),
  on_done: z.object({ kind: z.string() }).loose().nullable().describe('What is added when all has ended'),
  on_done_job: z.string().nullable(),
  created_at: z.string(),
  created_by: z.string(),
  cancelled_by: z.string().nullable(),
  reason: z.string().nullable(),
  ended_at: z.string().nullable(),
  version: z.int(),
});
export type BatchItem = z.output<typeof batch>;

const added = batch.extend({
  jobs: z.array(z.object({ id: z.string(), state: z.string(), existing: z.boolean() })),
});
const addingErrors = [
  'work.payload_too_large',
  'work.channel_not_found',
  'work.cost_above_limit',
  'work.key_taken',
  'work.batch_not_found',
  'work.batch_closed',
] as const;

export const createBatch = operation({
  name: 'work.batch.create',
  summary: 'Add jobs that are waited for together, and say what comes after them',
  ability: 'work:enqueue',
  effect: 'write',
  method: 'POST',
  path: '/v1/batches',
  status: 201,
  bodyLimit: 16 * 1024 * 1024,
  input: z.strictObject({
    name: z.string().min(1).max(200).optional(),
    jobs: z.array(newJob).max(1000).default([]).describe('Its first children'),
    on_done: afterJob
      .optional()
      .describe('A job that is added once, in the moment in which all has ended; its payload says so as `batch`'),
    on_failure: z
      .enum(['continue', 'cancel_rest'])
      .default('continue')
      .describe('When a child is dead: let the others go on, or cancel them'),
    open: z.boolean().default(false).describe('More children are to come: it does not end before it is closed'),
    parent: batchId.optional().describe('An open batch of which this one is to be a child'),
    tenant: slug.optional().describe('Fleet credentials only; default: that of the parent, or `default`'),
  }),
  output: added,
  errors: ['access.tenant_not_found', ...addingErrors, 'work.batch_too_deep'],
  next: { operation: 'work.batch.show', input: { batch: 'batch' } },
  cli: {
    words: 'batch create',
    example: 'quarterdeck batch create --name april --jobs \'[{"kind":"reprice"}]\' --on-done \'{"kind":"report"}\'',
  },
  example: { name: 'april', jobs: [{ kind: 'reprice', payload: { sku: 'A1' } }], on_done: { kind: 'report' } },
});

export const addToBatch = operation({
  name: 'work.batch.add',
  summary: 'Add jobs to an open batch',
  ability: 'work:enqueue',
  effect: 'write',
  method: 'POST',
  path: '/v1/batches/{batch}/jobs',
  status: 201,
  bodyLimit: 16 * 1024 * 1024,
  input: address.extend({ jobs: z.array(newJob).min(1).max(1000) }),
  output: added,
  errors: addingErrors,
  next: { operation: 'work.batch.show', input: { batch: 'batch' } },
  cli: {
    words: 'batch add',
    positional: ['batch'],
    example: 'quarterdeck batch add bat_0SjPq… --jobs \'[{"kind":"reprice"}]\'',
  },
  example: { batch: 'bat_0000000000000000000000', jobs: [{ kind: 'reprice' }] },
});

export const closeBatch = operation({
  name: 'work.batch.close',
  summary: 'Let an open batch take no more children, so that it ends with the last of them',
  ability: 'work:enqueue',
  effect: 'write',
  method: 'PUT',
  path: '/v1/batches/{batch}/closed',
  input: address,
  output: batch,
  errors: ['work.batch_not_found'],
  next: { operation: 'work.batch.show', input: { batch: 'batch' } },
  cli: { words: 'batch close', positional: ['batch'], example: 'quarterdeck batch close bat_0SjPq…' },
  example: { batch: 'bat_0000000000000000000000' },
});

export const cancelBatch = operation({
  name: 'work.batch.cancel',
  summary: 'Cancel what has not ended of a batch; what was to come after it is not added',
  ability: 'work:write',
  effect: 'destroy',
  method: 'PUT',
  path: '/v1/batches/{batch}/cancelled',
  input: address.extend({ reason }),
  output: batch,
  errors: ['work.batch_not_found', 'work.batch_ended'],
  next: { operation: 'work.batch.show', input: { batch: 'batch' } },
  cli: {
    words: 'batch cancel',
    positional: ['batch'],
    example: 'quarterdeck batch cancel bat_0SjPq… --reason "wrong prices"',
  },
  example: { batch: 'bat_0000000000000000000000', reason: 'wrong prices' },
});

export const showBatch = operation({
  name: 'work.batch.show',
  summary: 'One batch: how many of its children have ended, and how',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/batches/{batch}',
  input: address,
  output: batch,
  errors: ['work.batch_not_found'],
  next: { operation: 'work.job.list', input: { batch: 'batch' } },
  cli: { words: 'batch show', positional: ['batch'], example: 'quarterdeck batch show bat_0SjPq…' },
  example: { batch: 'bat_0000000000000000000000' },
});

export const listBatches = operation({
  name: 'work.batch.list',
  summary: 'Batches, newest first',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/batches',
  input: z.strictObject({
    state: z.enum(batchStates).optional(),
    parent: batchId.optional().describe('Only batches within this one'),
    tenant: slug.optional(),
    after: z.string().max(128).optional(),
    limit: pageLimit,
  }),
  output: page(batch),
  errors: ['access.tenant_not_found'],
  cli: {
    words: 'batch list',
    columns: ['batch', 'name', 'tenant', 'state', 'total', 'done', 'dead', 'cancelled', 'created_at'],
    example: 'quarterdeck batch list --state open',
  },
});

export const batchOperations = { createBatch, addToBatch, closeBatch, cancelBatch, showBatch, listBatches };
