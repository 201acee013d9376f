// One command of the command line, made from an operation: its words, arguments and options, and how what was typed
// becomes the operation's input.
import type { Command } from 'commander';
import type { z } from 'zod';
import { fieldKind, fromText } from '../../platform/field-text.ts';
import { CliFailure } from './client.ts';
import { exitCodes } from './exit-codes.ts';
import type { LocalWords } from './local-operation.ts';
import { suggestion } from './nearest.ts';
import { escapeControl } from './plain-text.ts';

export interface CommandSource {
  readonly summary: string;
  readonly input: z.ZodObject;
  readonly cli: LocalWords;
}

export type Run = (input: Record<string, unknown>, options: Record<string, unknown>) => Promise<void>;

type Shape = Readonly<Record<string, z.ZodType>>;

export function addCommand(program: Command, source: CommandSource, run: Run): Command {
  const { words, positional = [], aliases = [], short = {}, repeated = [], example } = source.cli;
  const shape = source.input.shape as Shape;
  const command = commandAt(program, words)
    .description(source.summary)
    .addHelpText('before', `${example}\n`)
    .showHelpAfterError(`Example: ${example}\n(add --help for what it takes)`);
  for (const alias of aliases) {
    if (groupOf(alias) === groupOf(words)) command.alias(alias.split(' ').at(-1)!);
    else addCommand(program, { ...source, cli: { ...source.cli, words: alias, aliases: [] } }, run);
  }
  for (const field of positional) {
    const optional = shape[field]!.safeParse(undefined).success;
    const name = fieldKind(shape[field]!) === 'array' ? `${field}...` : field;
    command.argument(optional ? `[${name}]` : `<${name}>`, shape[field]!.description);
  }
  for (const [field, schema] of Object.entries(shape)) {
    if (positional.includes(field)) continue;
    const kind = fieldKind(schema);
    const letter = short[field] ?? (field === 'follow' ? 'f' : undefined);
    const flag = `${letter === undefined ? '' : `-${letter}, `}${flagOf(field)}`;
    const value = kind === 'boolean' ? '' : ` <${kind === 'string' ? 'text' : kind}>`;
    const description = schema.description ?? '';
    if (kind !== 'array') command.option(`${flag}${value}`, description);
    else command.option(`${flag}${value}`, description, (text: string, before: string[] = []) => [...before, text]);
  }
  command.action(async (...parameters: unknown[]) => {
    const self = parameters.at(-1) as Command;
    const given = self.opts() as Record<string, unknown>;
    const input: Record<string, unknown> = {};
    for (const [i, field] of positional.entries()) put(input, field, shape[field]!, parameters[i]);
    for (const [field, schema] of Object.entries(shape)) {
      if (positional.includes(field)) continue;
      const value = given[camelCase(field)];
      if (repeated.includes(field)) {
        if (value !== undefined) input[field] = value;
      } else put(input, field, schema, value);
    }
    check(input, source);
    await run(input, self.optsWithGlobals());
  });
  return command;
}

export function flagOf(field: string): string {
  return `--${field.replaceAll('_', '-')}`;
}

// Makes `agent` and below it `pause` for the words "agent pause".
function commandAt(program: Command, words: string): Command {
  return words.split(' ').reduce((parent, word) => {
    const existing = parent.commands.find((command) => command.name() === word);
    return existing ?? parent.command(word).showHelpAfterError('(add --help for what it takes)');
  }, program);
}

function groupOf(words: string): string {
  return words.split(' ').slice(0, -1).join(' ');
}

function put(input: Record<string, unknown>, field: string, schema: z.ZodType, value: unknown): void {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return;
  if (Array.isArray(value)) {
    const lists = value.map((text: string) => valueFromText(field, schema, text));
    input[field] = lists.length === 1 ? lists[0] : lists.flat();
  } else {
    input[field] = typeof value === 'string' ? valueFromText(field, schema, value) : value;
  }
}

function valueFromText(field: string, schema: z.ZodType, text: string): unknown {
  const kind = fieldKind(schema);
  if (kind !== 'json' && !(kind === 'array' && text.startsWith('['))) return fromText(schema, text);
  try {
    return JSON.parse(text);
  } catch {
    throw new CliFailure(`${flagOf(field)} is not valid JSON`, exitCodes.usage, 'Quote it for the shell: \'{"a":1}\'');
  }
}

function check(input: Record<string, unknown>, { input: schema, cli }: CommandSource): void {
  const parsed = schema.safeParse(input);
  if (parsed.success) return;
  const issue = parsed.error.issues[0]!;
  const [field = '', ...deeper] = issue.path.map(String);
  const name = cli.positional?.includes(field) === true ? `<${field}>` : flagOf(field);
  const seen = input[field];
  const shown = typeof seen === 'string' && deeper.length === 0 ? `, not "${escapeControl(seen.slice(0, 100))}"` : '';
  const near =
    issue.code === 'invalid_value' && typeof seen === 'string' ? suggestion(seen, issue.values.map(String)) : '';
  throw new CliFailure(
    `${[name, ...deeper].join('.')}: ${escapeControl(issue.message)}${shown}`,
    exitCodes.usage,
    `${near === '' ? '' : `${near}\n`}Example: ${cli.example}`,
  );
}

function camelCase(field: string): string {
  return field.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
