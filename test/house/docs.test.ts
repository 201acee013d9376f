// The documents agree with the repository: links lead somewhere, commands exist, and nothing tells of one machine.
import { expect, test } from 'vitest';
import { globalOptions } from '../../src/interfaces/cli/global-options.ts';
import { localOperations } from '../../src/interfaces/cli/local/index.ts';
import { referenceOperations } from '../../src/interfaces/reference/commands.ts';
import { allOperations } from '../../src/operations.ts';
import { brokenReason, commandLines, linksOf, markdownFiles } from './markdown.ts';

const files = markdownFiles();

interface CommandShape {
  readonly flags: ReadonlySet<string>;
  readonly positional: number;
}

const everywhere = [
  '--help',
  ...globalOptions.flatMap(({ flag, short }) => [flag, ...(short === undefined ? [] : [short])]),
];
const commands = new Map<string, CommandShape>();
for (const { cli, input } of [...localOperations, ...referenceOperations, ...allOperations]) {
  if ('none' in cli) continue;
  const { words, aliases = [], positional = [] } = cli;
  const fields = Object.keys(input.shape).filter((field) => !positional.includes(field));
  // `agent logs` goes on with --follow, which is the terminal's and no field of the operation.
  const own = words === 'agent logs' ? ['--follow'] : [];
  const short = 'short' in cli ? Object.values(cli.short ?? {}).map((letter) => `-${letter}`) : [];
  const flags = new Set([...everywhere, ...own, ...short, ...fields.map((field) => `--${field.replaceAll('_', '-')}`)]);
  for (const name of [words, ...aliases]) commands.set(name, { flags, positional: positional.length });
}

/** What is wrong with a command line; undefined when the program would take its words and flags. */
function complaint(line: string): string | undefined {
  const tokens = (
    line
      .replace(/\s#.*$/, '')
      .replace(/\s[<>]\s*\S+/g, '')
      .match(/'[^']*'|"[^"]*"|\S+/g) ?? []
  ).filter((token) => token !== '…');
  const leading = [3, 2].map((count) => tokens.slice(0, count).join(' '));
  const name = leading.find((words) => commands.has(words)) ?? tokens[0] ?? '';
  const command = commands.get(name);
  if (command === undefined) {
    const isGroup = [...commands.keys()].some((known) => known.startsWith(`${name} `));
    return tokens.length === 0 || name.startsWith('--') || (isGroup && tokens[1]?.startsWith('--') === true)
      ? undefined
      : `there is no command "${leading.at(-1)}"`;
  }
  const rest = tokens.slice(name.split(' ').length);
  const unknown = rest.find((token) => isFlag(token) && !command.flags.has(token.split('=')[0]!));
  if (unknown !== undefined) return `${name} takes no ${unknown}`;
  const plain = rest.findIndex(isFlag);
  const given = plain === -1 ? rest.length : plain;
  return given > command.positional ? `${name} takes ${command.positional} words after it, not ${given}` : undefined;
}

function isFlag(token: string): boolean {
  return /^--?[a-zA-Z]/.test(token);
}

test('the documents were found', () => {
  expect(files.map((file) => file.path)).toEqual(expect.arrayContaining(['README.md', 'docs/decisions/README.md']));
  expect(files.flatMap(commandLines).length).toBeGreaterThan(60);
});

test('every relative link leads to a file, and to a heading where it names one', () => {
  const broken = files.flatMap((file) =>
    linksOf(file).flatMap((link) => {
      const reason = brokenReason(file, link);
      return reason === undefined ? [] : [`${file.path}: ${link}: ${reason}`];
    }),
  );
  expect(broken).toEqual([]);
});

test('every command line consists of words and flags that the program knows', () => {
  const wrong = files.flatMap((file) =>
    commandLines(file).flatMap((line) => {
      const reason = complaint(line);
      return reason === undefined ? [] : [`${file.path}: quarterdeck ${line}: ${reason}`];
    }),
  );
  expect(wrong).toEqual([]);
});

test('a command that does not exist, a wrong flag and a word too many are noticed', () => {
  expect(complaint('agent polish pricer')).toBe('there is no command "agent polish"');
  expect(complaint('job list --colour red')).toBe('job list takes no --colour');
  expect(complaint('agent show pricer scout')).toBe('agent show takes 1 words after it, not 2');
  expect(complaint('agent pause pricer --reason "prices look wrong"')).toBeUndefined();
});

test('every decision is in the index, and the index names no other', () => {
  const index = files.find((file) => file.path === 'docs/decisions/README.md')!;
  const pages = files
    .map((file) => /^docs\/decisions\/(\d{4}-[a-z0-9-]+\.md)$/.exec(file.path)?.[1])
    .filter((name) => name !== undefined);
  expect(linksOf(index).filter((link) => /^\d{4}-/.test(link))).toEqual(pages);
});

// Directories that exist on one machine only, package registries, and words about how a text came to be.
const unwanted: readonly (readonly [string, RegExp])[] = [
  ['a path of one machine', /(?<![\w.~-])\/(?:home|root|Users|work|workspace|mnt)\/\w/],
  ['a package registry', /\bregistry\.[a-z0-9-]+\.[a-z]{2,}\b|\bpypi\.org\b/i],
  ['a note to oneself', /\b(?:TODO|FIXME|XXX)\b/],
  [
    'its author',
    /\b(?:(?:generated|written|made|built) (?:by|with) (?:an? )?(?:AI|LLM|assistant|Claude|Codex|ChatGPT)|Co-Authored-By)\b/i,
  ],
];

test('no document tells of one machine, of a registry, or of who wrote it', () => {
  const found = files.flatMap((file) =>
    unwanted.flatMap(([what, pattern]) => {
      const match = pattern.exec(file.text);
      return match === null || isRule(file.path, what) ? [] : [`${file.path}: ${what}: ${match[0]}`];
    }),
  );
  expect(found).toEqual([]);
});

// The rules themselves have to name what they forbid.
function isRule(path: string, what: string): boolean {
  return path === 'CONTRIBUTING.md' && what === 'a note to oneself';
}
