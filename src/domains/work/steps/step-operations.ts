// What the outside may ask about the steps of a job: parts whose results outlive an attempt.
import { z } from 'zod';
import { page, pageLimit } from '../../../platform/fields.ts';
import { operation } from '../../../platform/operation.ts';

const jobId = z.string().max(64).describe('Like job_…');
const stepName = z.string().min(1).max(200).describe('The same for the same part in every attempt');

const step = z.object({
  step: z.string(),
  result: z.unknown(),
  attempt: z.int().describe('The attempt that gave it'),
  at: z.string(),
});

export const storeStep = operation({
  name: 'work.step.store',
  summary: 'Keep what a step of a held job gave; the first result stays and is answered',
  ability: 'work:claim',
  effect: 'write',
  method: 'PUT',
  path: '/v1/jobs/{job}/steps/{step}',
  input: z.strictObject({
    job: jobId,
    step: stepName,
    lease: z.string().min(1).max(100).describe('The fence that the claim gave; opaque'),
    result: z.unknown().optional().describe('JSON, at most 256 KiB; all of a job 8 MiB in 1,000 steps'),
  }),
  output: step.extend({ existing: z.boolean().describe('True when an earlier result stays') }),
  errors: [
    'work.job_not_found',
    'work.stale_lease',
    'work.too_many_steps',
    'work.step_too_large',
    'work.steps_too_large',
  ],
  next: { operation: 'work.step.list', input: { job: 'job' } },
  cli: {
    words: 'job step',
    positional: ['job', 'step'],
    example: 'quarterdeck job step job_0SjPq… fetched --lease 1.9f… --result \'{"rows":12}\'',
  },
  example: { job: 'job_0000000000000000000000', step: 'fetched', lease: '1.abc', result: { rows: 12 } },
});

export const listSteps = operation({
  name: 'work.step.list',
  summary: 'What the steps of a job gave so far, in the order of their names',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/jobs/{job}/steps',
  input: z.strictObject({ job: jobId, after: z.string().max(200).optional(), limit: pageLimit }),
  output: page(step),
  errors: ['work.job_not_found'],
  cli: {
    words: 'job steps',
    positional: ['job'],
    columns: ['step', 'attempt', 'at', 'result'],
    example: 'quarterdeck job steps job_0SjPq…',
  },
  example: { job: 'job_0000000000000000000000' },
});

export const stepOperations = { storeStep, listSteps };
