// The options that every command takes, wherever they stand in the line.
import { type Command, InvalidArgumentError } from 'commander';
import { CliFailure } from './client.ts';
import { exitCodes } from './exit-codes.ts';
import { type Form, type Format, formats } from './formats.ts';
import type { Output } from './local-operation.ts';
import { suggestion } from './nearest.ts';

export interface GlobalOptions {
  readonly form: Form;
  readonly look: Output['look'];
  readonly url: string | undefined;
  readonly context: string | undefined;
  readonly data: string | undefined;
  readonly timeoutMs: number;
  /** As given, for commands that take it as a field of their own. */
  readonly timeout: string | undefined;
}

interface Given {
  readonly json?: boolean;
  readonly output?: Format;
  readonly fields?: readonly string[];
  readonly color?: boolean;
  readonly url?: string;
  readonly context?: string;
  readonly data?: string;
  readonly timeout?: string;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const LONGEST_TIMEOUT_S = 86_400;

interface GlobalOption {
  readonly flag: string;
  readonly short?: string;
  /** What its value is; undefined where it takes none. */
  readonly value?: string;
  readonly about: string;
  readonly read?: (text: string) => unknown;
}

/** No operation has a field of such a name, except those local ones that take the field from here. */
export const globalOptions: readonly GlobalOption[] = [
  { flag: '--json', about: 'one JSON document on stdout; the same as -o json' },
  {
    flag: '--output',
    short: '-o',
    value: 'format',
    about: `${formats.join(', ')}; without it table`,
    read: readFormat,
  },
  {
    flag: '--fields',
    value: 'names',
    about: 'only these fields, with commas between; a.b goes into a',
    read: readFields,
  },
  { flag: '--no-color', about: 'no colours (NO_COLOR)' },
  { flag: '--url', value: 'url', about: 'address of the server (QUARTERDECK_URL)' },
  { flag: '--context', value: 'name', about: 'a server that was named with `context add` (QUARTERDECK_CONTEXT)' },
  { flag: '--data', value: 'dir', about: 'data directory of the installation (QUARTERDECK_DATA)' },
  { flag: '--timeout', value: 'seconds', about: 'longest wait for an answer; 30 when absent' },
];

export function addGlobalOptions(program: Command): Command {
  for (const { flag, short, value, about, read } of globalOptions) {
    const flags = `${short === undefined ? '' : `${short}, `}${flag}${value === undefined ? '' : ` <${value}>`}`;
    if (read === undefined) program.option(flags, about);
    else program.option(flags, about, read);
  }
  return program;
}

export function readGlobalOptions(given: Given, lookOf: (refused: boolean) => Output['look']): GlobalOptions {
  const { json = false, output, fields, color = true, url, context, data, timeout } = given;
  if (json && output !== undefined && output !== 'json') {
    throw new CliFailure(`--json and -o ${output} ask for two forms`, exitCodes.usage, 'Give one of them.');
  }
  const seconds = timeout === undefined ? DEFAULT_TIMEOUT_MS / 1000 : Number(timeout);
  if (!(seconds > 0 && seconds <= LONGEST_TIMEOUT_S)) {
    throw new CliFailure('--timeout is not a number of seconds', exitCodes.usage, 'Example: --timeout 10');
  }
  const look = lookOf(!color);
  return {
    form: { format: output ?? (json ? 'json' : 'table'), fields, look },
    look,
    url,
    context,
    data,
    timeoutMs: seconds * 1000,
    timeout,
  };
}

function readFormat(text: string): Format {
  const format = formats.find((known) => known === text);
  if (format === undefined)
    throw new InvalidArgumentError(suggestion(text, formats) || `There are: ${formats.join(', ')}.`);
  return format;
}

function readFields(text: string): readonly string[] {
  const paths = text.split(',').map((path) => path.trim());
  if (paths.some((path) => path === '' || path.split('.').includes(''))) {
    throw new InvalidArgumentError('It looks like id,payload.sku.');
  }
  return [...new Set(paths)];
}
