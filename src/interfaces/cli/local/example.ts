// `quarterdeck example list|add|remove`. How it is done is in example-changes.ts, loaded only then.
import { z } from 'zod';
import { exitCodes } from '../exit-codes.ts';
import { localOperation } from '../local-operation.ts';
import { table } from '../show.ts';
import { findDataDir, placeInput } from './place.ts';

export const exampleName = z.string().regex(/^[a-z][a-z0-9-]*$/, 'the name of an example');

const input = z.strictObject({ example: exampleName, ...placeInput });

export const listExamples = localOperation({
  name: 'example.list',
  summary: 'The example fleets that come with Quarterdeck, and which of them are here',
  input: z.strictObject(placeInput),
  cli: { words: 'example list', example: 'quarterdeck example list' },
  async run(place, output) {
    const { placedExamples } = await import('../../../roles/keeper/examples.ts');
    const { shippedExamples } = await import('./examples.ts');
    const { dataDir } = await findDataDir(place);
    const here = placedExamples(dataDir);
    const items = shippedExamples().map((example) => ({ example, here: here.includes(example) }));
    if (output.json) output.out(JSON.stringify({ items, data_dir: dataDir }));
    else output.out(table(items, ['example', 'here']));
    return exitCodes.ok;
  },
});

export const addExample = localOperation({
  name: 'example.add',
  summary: 'Add an example fleet; in a running installation it starts at once',
  input,
  cli: { words: 'example add', positional: ['example'], example: 'quarterdeck example add harbour' },
  async run(given, output) {
    const { add } = await import('./example-changes.ts');
    return add(given, output);
  },
});

export const removeExample = localOperation({
  name: 'example.remove',
  summary: 'Remove an example fleet with its agents, their processes and all their files',
  input,
  cli: { words: 'example remove', positional: ['example'], example: 'quarterdeck example remove harbour' },
  async run(given, output) {
    const { remove } = await import('./example-changes.ts');
    return remove(given, output);
  },
});
