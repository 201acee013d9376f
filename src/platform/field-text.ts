// Fields that arrive as text (query strings, command lines) become the type that the schema asks for. Bodies are JSON
// and are never coerced.
import type { z } from 'zod';

export type FieldKind = 'string' | 'number' | 'boolean' | 'array' | 'json';

/** What kind of value a field takes, behind optional, default and the like. */
export function fieldKind(schema: z.ZodType): FieldKind {
  const { def } = schema as unknown as { def: { type: string; innerType?: z.ZodType; in?: z.ZodType } };
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'nullable':
    case 'prefault':
    case 'readonly':
      return fieldKind(def.innerType!);
    case 'pipe':
      return fieldKind(def.in!);
    case 'number':
    case 'int':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array':
      return 'array';
    case 'record':
    case 'object':
    case 'unknown':
    case 'any':
      return 'json';
    default:
      return 'string';
  }
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/;

/** The value that `text` stands for; text that is none of the wanted kind is left as it is and fails in the schema. */
export function fromText(schema: z.ZodType, text: string): unknown {
  switch (fieldKind(schema)) {
    case 'number':
      return NUMBER.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'array':
      return text.split(',').filter((part) => part !== '');
    default:
      return text;
  }
}
