// What may stand at the cursor: commands, options, the values of an option or an argument. Values that only the server
// knows are asked for, briefly; a server that is away or slow costs a moment and nothing else.
import type { z } from 'zod';
import { allOperations } from '../../../operations.ts';
import { fieldKind } from '../../../platform/field-text.ts';
import type { AnyOperation } from '../../../platform/operation.ts';
import { callOperation } from '../client.ts';
import { flagOf } from '../command.ts';
import { findConnection } from '../connection.ts';
import { Contexts, LOCAL } from '../contexts.ts';
import { exitCodes } from '../exit-codes.ts';
import { fieldNames, formats } from '../formats.ts';
import { globalOptions } from '../global-options.ts';
import { idFields, listFor } from '../id-fields.ts';
import { localOperations } from '../local/index.ts';
import type { LocalWords } from '../local-operation.ts';
import { escapeControl } from '../plain-text.ts';
import { FILES } from './scripts.ts';
import { splitLine } from './split-line.ts';

const LIMIT_MS = 1_000;
const MOST = 200;
// Nothing that a shell would take for more than a word.
const PLAIN_WORD = /^[A-Za-z0-9][A-Za-z0-9._@:/+=-]*$/;

interface Offer {
  readonly value: string;
  readonly about?: string;
}

interface Entry {
  readonly words: readonly string[];
  readonly summary: string;
  readonly input: z.ZodObject;
  readonly cli: LocalWords;
  readonly output?: z.ZodType;
}

const globals: readonly (Offer & { readonly takesValue: boolean })[] = [
  ...globalOptions.map(({ flag, value, about }) => ({ value: flag, about, takesValue: value !== undefined })),
  { value: '--help', about: 'what it takes', takesValue: false },
];
const fileFields = new Set(['data', 'config', 'file', 'directory', 'dir', 'path', 'to', 'out']);

/** Writes what may stand at the end of the line, one a line with its meaning behind a tab. */
export async function complete(args: readonly string[], write: (text: string) => void): Promise<number> {
  const typed = splitLine(args[0] ?? '').slice(1);
  const offers = await offersFor(typed.slice(0, -1), typed.at(-1) ?? '');
  for (const { value, about } of offers) {
    write(`${value}${about === undefined ? '' : `\t${escapeControl(about)}`}\n`);
  }
  return exitCodes.ok;
}

async function offersFor(before: readonly string[], current: string): Promise<readonly Offer[]> {
  const { entry, words, flags, awaiting, given } = read(before);
  const startingWith = (offers: readonly Offer[]) =>
    offers.filter(({ value }) => value === FILES || value.startsWith(current));
  if (awaiting !== undefined) return startingWith(await valuesOf(awaiting, entry, flags, current));
  if (current.startsWith('--') && current.includes('=')) {
    const [flag, value] = splitOnce(current);
    const offers = await valuesOf(flag, entry, flags, value);
    return startingWith(
      offers.map((offer) => (offer.value === FILES ? offer : { ...offer, value: `${flag}=${offer.value}` })),
    );
  }
  if (current.startsWith('-')) return startingWith(flagsOf(entry, before));
  if (entry === undefined) return startingWith(nextWords(words));
  const field = entry.cli.positional?.[given];
  const values = field === undefined ? [] : await valuesOf(flagOf(field), entry, flags, current);
  // A command may at the same time begin others, like `mcp`.
  return startingWith(given === 0 ? [...values, ...nextWords(words)] : values);
}

interface Read {
  readonly entry: Entry | undefined;
  /** Of the command, as far as they go. */
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
  /** The option whose value is next. */
  readonly awaiting: string | undefined;
  /** Arguments that stand there already. */
  readonly given: number;
}

function read(before: readonly string[]): Read {
  const plain: string[] = [];
  const flags = new Map<string, string>();
  let awaiting: string | undefined;
  let isEnded = false;
  for (const word of before) {
    if (awaiting !== undefined) {
      flags.set(awaiting, word);
      awaiting = undefined;
    } else if (word === '--') isEnded = true;
    else if (!isEnded && word.startsWith('-') && word.length > 1) {
      if (word.includes('=')) flags.set(...splitOnce(word));
      else if (takesValue(word, plain)) awaiting = longName(word, plain);
    } else plain.push(word);
  }
  const entry = entryAt(plain);
  const length = entry?.words.length ?? plain.length;
  return { entry, words: plain.slice(0, length), flags, awaiting, given: plain.length - length };
}

// The longest command that the words begin with.
function entryAt(plain: readonly string[]): Entry | undefined {
  return entries()
    .filter(({ words }) => words.every((word, i) => plain[i] === word))
    .sort((a, b) => b.words.length - a.words.length)[0];
}

let known: readonly Entry[] | undefined;

function entries(): readonly Entry[] {
  known ??= [...localOperations, ...allOperations].flatMap((operation) => {
    const { cli, summary, input } = operation;
    if ('none' in cli) return [];
    const output = 'output' in operation ? (operation as AnyOperation).output : undefined;
    return [cli.words, ...(cli.aliases ?? [])].map((words) => ({
      words: words.split(' '),
      summary,
      input: input as z.ZodObject,
      cli,
      ...(output === undefined ? {} : { output }),
    }));
  });
  return known;
}

