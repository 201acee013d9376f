// How a command that could not be done ends: the sentence and the next step on stderr, with --json the problem on stdout,
// and the exit code. What is not known here is a bug and goes on as it is.
import { CommanderError } from 'commander';
import { CliFailure } from './client.ts';
import { exitCodes } from './exit-codes.ts';
import { escapeControl, escapeLines } from './plain-text.ts';

const codeNames: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(exitCodes).map(([name, code]) => [
    code,
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  ]),
);

export function reportFailure(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) return ofCommander(error, json);
  if (!(error instanceof CliFailure)) throw error;
  const { message, hint, exitCode } = error;
  if (json) {
    const problem = error.problem ?? { code: codeNames[exitCode] ?? 'failed', detail: message, ...(hint && { hint }) };
    process.stdout.write(`${escapeControl(JSON.stringify(problem))}\n`);
  }
  process.stderr.write(`${escapeLines(message)}\n${hint === undefined ? '' : `${escapeLines(hint)}\n`}`);
  return exitCode;
}

// It has written its sentence already; `--help` and `--version` are its way to end, too.
function ofCommander(error: CommanderError, json: boolean): number {
  if (error.exitCode === 0) return exitCodes.ok;
  if (json) {
    const detail = error.message.replace(/^error: /, '');
    process.stdout.write(`${escapeControl(JSON.stringify({ code: 'usage', detail }))}\n`);
  }
  return exitCodes.usage;
}
