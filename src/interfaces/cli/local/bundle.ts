// `quarterdeck bundle`: what somebody else needs to understand a fault, in one file without secrets. How it is collected is
// in bundle/, loaded only then.
import { z } from 'zod';
import { localOperation } from '../local-operation.ts';
import { placeInput } from './place.ts';

export const makeBundle = localOperation({
  name: 'bundle',
  summary: 'Collect what a bug report needs into one file, without secrets and payloads; also when nothing runs',
  input: z.strictObject({
    file: z.string().min(1).optional().describe('The archive to make (.tar.gz); named by the time when absent'),
    list: z.boolean().default(false).describe('Only says what would be in it'),
    ...placeInput,
  }),
  cli: { words: 'bundle', positional: ['file'], example: 'quarterdeck bundle report.tar.gz' },
  async run(input, output) {
    const { writeBundle } = await import('./bundle/write.ts');
    return writeBundle(input, output);
  },
});
