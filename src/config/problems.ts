// What is wrong with a configuration, said so that it can be cured: file, line, key, the value seen, what was expected.
import { z } from 'zod';
import { redact } from '../platform/logger.ts';

export interface ConfigProblem {
  /** `quarterdeck.yaml:12`, `DATABASE_URL`, `--api-port`. */
  readonly place: string;
  /** `agents.pricer.silence_limit`; undefined when the text could not be read at all. */
  readonly key?: string;
  /** The value as it stands there, short; secrets are masked. */
  readonly seen?: string;
  readonly expected: string;
}

/** The configuration is wrong; nothing was started. */
export class ConfigRefused extends Error {
  override readonly name = 'ConfigRefused';
  readonly code = 'config_refused';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(sentence).join('\n'));
    this.problems = problems;
  }
}

function sentence({ place, key, seen, expected }: ConfigProblem): string {
  const subject = key === undefined ? place : `${place}: ${key}`;
  return seen === undefined ? `${subject}: ${expected}` : `${subject}: expected ${expected}, found ${seen}`;
}

/** The problems of a value that a schema refused; `placeOf` names where a path stands. */
export function problemsOf(
  error: z.ZodError,
  root: { readonly schema: z.ZodType; readonly value: unknown },
  placeOf: (path: readonly PropertyKey[]) => string,
): ConfigProblem[] {
  return error.issues.flatMap((issue): ConfigProblem[] => {
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(schemaAt(root.schema, issue.path));
      return issue.keys.map((key) => ({
        place: placeOf([...issue.path, key]),
        key: [...issue.path, key].join('.'),
        expected: known.length === 0 ? 'unknown key' : `unknown key; known here: ${known.join(', ')}`,
      }));
    }
    const value = valueAt(root.value, issue.path);
    return [
      {
        place: placeOf(issue.path),
        key: issue.path.join('.') || '(the whole file)',
        seen: show(value, issue.path),
        expected: issue.message.replace(/^Invalid input: expected /, '').replace(/, received .*$/, ''),
      },
    ];
  });
}

const MASKED_KEY = /secret|token|password|passwd|credential|database_(direct_)?url|^env$|_key$/i;
const MOST_SHOWN = 80;

/** A value as it may be shown to anybody: short, on one line, and not at all under a key that sounds like a secret. */
export function show(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return 'nothing';
  if (path.some((segment) => MASKED_KEY.test(String(segment)))) return '[masked]';
  const text = redact(JSON.stringify(value) ?? String(value));
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN - 3)}...` : text;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const segment of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[segment];
  }
  return value;
}

function schemaAt(root: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let schema: z.ZodType | undefined = unwrap(root);
  for (const segment of path) {
    if (schema instanceof z.ZodObject) schema = schema.shape[String(segment)];
    else if (schema instanceof z.ZodRecord) schema = schema.valueType as z.ZodType;
    else if (schema instanceof z.ZodArray) schema = schema.element as z.ZodType;
    else return undefined;
    schema = unwrap(schema);
  }
  return schema;
}

function unwrap(schema: z.ZodType | undefined): z.ZodType | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) {
    return unwrap(schema.unwrap() as z.ZodType);
  }
  return schema instanceof z.ZodPipe ? unwrap(schema.in as z.ZodType) : schema;
}

function knownKeys(schema: z.ZodType | undefined): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape).sort() : [];
}
