// Whether a server knows a token, asked before it is kept: a slip is cured more easily now than in the middle of work.
import { me } from '../../../domains/access/operations.ts';
import { CliFailure, type Connection, callOperation } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';

const LIMIT_MS = 5_000;

/** Throws CliFailure when it refuses the token. One that is away says nothing about it. */
export async function tryToken(
  connection: Connection,
): Promise<{ readonly answers: boolean; readonly as: string | null }> {
  try {
    const answer = (await callOperation(connection, me, {}, LIMIT_MS)) as { name: string; tenant: string };
    return { answers: true, as: `${answer.name} of ${answer.tenant}` };
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    if (error.exitCode === exitCodes.unreachable || error.exitCode === exitCodes.timedOut) {
      return { answers: false, as: null };
    }
    // Without a token nothing is refused that could be wrong.
    if (connection.token === undefined && error.exitCode === exitCodes.denied) return { answers: true, as: null };
    throw error;
  }
}
