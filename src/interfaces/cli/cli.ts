// The command line, made from the operations: their words, options and examples; plus what is local to this machine.
import { Command, CommanderError } from 'commander';
import type { z } from 'zod';
import { settings } from '../../config/settings.ts';
import { readConsole } from '../../domains/fleet/operations.ts';
import { live } from '../../domains/log/operations.ts';
import { allOperations } from '../../operations.ts';
import { fieldKind, fromText } from '../../platform/field-text.ts';
import type { AnyOperation, CliWords } from '../../platform/operation.ts';
import { version } from '../../platform/version.ts';
import { referenceOperations } from '../reference/commands.ts';
import { CliFailure, callOperation, findConnection } from './client.ts';
import { exitCodes } from './exit-codes.ts';
import { followConsole, followEvents } from './follow.ts';
import { localOperations } from './local/index.ts';
import type { AnyLocalOperation, Output } from './local-operation.ts';
import { fields, table } from './show.ts';

interface GlobalOptions {
  readonly json?: boolean;
  readonly url?: string;
  readonly data?: string;
  readonly timeout?: string;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** Runs one command; answers the exit code. */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = new Command('quarterdeck')
    .description('The control plane for a fleet of AI agents.')
    .version(version, '-V, --version')
    .option('--json', 'one JSON document on stdout')
    .option('--url <url>', 'address of the server (QUARTERDECK_URL)')
    .option('--data <dir>', 'data directory of the installation (QUARTERDECK_DATA)')
    .option('--timeout <seconds>', 'longest wait for an answer')
    .showHelpAfterError('(add --help for what it takes)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => process.stdout.write(text),
      writeErr: (text) => process.stderr.write(text),
    });

  const done = (code: number) => {
    exitCode = code;
  };
  for (const operation of [...localOperations, ...referenceOperations]) {
    addCommand(program, operation, async (input, global) => done(await runLocal(operation, input, global)));
  }
  for (const operation of allOperations) {
    const { cli } = operation;
    if ('none' in cli) continue;
    const command = addCommand(program, { ...operation, cli }, async (input, global, follow) => {
      await runRemote(operation, cli, input, global, follow);
    });
    if (operation.name === readConsole.name) command.option('-f, --follow', 'go on as more is printed');
  }

  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    return report(error, args.includes('--json'));
  }
  return exitCode;
}

function addCommand(
  program: Command,
  operation: { readonly summary: string; readonly input: z.ZodObject; readonly cli: CliWords },
  run: (input: Record<string, unknown>, global: GlobalOptions, follow: boolean) => Promise<void>,
): Command {
  const { words, positional = [], aliases = [], example } = operation.cli;
  const shape = operation.input.shape as Record<string, z.ZodType>;
  const command = commandAt(program, words).description(operation.summary);
  for (const alias of aliases) command.alias(alias.split(' ').at(-1)!);
  command.addHelpText('before', `${example}\n`);
  for (const field of positional) {
    const optional = shape[field]!.safeParse(undefined).success;
    command.argument(optional ? `[${field}]` : `<${field}>`, shape[field]!.description);
  }
  for (const [field, schema] of Object.entries(shape)) {
    if (positional.includes(field)) continue;
    const flag = `${field === 'follow' ? '-f, ' : ''}--${field.replaceAll('_', '-')}`;
    const kind = fieldKind(schema);
    const value = kind === 'boolean' ? '' : ` <${kind === 'string' ? 'text' : kind}>`;
    command.option(`${flag}${value}`, schema.description ?? '');
  }
  command.action(async (...parameters: unknown[]) => {
    const self = parameters.at(-1) as Command;
    const given = self.opts() as Record<string, unknown>;
    const input: Record<string, unknown> = {};
    for (const [i, field] of positional.entries()) put(input, field, shape[field]!, parameters[i]);
    for (const [field, schema] of Object.entries(shape)) {
      if (!positional.includes(field)) put(input, field, schema, given[camelCase(field)]);
    }
    const parsed = operation.input.safeParse(input);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      throw new CliFailure(`${issue.path.join('.')}: ${issue.message}`, exitCodes.usage, `Example: ${example}`);
    }
    await run(input, self.optsWithGlobals(), given['follow'] === true);
  });
  return command;
}

