// Where a hook will report to: found as for any other command, and kept so that the hook finds it without asking.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { connectionOf, type Target } from '../../../hooks/state.ts';
import { CliFailure } from '../../client.ts';
import { type ConnectionFlags, findConnection } from '../../connection.ts';
import { exitCodes } from '../../exit-codes.ts';
import { findDataDir } from '../place.ts';

export interface TargetInput extends ConnectionFlags {
  readonly config?: string | undefined;
}

/** Throws CliFailure when there is no server to report to, or no token for it. It need not answer now. */
export async function findHookTarget(input: TargetInput): Promise<{ readonly target: Target; readonly words: string }> {
  const { dataDir } = await findDataDir({ data: input.data, config: input.config });
  const local = { target: { data: dataDir }, words: `the installation in ${dataDir}` };
  try {
    const { url, token } = await findConnection(input);
    const own = connectionOf(local.target);
    // Its port and its token may be others tomorrow.
    if (own !== undefined && own.url === url && own.token === token) return local;
    if (token !== undefined) return { target: { url, token }, words: url };
    throw new CliFailure(
      `there is no token for ${url}`,
      exitCodes.usage,
      'Set QUARTERDECK_TOKEN to the token of an agent that may append events.',
    );
  } catch (error) {
    // Stopped for now, it is still the one that is meant.
    const isStopped = error instanceof CliFailure && error.exitCode === exitCodes.unreachable;
    if (isStopped && existsSync(join(dataDir, 'operator.token'))) return local;
    throw error;
  }
}
