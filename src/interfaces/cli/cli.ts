// The command line, made from the operations: their words, options and examples; plus what is local to this machine.
import { Command } from 'commander';
import { readConsole } from '../../domains/fleet/operations.ts';
import { live, verifyLog } from '../../domains/log/operations.ts';
import { allOperations } from '../../operations.ts';
import type { AnyOperation, CliWords } from '../../platform/operation.ts';
import { version } from '../../platform/version.ts';
import { referenceOperations } from '../reference/commands.ts';
import { callOperation, requestOf } from './client.ts';
import { coloursFor } from './colours.ts';
import { addCommand } from './command.ts';
import { COMPLETE } from './completion/scripts.ts';
import { findConnection } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure-report.ts';
import { followConsole, followEvents } from './follow.ts';
import { checkFields, type Rendered, render } from './formats.ts';
import { addGlobalOptions, type GlobalOptions, readGlobalOptions } from './global-options.ts';
import { idFields } from './id-fields.ts';
import { localOperations } from './local/index.ts';
import type { AnyLocalOperation, Output } from './local-operation.ts';
import { ConsoleText, escapeLines } from './plain-text.ts';
import { walkSeals } from './walk-seals.ts';

/** Runs one command; answers the exit code. */
export async function runCli(args: readonly string[]): Promise<number> {
  if (args[0] === COMPLETE) {
    const { complete } = await import('./completion/complete.ts');
    return complete(args.slice(1), (text) => process.stdout.write(text));
  }
  let exitCode: number = exitCodes.ok;
  const program = newProgram();
  for (const operation of [...localOperations, ...referenceOperations]) {
    addCommand(program, operation, async (input, options) => {
      exitCode = await runLocal(operation, input, readGlobalOptions(options, lookOf));
    });
  }
  for (const operation of allOperations) {
    const { cli } = operation;
    if ('none' in cli) continue;
    const command = addCommand(program, { ...operation, cli }, async (input, options) => {
      exitCode = await runRemote(operation, cli, input, readGlobalOptions(options, lookOf), options['follow'] === true);
    });
    if (operation.name === readConsole.name) command.option('-f, --follow', 'go on as more is printed');
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    return reportFailure(error, asksForJson(args));
  }
  return exitCode;
}

function newProgram(): Command {
  const program = new Command('quarterdeck')
    .description('The control plane for a fleet of AI agents.')
    .version(version, '-V, --version')
    .showHelpAfterError('(add --help for what there is)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => process.stdout.write(text),
      // What was typed is repeated in a refusal, and may be anything.
      writeErr: (text) => process.stderr.write(escapeLines(text)),
    });
  return addGlobalOptions(program);
}

function asksForJson(args: readonly string[]): boolean {
  return args.some(
    (arg, i) =>
      ['--json', '-ojson', '--output=json', '--output=ndjson'].includes(arg) ||
      (['-o', '--output'].includes(args[i - 1] ?? '') && ['json', 'ndjson'].includes(arg)),
  );
}

function lookOf(refused: boolean): Output['look'] {
  const { stdout, env } = process;
  return {
    // A terminal that does not know its size says 0.
    width: (stdout.isTTY && stdout.columns) || undefined,
    colours: coloursFor({ isTerminal: stdout.isTTY, env, refused }),
  };
}

async function runLocal(
  operation: AnyLocalOperation,
  input: Record<string, unknown>,
  options: GlobalOptions,
): Promise<number> {
  const complete = operation.input.parse({ ...input, ...globalFields(operation, options) });
  const { form } = options;
  if (form.fields === undefined && (form.format === 'table' || form.format === 'json')) {
    return operation.run(complete as never, plainOutput(form.format === 'json', options));
  }
  // A command that was asked for JSON prints documents; the other forms are made from them, in their order.
  let printed = Promise.resolve();
  const out = (text: string) => {
    printed = printed.then(() => printDocument(text, options));
  };
  const code = await operation.run(complete as never, { ...plainOutput(true, options), out });
  await printed;
  return code;
}

async function printDocument(text: string, { form }: GlobalOptions): Promise<void> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Lines of a log are no document.
    return print({ text: escapeLines(text) });
  }
  print(await render(value, form));
}

// Global options are fields of a local operation that takes them, like the data directory.
function globalFields(operation: AnyLocalOperation, options: GlobalOptions): Record<string, unknown> {
  const { data, url, timeout, context } = options;
  return Object.fromEntries(
    Object.entries({ data, url, timeout, context }).filter(
      ([field, value]) => field in operation.input.shape && value !== undefined,
    ),
  );
}

async function runRemote(
  operation: AnyOperation,
  cli: CliWords,
  input: Record<string, unknown>,
  { form, timeoutMs, url, context, data }: GlobalOptions,
  follow: boolean,
): Promise<number> {
  if (form.fields !== undefined) checkFields(form.fields, operation.output);
  // What cannot be asked for is refused before anybody is looked for who would answer.
  requestOf(operation, input);
  const connection = await findConnection({ url, context, data });
  if (operation.name === live.name) return followEvents(connection, input, form, print);
  if (operation.name === readConsole.name && follow) {
    return followConsole(connection, input, timeoutMs, (text) => process.stdout.write(text));
  }
  if (operation.name === verifyLog.name) {
    const say = (text: string) => process.stderr.isTTY && process.stderr.write(`${text}\n`);
    const verified = await walkSeals(connection, input, timeoutMs, say);
    print(await render(verified, form));
    if (verified.intact) return exitCodes.ok;
    process.stderr.write(`the log is not as it was sealed; what each kind means: docs/operations/retention.md\n`);
    return exitCodes.failed;
  }
  const answer = await callOperation(connection, operation, input, timeoutMs);
  if (operation.name === readConsole.name && form.format === 'table' && form.fields === undefined) {
    const text = new ConsoleText();
    print({ text: (text.push((answer as { text: string }).text) + text.end()).replace(/\n$/, '') });
    return exitCodes.ok;
  }
  print(await render(answer, form, { columns: cli.columns, ids: idFields(operation, allOperations) }));
  return exitCodes.ok;
}

function print({ text, note }: Rendered): void {
  // An empty list has no line, not an empty one.
  if (text !== '') process.stdout.write(`${text}\n`);
  if (note !== undefined) process.stderr.write(`${note}\n`);
}

function plainOutput(json: boolean, { look }: GlobalOptions): Output {
  return {
    json,
    look,
    out: (text) => process.stdout.write(`${text}\n`),
    say: (text) => process.stderr.write(`${escapeLines(text)}\n`),
  };
}
