// `quarterdeck reference write|check`: the generated pages below docs/reference.
import { z } from 'zod';
import { exitCodes } from '../cli/exit-codes.ts';
import { localOperation } from '../cli/local-operation.ts';

const writeReference = localOperation({
  name: 'reference.write',
  summary: 'Write the generated pages of docs/reference',
  input: z.strictObject({}),
  cli: { words: 'reference write', example: 'quarterdeck reference write' },
  async run(_input, output) {
    const { writePages } = await import('./reference.ts');
    for (const path of await writePages()) output.say(`wrote ${path}`);
    return exitCodes.ok;
  },
});

const checkReference = localOperation({
  name: 'reference.check',
  summary: 'Fail when a generated page differs from the code',
  input: z.strictObject({}),
  cli: { words: 'reference check', example: 'quarterdeck reference check' },
  async run(_input, output) {
    const { stalePages } = await import('./reference.ts');
    const stale = await stalePages();
    for (const path of stale) output.say(`${path} is out of date: run \`quarterdeck reference write\``);
    return stale.length === 0 ? exitCodes.ok : exitCodes.failed;
  },
});

/** For whoever changes the program; the command line has them, the pages do not list them. */
export const referenceOperations = [writeReference, checkReference];
