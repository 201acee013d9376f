// `quarterdeck status`: the parts on this machine. How the fleet is, `fleet status` says.
import { z } from 'zod';
import type { PartStatus } from '../../../roles/keeper/survey.ts';
import { exitCodes } from '../exit-codes.ts';
import { localOperation, type Output } from '../local-operation.ts';
import { table } from '../show.ts';
import { findDataDir, placeInput } from './place.ts';

export const status = localOperation({
  name: 'status',
  summary: 'Which parts run on this machine, and whether they answer',
  input: z.strictObject(placeInput),
  cli: { words: 'status', example: 'quarterdeck status' },
  async run(input, output) {
    const { dataDir, exists } = await findDataDir(input);
    const { survey } = await import('../../../roles/keeper/survey.ts');
    const parts = exists ? await survey(dataDir) : [];
    show(parts, dataDir, output);
    return parts.length === 0 ? exitCodes.unreachable : exitCodes.ok;
  },
});

function show(parts: readonly PartStatus[], dataDir: string, output: Output): void {
  if (output.json) output.out(JSON.stringify({ data_dir: dataDir, running: parts.length > 0, parts }));
  else if (parts.length === 0) output.say(`nothing runs from ${dataDir}; start it with \`quarterdeck up\``);
  else
    output.out(
      table(
        parts as unknown as Record<string, unknown>[],
        ['part', 'pid', 'ready', 'port', 'since', 'note'],
        output.look,
      ),
    );
}
