// `quarterdeck top`. How it is done is in ../top, loaded only then.
import { z } from 'zod';
import { findConnection } from '../connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { localOperation } from '../local-operation.ts';

export const top = localOperation({
  name: 'top',
  summary: 'The fleet, live in this terminal: agents, queues, what needs you, newest events',
  input: z.strictObject({
    once: z.boolean().default(false).describe('Print one picture and end, as it does without a terminal'),
    url: z.string().min(1).optional().describe('Address of the server (QUARTERDECK_URL)'),
    context: z.string().min(1).optional().describe('A server that was named with `context add`'),
    data: z.string().min(1).optional().describe('Data directory of the installation (QUARTERDECK_DATA)'),
    timeout: z.coerce.number().positive().default(10).describe('Longest wait for an answer, in seconds'),
  }),
  cli: { words: 'top', example: 'quarterdeck top' },
  async run({ once, timeout, ...place }, output) {
    const { loadPicture, runTop } = await import('../top/run.ts');
    const options = {
      connection: await findConnection(place),
      timeoutMs: timeout * 1000,
      colours: output.look.colours,
    };
    if (process.stdout.isTTY && !once && !output.json) return runTop(options);
    const picture = await loadPicture(options);
    const { facts, events } = picture;
    if (output.json) output.out(JSON.stringify({ ...facts, events: events?.slice(0, 10) ?? null }));
    else {
      const { draw } = await import('../top/view.ts');
      const lines = draw(picture, { width: output.look.width, height: undefined }, options.colours);
      output.out(lines.join('\n'));
    }
    return exitCodes.ok;
  },
});
