// `quarterdeck job work`: any command as a worker. How it is done is in job-work/, loaded only then.
import { z } from 'zod';
import { settings } from '../../../config/settings.ts';
import { slug } from '../../../platform/fields.ts';
import { localOperation } from '../local-operation.ts';

const seconds = z.coerce
  .number()
  .min(0)
  .max(86_400 * 7);

export const jobWork = localOperation({
  name: 'job.work',
  summary:
    'Work on jobs with a command: payload on stdin, result from the last line of stdout, exit code 0, 75 or other',
  input: z.strictObject({
    exec: z
      .string()
      .min(1)
      .describe(
        'Run by /bin/sh for each job, with its JSON payload on stdin and QUARTERDECK_JOB, …_KIND, …_ATTEMPT, …_TENANT, …_TOKEN around it; 0: done, 75: try again later, others: failed for good',
      ),
    queues: z
      .array(slug)
      .max(50)
      .default([])
      .describe('Where to take jobs from; those named like the kinds when absent'),
    kinds: z
      .array(slug)
      .max(50)
      .default([])
      .describe('Kinds that the command understands, others are failed; all when absent'),
    concurrency: z.int().min(1).max(500).default(1).describe('Commands at once'),
    lease_seconds: z.int().min(5).max(3600).default(60).describe('How long a job stays ours when this process dies'),
    stall_seconds: seconds.default(3600).describe('How long a command may run without printing anything'),
    stop_seconds: seconds.default(4).describe('How long commands may go on once this is told to stop'),
    outbox: z.string().min(1).optional().describe('A file in which outcomes wait until the server has heard them'),
    data: settings.data.schema.optional(),
    url: z.string().min(1).optional().describe('Address of the server (QUARTERDECK_URL)'),
    context: z.string().min(1).optional().describe('A server that was named with `context add`'),
  }),
  cli: {
    words: 'job work',
    example: "quarterdeck job work --queues thumbnails --exec './thumbnail.sh' --concurrency 2",
  },
  async run(input, output) {
    const { workWithCommand } = await import('./job-work/run.ts');
    return workWithCommand(input, output);
  },
});
