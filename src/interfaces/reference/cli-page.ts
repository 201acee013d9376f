// docs/reference/cli.md
import { allOperations } from '../../operations.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { localOperations } from '../cli/local/index.ts';
import { code, GENERATED, markdownTable } from './markdown.ts';

export function cliPage(): string {
  const commands = [...localOperations, ...allOperations].flatMap(({ cli, summary }) =>
    'none' in cli ? [] : [[code(cli.words), summary, code(cli.example)]],
  );
  const codes = Object.entries(exitCodes).map(([name, value]) => [
    String(value),
    name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
  ]);
  return `${GENERATED}
# Command line

\`quarterdeck\`, or \`qd\` for short. Data goes to stdout, talk to stderr; \`--json\` gives one JSON document. Without
\`--url\` it speaks to the installation in the data directory.

${markdownTable(['command', 'what it does', 'example'], commands)}

## Exit codes

${markdownTable(['code', 'meaning'], codes)}
`;
}
