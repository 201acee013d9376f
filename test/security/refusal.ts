// What every refusal must be: a problem that the tables know, and nothing of the inside.
import { errorSpecs } from '../../src/app.ts';
import type { RawAnswer } from './wire.ts';

const INSIDE: readonly (readonly [string, RegExp])[] = [
  ['a stack', /\n\s+at |\(?(?:file|node):[^ ]+:\d+:\d+/],
  ['a path of this machine', new RegExp(escaped(process.cwd()))],
  ['a statement', /\b(?:SELECT|INSERT INTO|DELETE FROM|UPDATE|BEGIN|COMMIT)\b/],
  [
    'words of the driver',
    /relation "|column "|violates|syntax error|SQLSTATE|pg_|postgres|ECONN|node_modules|ZodError/i,
  ],
  ['a secret', /qd_(?:operator|agent|job|session|link)_[0-9A-Za-z]{30}/],
];

export interface Expected {
  readonly status: readonly number[];
  /** Codes of which one is answered; default: any that the tables know. */
  readonly codes?: readonly string[];
  /** A field that must be named. */
  readonly field?: string | undefined;
}

/** What is wrong with an answer that should be this refusal. */
export function wrongRefusal(answer: RawAnswer, expected: Expected): string[] {
  const short = `${answer.status} ${answer.text.slice(0, 300)}`;
  const wrong: string[] = [];
  if (!expected.status.includes(answer.status)) wrong.push(`status: ${short}`);
  const type = answer.headers.get('content-type') ?? '';
  if (!type.startsWith('application/problem+json')) return [...wrong, `content type ${type}: ${short}`];
  const problem = JSON.parse(answer.text) as { code: string; status: number; errors?: { field: string }[] };
  const spec = errorSpecs[problem.code];
  if (spec === undefined) wrong.push(`unknown code ${problem.code}`);
  else if (spec.status !== answer.status || problem.status !== answer.status) wrong.push(`another status: ${short}`);
  if (expected.codes !== undefined && !expected.codes.includes(problem.code)) wrong.push(`code: ${short}`);
  if (expected.field !== undefined && !problem.errors?.some(({ field }) => field === expected.field)) {
    wrong.push(`does not name ${expected.field}: ${short}`);
  }
  return [...wrong, ...shownInside(answer.text).map((what) => `shows ${what}: ${short}`)];
}

/** Kinds of inside that a text shows. */
export function shownInside(text: string): string[] {
  return INSIDE.filter(([, pattern]) => pattern.test(text)).map(([what]) => what);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
