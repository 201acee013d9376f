// What the end of a command says about its job.
import type { Ran } from './command.ts';

export type CommandEnd =
  | { readonly is: 'done'; readonly result: unknown }
  /** `again`: another try may help. */
  | { readonly is: 'failed'; readonly again: boolean; readonly error: string };

/** EX_TEMPFAIL of sysexits.h. */
const TRY_LATER = 75;
const TEXT_KEPT = 32_000;

export function endOf(ran: Ran): CommandEnd {
  if (ran.code === 0) return { is: 'done', result: resultOf(ran.stdout) };
  const how = ran.code === null ? `ended by ${ran.signal}` : `ended with exit code ${ran.code}`;
  const said = ran.stderr.trim();
  // Whom a signal ended did not judge the job.
  const again = ran.code === null || ran.code === TRY_LATER;
  return { is: 'failed', again, error: said === '' ? `the command ${how}` : `the command ${how}: ${said}` };
}

/** The last line when it is JSON, or else all of the text, of which the end is kept; null when nothing was printed. */
function resultOf(stdout: string): unknown {
  const text = stdout.trim();
  if (text === '') return null;
  const line = text.slice(text.lastIndexOf('\n') + 1);
  try {
    return JSON.parse(line);
  } catch {
    return text.slice(-TEXT_KEPT);
  }
}
