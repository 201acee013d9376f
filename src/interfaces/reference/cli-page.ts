// docs/reference/cli.md
import type { z } from 'zod';
import { allOperations } from '../../operations.ts';
import { fieldKind } from '../../platform/field-text.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { formats } from '../cli/formats.ts';
import { globalOptions } from '../cli/global-options.ts';
import { localOperations } from '../cli/local/index.ts';
import type { AnyLocalOperation } from '../cli/local-operation.ts';
import { code, GENERATED, markdownTable } from './markdown.ts';

export function cliPage(): string {
  const commands = [...localOperations, ...allOperations].flatMap(({ cli, summary }) =>
    'none' in cli ? [] : [[code(cli.words), summary, code(cli.example)]],
  );
  const codes = Object.entries(exitCodes).map(([name, value]) => [
    String(value),
    name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
  ]);
  const options = globalOptions.map(({ flag, short, value, about }) => [
    code(`${short === undefined ? '' : `${short}, `}${flag}${value === undefined ? '' : ` <${value}>`}`),
    about,
  ]);
  return `${GENERATED}
# Command line

\`quarterdeck\`, or \`qd\` for short. Data goes to stdout, talk to stderr. How it is used day by day:
[the command line](../guides/cli.md).

${markdownTable(['command', 'what it does', 'example'], commands)}

## Options of every command

${markdownTable(['option', 'what it does'], options)}

The forms are ${formats.map(code).join(', ')}. A command speaks to \`--url\`, else \`--context\`, \`--data\`, \`QUARTERDECK_URL\`,
\`QUARTERDECK_CONTEXT\`, \`QUARTERDECK_DATA\`, the context that was chosen, and at last the installation of this machine.

## What the commands of this machine take

The others take the fields of their operation: [operations.md](operations.md).

${localOperations.map(section).join('\n')}
## Exit codes

${markdownTable(['code', 'meaning'], codes)}
`;
}

function section({ cli, input }: AnyLocalOperation): string {
  const { words, positional = [], short = {} } = cli;
  const fields = Object.entries(input.shape as Record<string, z.ZodType>);
  const usage = positional.map((field) => {
    const isOptional = input.shape[field]!.safeParse(undefined).success;
    return isOptional ? `[${field}]` : `<${field}>`;
  });
  const rows = fields.map(([field, schema]) => {
    const kind = fieldKind(schema);
    const flag = `--${field.replaceAll('_', '-')}${kind === 'boolean' ? '' : ` <${kind === 'string' ? 'text' : kind}>`}`;
    const letter = short[field] === undefined ? '' : `-${short[field]}, `;
    const name = positional.includes(field) ? usage[positional.indexOf(field)]! : `${letter}${flag}`;
    return [code(name), schema.description ?? ''];
  });
  const table = rows.length === 0 ? 'Nothing.\n' : `${markdownTable(['takes', 'what it is'], rows)}\n`;
  return `### ${words}\n\n${table}`;
}
