// `quarterdeck down`.
import { z } from 'zod';
import { CliFailure } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import { localOperation } from '../local-operation.ts';
import { findDataDir, placeInput } from './place.ts';

export const down = localOperation({
  name: 'down',
  summary: 'Stop Quarterdeck on this machine: agents first, the database last',
  input: z.strictObject(placeInput),
  cli: { words: 'down', example: 'quarterdeck down' },
  async run(input, output) {
    const { dataDir, exists } = await findDataDir(input);
    const stopped = exists ? await stopAll(dataDir) : [];
    if (output.json) output.out(JSON.stringify({ stopped, data_dir: dataDir }));
    else output.say(stopped.length === 0 ? 'nothing was running' : `stopped: ${stopped.join(', ')}`);
    return exitCodes.ok;
  },
});

async function stopAll(dataDir: string): Promise<string[]> {
  const { RunsElsewhere, takeDown } = await import('../../../roles/keeper/take-down.ts');
  const { refusalOf } = await import('./refusals.ts');
  try {
    return await takeDown(dataDir);
  } catch (error) {
    if (error instanceof RunsElsewhere) {
      throw new CliFailure(error.message, exitCodes.failed, 'Stop it there.', {
        code: error.code,
        detail: error.message,
      });
    }
    throw refusalOf(error);
  }
}
