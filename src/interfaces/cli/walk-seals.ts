// `quarterdeck log verify`: asks from page to page until every seal was looked at, and makes one answer of it.
import { verifyLog } from '../../domains/log/operations.ts';
import type { OutputOf } from '../../platform/operation.ts';
import { type Connection, callOperation } from './client.ts';

type Verified = OutputOf<typeof verifyLog>;

/** Whoever sees so many needs no more of them to act. */
const MOST_PROBLEMS = 1_000;

/** `say` is told how far it is, for people. */
export async function walkSeals(
  connection: Connection,
  input: Readonly<Record<string, unknown>>,
  timeoutMs: number,
  say: (progress: string) => void,
): Promise<Verified> {
  let sum: Verified | undefined;
  for (let after = input['after']; ; after = sum.next_after) {
    const asked = { ...input, ...(after === undefined ? {} : { after }) };
    const page = (await callOperation(connection, verifyLog, asked, timeoutMs)) as Verified;
    sum = sum === undefined ? page : together(sum, page);
    if (sum.next_after === null || sum.problems.length >= MOST_PROBLEMS) return sum;
    say(`${sum.seals} seals, ${sum.rows} events, ${sum.problems.length} problems`);
  }
}

function together(before: Verified, page: Verified): Verified {
  return {
    ...page,
    intact: before.intact && page.intact,
    seals: before.seals + page.seals,
    rows: before.rows + page.rows,
    problems: [...before.problems, ...page.problems],
    last_seal: page.last_seal ?? before.last_seal,
  };
}
