// The OpenAPI document of the server as the reference reads it: a list of operations with flat fields. Pure.
import type { OtherNames } from '../../../../src/platform/other-names.ts';

export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema?: Schema;
}

interface PathItem {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: Schema }>> }>>;
  readonly 'x-quarterdeck': OtherNames;
}

export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, PathItem>>>>;
}

export interface ApiOperation extends OtherNames {
  readonly room: string;
  readonly summary: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
  readonly answer: { readonly status: string; readonly schema: Schema | undefined };
}

/** In the order of the rooms, and within one as the server declares them. */
export function operationsOf(document: OpenApi): ApiOperation[] {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, item]) => operationOf(path, method, item)),
  );
  const rooms = [...new Set(operations.map(({ room }) => room))];
  return rooms.flatMap((room) => operations.filter((one) => one.room === room));
}

function operationOf(path: string, method: string, item: PathItem): ApiOperation {
  const [status, success] = Object.entries(item.responses).find(([code]) => code.startsWith('2')) ?? ['200', {}];
  return {
    ...item['x-quarterdeck'],
    room: item.tags[0] ?? '',
    summary: item.summary,
    method: method.toUpperCase(),
    path,
    parameters: item.parameters,
    body: item.requestBody?.content['application/json'].schema,
    answer: { status, schema: Object.values(success.content ?? {})[0]?.schema },
  };
}

/** Every word of the query stands somewhere in the operation. */
export function found(operations: readonly ApiOperation[], query: string): ApiOperation[] {
  const sought = query.toLowerCase().split(/\s+/).filter(Boolean);
  return operations.filter((one) => {
    const text = [
      one.operation,
      one.summary,
      one.method,
      one.path,
      one.cli,
      one.ability,
      ...one.errors.map((e) => e.code),
    ]
      .join(' ')
      .toLowerCase();
    return sought.every((word) => text.includes(word));
  });
}

export interface Field {
  /** `jobs[].kind` */
  readonly path: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly meaning: string;
  readonly depth: number;
}

const DEEPEST = 5;

/** The fields of an object's schema, those inside of it after it. */
export function fieldsOf(schema: Schema | undefined, prefix = '', depth = 0): Field[] {
  const properties = schema?.['properties'] as Readonly<Record<string, Schema>> | undefined;
  if (properties === undefined || depth > DEEPEST) return [];
  const required = new Set((schema?.['required'] as string[] | undefined) ?? []);
  return Object.entries(properties).flatMap(([name, property]) => {
    const isList = property['type'] === 'array';
    const path = `${prefix}${name}${isList ? '[]' : ''}`;
    const inner = insideOf(property);
    return [
      {
        path: `${prefix}${name}`,
        type: typeWords(property),
        isRequired: required.has(name),
        meaning: meaningOf(property),
        depth,
      },
      ...fieldsOf(inner, `${path}.`, depth + 1),
    ];
  });
}

function insideOf(schema: Schema): Schema | undefined {
  if (schema['type'] === 'array') return insideOf((schema['items'] ?? {}) as Schema);
  const options = schema['anyOf'] as Schema[] | undefined;
  return options?.find((option) => option['properties'] !== undefined) ?? schema;
}

export function typeWords(schema: Schema): string {
  const options = schema['anyOf'] as Schema[] | undefined;
  if (options !== undefined) return [...new Set(options.map(typeWords))].join(' or ');
  if (Array.isArray(schema['enum'])) return schema['enum'].map(String).join(' | ');
  if (schema['const'] !== undefined) return String(schema['const']);
  if (schema['type'] === 'array') return `list of ${typeWords((schema['items'] ?? {}) as Schema)}`;
  if (Array.isArray(schema['type'])) return schema['type'].join(' or ');
  if (schema['format'] === 'date-time') return 'time';
  return typeof schema['type'] === 'string' ? schema['type'] : 'any JSON';
}

/** Its description, then its limits. */
export function meaningOf(schema: Schema): string {
  const limits = [
    limit(schema['minimum'], (n) => (Number(n) <= Number.MIN_SAFE_INTEGER ? undefined : `≥ ${n}`)),
    limit(schema['maximum'], (n) => (Number(n) >= Number.MAX_SAFE_INTEGER ? undefined : `≤ ${n}`)),
    limit(schema['maxLength'], (n) => `at most ${n} characters`),
    limit(schema['maxItems'], (n) => `at most ${n}`),
    schema['default'] === undefined ? undefined : `default ${JSON.stringify(schema['default'])}`,
  ].filter((one) => one !== undefined);
  const description = typeof schema['description'] === 'string' ? schema['description'] : '';
  return [description, limits.join(', ')].filter(Boolean).join(' · ');
}

function limit(value: unknown, words: (value: unknown) => string | undefined): string | undefined {
  return value === undefined ? undefined : words(value);
}