// Makes `agent` and below it `pause` for the words "agent pause".
function commandAt(program: Command, words: string): Command {
  return words.split(' ').reduce((parent, word) => {
    const existing = parent.commands.find((command) => command.name() === word);
    return existing ?? parent.command(word).showHelpAfterError('(add --help for what it takes)');
  }, program);
}

function put(input: Record<string, unknown>, field: string, schema: z.ZodType, value: unknown): void {
  if (value === undefined) return;
  const kind = fieldKind(schema);
  const isJson = typeof value === 'string' && (kind === 'json' || (kind === 'array' && value.startsWith('[')));
  if (!isJson) {
    input[field] = typeof value === 'string' ? fromText(schema, value) : value;
    return;
  }
  try {
    input[field] = JSON.parse(value);
  } catch {
    throw new CliFailure(`--${field} is not valid JSON`, exitCodes.usage, 'Quote it for the shell: \'{"a":1}\'');
  }
}

async function runLocal(
  operation: AnyLocalOperation,
  input: Record<string, unknown>,
  global: GlobalOptions,
): Promise<number> {
  const complete = operation.input.parse({ ...input, ...globalFields(operation, global) });
  return operation.run(complete as never, outputFor(global));
}

// Global options are fields of a local operation that takes them, like the data directory.
function globalFields(operation: AnyLocalOperation, global: GlobalOptions): Record<string, unknown> {
  const { data, url, timeout } = global;
  return Object.fromEntries(
    Object.entries({ data, url, timeout }).filter(
      ([field, value]) => field in operation.input.shape && value !== undefined,
    ),
  );
}

async function runRemote(
  operation: AnyOperation,
  cli: CliWords,
  input: Record<string, unknown>,
  global: GlobalOptions,
  follow: boolean,
): Promise<void> {
  const timeoutMs = global.timeout === undefined ? DEFAULT_TIMEOUT_MS : Number(global.timeout) * 1000;
  if (!(timeoutMs > 0)) throw new CliFailure('--timeout is not a number of seconds', exitCodes.usage);
  const data = global.data ?? process.env['QUARTERDECK_DATA'] ?? fallbackDataDir();
  const connection = await findConnection({ url: global.url, data, timeoutMs });
  const output = outputFor(global);
  if (operation.name === live.name) return followEvents(connection, input, output);
  if (operation.name === readConsole.name && follow) {
    return followConsole(connection, input, timeoutMs, (text) => process.stdout.write(text));
  }
  const answer = await callOperation(connection, operation, input, timeoutMs);
  output.out(global.json === true ? JSON.stringify(answer) : pretty(answer, operation, cli));
}

function pretty(answer: unknown, operation: AnyOperation, cli: CliWords): string {
  if (operation.name === readConsole.name) return (answer as { text: string }).text.replace(/\n$/, '');
  const { items } = answer as { items?: Record<string, unknown>[] };
  if (items === undefined || cli.columns === undefined) return fields(answer);
  return items.length === 0 ? 'nothing' : table(items, cli.columns);
}

function outputFor(global: GlobalOptions): Output {
  return {
    json: global.json === true,
    out: (text) => process.stdout.write(`${text}\n`),
    say: (text) => process.stderr.write(`${text}\n`),
  };
}

function report(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (!(error instanceof CliFailure)) throw error;
  if (json && error.problem !== undefined) process.stdout.write(`${JSON.stringify(error.problem)}\n`);
  process.stderr.write(`${error.message}\n${error.hint === undefined ? '' : `${error.hint}\n`}`);
  return error.exitCode;
}

function camelCase(field: string): string {
  return field.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function fallbackDataDir(): string {
  return settings.data.fallback?.() ?? '.';
}
