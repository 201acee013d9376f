// The list of what `bin/test` runs, in order. How a step is run, counted and tidied up after is not here.

export interface Step {
  readonly name: string;
  /** Run one after the other; the first that fails ends the step. */
  readonly commands: readonly (readonly string[])[];
  /** The vitest project, when the step is one: its tests are counted. */
  readonly project?: string;
  readonly needsChromium?: boolean;
}

function tests(project: string): Step {
  return {
    name: project,
    project,
    commands: [['vitest', 'run', '--project', project]],
    ...(project === 'e2e' ? { needsChromium: true } : {}),
  };
}

/** Cheap and telling first: who breaks a type learns it before the database has started. */
export const steps: readonly Step[] = [
  {
    name: 'types',
    commands: [
      ['tsc', '-p', 'tsconfig.json'],
      // What runs in the browser is checked with the browser's types, the rest without.
      ['tsc', '-p', 'test/e2e/tsconfig.json'],
      ['tsc', '-p', 'web/tsconfig.json'],
    ],
  },
  { name: 'lint', commands: [['biome', 'check', '.']] },
  { name: 'unused', commands: [['knip']] },
  {
    name: 'generated',
    commands: [['node', '--disable-warning=ExperimentalWarning', 'src/main.ts', 'reference', 'check']],
  },
  // The browser tests, and all that start `bin/up`, find the page built.
  { name: 'page', commands: [['sh', '-c', 'root=$PWD; set -eu; . bin/prepare.sh; use_node; build_page']] },
  tests('unit'),
  tests('db'),
  tests('os'),
  tests('e2e'),
  tests('chaos'),
];

export interface Request {
  readonly steps: readonly Step[];
  readonly long: boolean;
}

/** Reads the arguments of `bin/test`; a string is the complaint about them. */
export function readArguments(words: readonly string[]): Request | string {
  const wanted = new Set<string>();
  let long = false;
  for (const word of words) {
    if (word === '--long') long = true;
    else if (steps.some((step) => step.name === word)) wanted.add(word);
    else return `unknown step or option: ${word}`;
  }
  return { steps: wanted.size === 0 ? steps : steps.filter((step) => wanted.has(step.name)), long };
}

export const usage = `usage: bin/test [--long] [STEP…]
steps: ${steps.map((step) => step.name).join(' ')}
`;
