// `quarterdeck up`: what it takes. How it is done is in start.ts, loaded only then.
import { z } from 'zod';
import { settingFlags } from '../../../config/settings.ts';
import { roleNames } from '../../../roles/role-file.ts';
import { localOperation } from '../local-operation.ts';

const roleList = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(z.array(z.enum(roleNames, `some of ${roleNames.join(',')}`)).min(1));

const input = z.strictObject({
  ...settingFlags,
  config: z.string().min(1).optional().describe('The manifest; without it ./quarterdeck.yaml, when it is there'),
  only: roleList.optional().describe(`Only these parts, with commas between: ${roleNames.join(', ')}`),
  example: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'the name of an example')
    .optional()
    .describe('Adds an example fleet that runs offline, like `harbour`'),
  replace: z
    .boolean()
    .default(false)
    .describe('Takes the place of the Quarterdeck that runs from this directory; its agents go on'),
  upgrade_without_copy: z
    .boolean()
    .default(false)
    .describe('Lets a newer version change the database without a copy made before, so without a way back'),
  detach: z.boolean().default(false).describe('Comes back when it is ready and leaves it running'),
});

export type UpInput = z.output<typeof input>;

export const up = localOperation({
  name: 'up',
  summary: 'Start Quarterdeck on this machine and keep it running',
  input,
  cli: { words: 'up', example: 'quarterdeck up' },
  async run(given, output) {
    const { start } = await import('./start.ts');
    return start(given, output);
  },
});
