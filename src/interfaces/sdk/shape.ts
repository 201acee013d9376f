// The shape of an input or output, read from its schema: what both generators turn into types of their language. A
// construct that is not known here is an error, never `unknown` by accident.
import { z } from 'zod';

export type Shape =
  | { readonly kind: 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'unknown' }
  | { readonly kind: 'literal'; readonly values: readonly (string | number | boolean)[] }
  | { readonly kind: 'list' | 'map'; readonly of: Shape }
  | { readonly kind: 'union'; readonly members: readonly Shape[] }
  | RecordShape;

export interface RecordShape {
  readonly kind: 'record';
  readonly fields: readonly Field[];
}

export interface Field {
  readonly name: string;
  readonly shape: Shape;
  readonly required: boolean;
  /** What it means, with its default. */
  readonly doc: string;
}

type JsonSchema = Readonly<Record<string, unknown>>;

/** `input`: as it is given, fields with defaults optional. `output`: as it is answered. */
export function shapeOf(schema: z.ZodType, io: 'input' | 'output'): Shape {
  return read(z.toJSONSchema(schema, { io, unrepresentable: 'throw' }) as JsonSchema, '');
}

export function recordOf(schema: z.ZodType, io: 'input' | 'output'): RecordShape {
  const shape = shapeOf(schema, io);
  if (shape.kind !== 'record') throw new Error(`expected an object, got ${shape.kind}`);
  return shape;
}

/** Of one page of a list, which may say more behind what every page has: the shape of its items. */
export function pageItem(shape: Shape): Shape | undefined {
  if (shape.kind !== 'record') return undefined;
  const names = shape.fields.slice(0, 3).map(({ name }) => name);
  const items = shape.fields[0]?.shape;
  return names.join() === 'items,next_cursor,as_of' && items?.kind === 'list' ? items.of : undefined;
}

function read(schema: JsonSchema, path: string): Shape {
  if (schema['const'] !== undefined) return { kind: 'literal', values: [schema['const'] as string] };
  if (Array.isArray(schema['enum'])) return { kind: 'literal', values: schema['enum'] as string[] };
  const alternatives = (schema['anyOf'] ?? schema['oneOf']) as JsonSchema[] | undefined;
  if (alternatives !== undefined) return { kind: 'union', members: alternatives.map((member) => read(member, path)) };
  if (Array.isArray(schema['type'])) {
    return { kind: 'union', members: schema['type'].map((type) => read({ ...schema, type }, path)) };
  }
  switch (schema['type']) {
    case 'string':
    case 'number':
    case 'integer':
    case 'boolean':
    case 'null':
      return { kind: schema['type'] };
    case 'array':
      if (schema['prefixItems'] !== undefined) break;
      return { kind: 'list', of: read((schema['items'] ?? {}) as JsonSchema, `${path}[]`) };
    case 'object':
      return readObject(schema, path);
    case undefined:
      if (Object.keys(schema).every((key) => ['$schema', 'description', 'default'].includes(key))) {
        return { kind: 'unknown' };
      }
  }
  throw new Error(`no shape for ${path || 'the schema'}: ${JSON.stringify(schema).slice(0, 200)}`);
}

function readObject(schema: JsonSchema, path: string): Shape {
  const { properties, additionalProperties } = schema as { properties?: Record<string, JsonSchema> } & JsonSchema;
  if (properties === undefined && typeof additionalProperties === 'object') {
    return { kind: 'map', of: read(additionalProperties as JsonSchema, `${path}{}`) };
  }
  const required = new Set((schema['required'] ?? []) as string[]);
  return {
    kind: 'record',
    fields: Object.entries(properties ?? {}).map(([name, field]) => ({
      name,
      shape: read(field, `${path}.${name}`),
      required: required.has(name),
      doc: docOf(field),
    })),
  };
}

function docOf(field: JsonSchema): string {
  const fallback = field['default'];
  const doc = [
    ...(typeof field['description'] === 'string' ? [field['description']] : []),
    ...(fallback === undefined ? [] : [`default: ${JSON.stringify(fallback)}`]),
  ].join('; ');
  if (/\*\/|"""|[\\\n]/.test(doc)) throw new Error(`this cannot stand in a comment of every language: ${doc}`);
  return doc;
}
