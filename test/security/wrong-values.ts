// For every field of an operation's input, values that it must refuse, read off its schema: so a new operation is tested
// by being declared.
import { z } from 'zod';
import { type AnyOperation, pathParameters } from '../../src/platform/operation.ts';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

type Path = readonly (string | 0)[];

export interface WrongValue {
  /** Dotted, as an answer names it. */
  readonly field: string;
  /** JSON text of the wrong value. */
  readonly json: string;
  /** The whole body with it. */
  readonly body: string;
}

/** Bodies of an operation, each wrong in one field. */
export function wrongBodies(operation: AnyOperation): WrongValue[] {
  const inPath = new Set(pathParameters(operation.path));
  const example = Object.fromEntries(Object.entries(operation.example).filter(([name]) => !inPath.has(name)));
  return fieldsOf(schemaOf(operation), [])
    .filter(({ path }) => !inPath.has(String(path[0])))
    .flatMap(({ path, schema }) =>
      wrongFor(schema).map((json) => ({ field: path.join('.'), json, body: bodyWith(example, path, json) })),
    );
}

/** Query texts of an operation, each wrong in one field. */
export function wrongQueries(operation: AnyOperation): { readonly field: string; readonly text: string }[] {
  const inPath = new Set(pathParameters(operation.path));
  return Object.entries(schemaOf(operation).properties ?? {})
    .filter(([name]) => !inPath.has(name))
    .flatMap(([field, schema]) => wrongTexts(schema).map((text) => ({ field, text })));
}

/** The body with JSON text put in at a path, whatever that text is. */
export function bodyWith(example: Readonly<Record<string, unknown>>, path: Path, json: string): string {
  const body = structuredClone(example) as Record<string, unknown>;
  const mark = '@@here@@';
  let at: Record<string | number, unknown> = body;
  for (const [i, step] of path.slice(0, -1).entries()) {
    const next = path[i + 1] === 0 ? [] : {};
    at[step] ??= next;
    at = at[step] as Record<string | number, unknown>;
  }
  at[path.at(-1)!] = mark;
  return JSON.stringify(body).replace(JSON.stringify(mark), () => json);
}

function schemaOf(operation: AnyOperation): Schema {
  return z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' }) as Schema;
}

function fieldsOf(schema: Schema, path: Path): { path: Path; schema: Schema }[] {
  const own = path.length === 0 ? [] : [{ path, schema }];
  const inside = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => fieldsOf(field, [...path, name]));
  return [...own, ...inside, ...(schema.items === undefined ? [] : fieldsOf(schema.items, [...path, 0]))];
}

function wrongFor(schema: Schema): string[] {
  const { minLength = 0, maxLength, minimum, maximum, minItems = 0, maxItems } = schema;
  if (schema.enum !== undefined || schema.const !== undefined) return ['"no such word"', '5', 'null'];
  switch (schema.type) {
    case 'integer':
    case 'number':
      return [
        '"5"',
        'true',
        'null',
        '[5]',
        ...(schema.type === 'integer' ? ['5.5'] : []),
        ...(minimum !== undefined && Number.isSafeInteger(minimum - 1) ? [String(minimum - 1)] : []),
        ...(maximum !== undefined && Number.isSafeInteger(maximum + 1) ? [String(maximum + 1), '99999999999'] : []),
      ];
    case 'boolean':
      return ['"true"', '1', 'null'];
    case 'array':
      return [
        '{}',
        '"x"',
        'null',
        ...(minItems > 0 ? ['[]'] : []),
        ...(maxItems === undefined ? [] : [JSON.stringify(Array(maxItems + 1).fill('x'))]),
      ];
    case 'object':
      return ['[]', '"x"', '5', 'null'];
    case 'string':
      return [
        '5',
        '{}',
        'null',
        ...(minLength > 0 ? ['""'] : []),
        ...(maxLength === undefined ? [] : [JSON.stringify('a'.repeat(maxLength + 1))]),
        ...(schema.pattern === undefined ? [] : ['"\\u202e <b>Ä\\r\\n"']),
        ...(schema.format === 'date-time' ? ['"300000-01-01T00:00:00Z"', '"infinity"', '"tomorrow"'] : []),
      ];
    default:
      return [];
  }
}

function wrongTexts(schema: Schema): string[] {
  if (schema.enum !== undefined) return ['no such word', ''];
  switch (schema.type) {
    case 'integer':
    case 'number':
      return [
        'five',
        '',
        '1e400',
        '9007199254740993',
        ' 5',
        '0x10',
        ...((schema.minimum ?? -1) > -1 ? ['-1'] : []),
        ...((schema.maximum ?? 1e9) < 1e9 ? ['1000000000'] : []),
      ];
    case 'boolean':
      return ['yes', '1'];
    case 'string':
      return [
        ...(schema.maxLength === undefined ? [] : ['a'.repeat(schema.maxLength + 1)]),
        ...(schema.pattern === undefined ? [] : ['\u202e <b>Ä\r\n']),
        ...(schema.format === 'date-time' ? ['300000-01-01T00:00:00Z', 'infinity'] : []),
        'a\u0000b',
      ];
    default:
      return [];
  }
}
