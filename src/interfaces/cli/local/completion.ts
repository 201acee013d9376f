// `quarterdeck completion bash|zsh|fish`: prints what the shell is to read.
import { z } from 'zod';
import { completionScripts, shells } from '../completion/scripts.ts';
import { exitCodes } from '../exit-codes.ts';
import { localOperation } from '../local-operation.ts';

export const completion = localOperation({
  name: 'completion',
  summary: 'Print the completion for a shell: commands, options, and names that the server knows',
  input: z.strictObject({ shell: z.enum(shells, `one of ${shells.join(', ')}`).describe(shells.join(', ')) }),
  cli: { words: 'completion', positional: ['shell'], example: 'quarterdeck completion bash' },
  async run({ shell }, output) {
    const script = completionScripts[shell];
    output.out(output.json ? JSON.stringify({ shell, script }) : script.trimEnd());
    return exitCodes.ok;
  },
});
