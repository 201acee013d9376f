// `quarterdeck version`.
import { z } from 'zod';
import { version } from '../../../platform/version.ts';
import { exitCodes } from '../exit-codes.ts';
import { localOperation } from '../local-operation.ts';

export const showVersion = localOperation({
  name: 'version',
  summary: 'The version of this program',
  input: z.strictObject({}),
  cli: { words: 'version', example: 'quarterdeck version' },
  async run(_input, output) {
    output.out(output.json ? JSON.stringify({ version, node: process.version }) : version);
    return exitCodes.ok;
  },
});
