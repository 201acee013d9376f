// `quarterdeck reference write|check`: the generated pages of docs/reference, and what is generated of the SDKs.
import { z } from 'zod';
import { exitCodes } from '../cli/exit-codes.ts';
import { localOperation } from '../cli/local-operation.ts';

const writeReference = localOperation({
  name: 'reference.write',
  summary: 'Write the generated pages and the methods of the SDKs',
  input: z.strictObject({}),
  cli: { words: 'reference write', example: 'quarterdeck reference write' },
  async run(_input, output) {
    const { writeGenerated } = await import('./reference.ts');
    for (const path of await writeGenerated()) output.say(`wrote ${path}`);
    return exitCodes.ok;
  },
});

const checkReference = localOperation({
  name: 'reference.check',
  summary: 'Fail when a generated file differs from the code',
  input: z.strictObject({}),
  cli: { words: 'reference check', example: 'quarterdeck reference check' },
  async run(_input, output) {
    const { staleGenerated } = await import('./reference.ts');
    const stale = await staleGenerated();
    for (const path of stale) output.say(`${path} is out of date: run \`quarterdeck reference write\``);
    return stale.length === 0 ? exitCodes.ok : exitCodes.failed;
  },
});

/** For whoever changes the program; the command line has them, the pages do not list them. */
export const referenceOperations = [writeReference, checkReference];