function nextWords(words: readonly string[]): Offer[] {
  const offers = new Map<string, Offer>();
  for (const entry of entries()) {
    if (entry.words.length <= words.length || !words.every((word, i) => entry.words[i] === word)) continue;
    const value = entry.words[words.length]!;
    const isLast = entry.words.length === words.length + 1;
    if (isLast) offers.set(value, { value, about: entry.summary });
    else if (!offers.has(value)) offers.set(value, { value });
  }
  return [...offers.values()].sort((a, b) => (a.value < b.value ? -1 : 1));
}

function flagsOf(entry: Entry | undefined, before: readonly string[]): Offer[] {
  const own =
    entry === undefined
      ? []
      : optionFields(entry).map(([field, schema]) => ({
          value: flagOf(field),
          ...(schema.description === undefined ? {} : { about: schema.description }),
        }));
  const names = new Set(own.map(({ value }) => value));
  return [...own, ...globals.filter(({ value }) => !names.has(value))].filter(({ value }) => !before.includes(value));
}

function optionFields({ input, cli }: Entry): [string, z.ZodType][] {
  const shape = input.shape as Record<string, z.ZodType>;
  return Object.entries(shape).filter(([field]) => cli.positional?.includes(field) !== true);
}

function takesValue(flag: string, plain: readonly string[]): boolean {
  const name = longName(flag, plain);
  const own = fieldSchema(entryAt(plain), name);
  if (own !== undefined) return fieldKind(own) !== 'boolean';
  return globals.some(({ value, takesValue: takes }) => value === name && takes);
}

function longName(flag: string, plain: readonly string[]): string {
  if (flag.startsWith('--')) return flag;
  const global = globalOptions.find((option) => option.short === flag);
  if (global !== undefined) return global.flag;
  const short = entryAt(plain)?.cli.short ?? {};
  const field = Object.keys(short).find((name) => short[name] === flag.slice(1));
  return field === undefined ? flag : flagOf(field);
}

function fieldSchema(entry: Entry | undefined, flag: string): z.ZodType | undefined {
  return (entry?.input.shape as Record<string, z.ZodType> | undefined)?.[fieldOf(flag)];
}

function fieldOf(flag: string): string {
  return flag.slice(2).replaceAll('-', '_');
}

async function valuesOf(
  flag: string,
  entry: Entry | undefined,
  flags: ReadonlyMap<string, string>,
  current: string,
): Promise<readonly Offer[]> {
  const field = fieldOf(flag);
  const schema = fieldSchema(entry, flag);
  const options = schema === undefined ? [] : wordsOf(schema);
  if (options.length > 0) return options.map((value) => ({ value }));
  if (flag === '--output' && schema === undefined) return formats.map((value) => ({ value }));
  if (flag === '--fields' && schema === undefined)
    return nextInList(current, entry?.output === undefined ? [] : fieldNames(entry.output));
  if (field === 'context' || entry?.words[0] === 'context') return contextNames(entry);
  if (fileFields.has(field)) return [{ value: FILES }];
  return serverValues(field, flags);
}

// `--fields id,st` goes on behind the last comma.
function nextInList(current: string, names: readonly string[]): Offer[] {
  const start = current.slice(0, current.lastIndexOf(',') + 1);
  const before = start.split(',');
  return names.filter((name) => !before.includes(name)).map((name) => ({ value: start + name }));
}

function wordsOf(schema: z.ZodType): string[] {
  const { def } = schema as unknown as {
    def: {
      readonly type: string;
      readonly innerType?: z.ZodType;
      readonly element?: z.ZodType;
      readonly in?: z.ZodType;
      readonly out?: z.ZodType;
      readonly entries?: Readonly<Record<string, string>>;
    };
  };
  if (def.type === 'enum') return Object.values(def.entries ?? {}).map(String);
  return [def.innerType, def.element, def.in, def.out].flatMap((inner) => (inner === undefined ? [] : wordsOf(inner)));
}

function contextNames(entry: Entry | undefined): Offer[] {
  const names = new Contexts().names();
  const hasLocal = entry === undefined || entry.words[0] !== 'context' || entry.words[1] === 'use';
  return [...(hasLocal ? [LOCAL] : []), ...names].map((value) => ({ value }));
}

// Agents, jobs, tenants: whatever has a list.
async function serverValues(field: string, flags: ReadonlyMap<string, string>): Promise<Offer[]> {
  const list = listFor(field, allOperations);
  if (list === undefined) return [];
  try {
    const connection = await findConnection({
      url: flags.get('--url'),
      context: flags.get('--context'),
      data: flags.get('--data'),
    });
    const input = 'limit' in list.input.shape ? { limit: MOST } : {};
    const { items } = (await callOperation(connection, list, input, LIMIT_MS)) as { items: Record<string, unknown>[] };
    const name = [...idFields(list, allOperations)].find((one) => typeof items[0]?.[one] === 'string');
    if (name === undefined) return [];
    const values = items.map((item) => String(item[name])).filter((value) => PLAIN_WORD.test(value));
    return [...new Set(values)].map((value) => ({ value }));
  } catch {
    // A refusal at the TAB key would be in the way; the command itself says what is wrong.
    return [];
  }
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
