import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldKind, fromText } from './field-text.ts';

describe('fields given as text', () => {
  it('become numbers when they are written as numbers, and stay text otherwise', () => {
    const schema = z.int().optional();
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        expect(fromText(schema, String(n))).toBe(n);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const value = fromText(schema, text);
        if (typeof value === 'number') expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        else expect(value).toBe(text);
      }),
    );
    for (const text of ['', ' 5', '5 ', '0x10', '1e3', '+5', '05', '.5', '5.', 'NaN', 'Infinity', '１']) {
      expect(fromText(schema, text)).toBe(text);
    }
  });

  it('become booleans from true and false only', () => {
    const schema = z.boolean().default(false);
    expect(fromText(schema, 'true')).toBe(true);
    expect(fromText(schema, 'false')).toBe(false);
    for (const text of ['1', 'yes', 'TRUE', '']) expect(fromText(schema, text)).toBe(text);
  });

  it('become lists by commas', () => {
    const item = fc.string({ minLength: 1 }).filter((text) => !text.includes(','));
    fc.assert(
      fc.property(fc.array(item), (items) => {
        expect(fromText(z.array(z.string()), items.join(','))).toEqual(items);
      }),
    );
  });

  it('stay as they are where text is wanted', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(fromText(z.string().max(5).optional(), text)).toBe(text);
      }),
    );
    expect(fromText(z.enum(['1', 'true']), '1')).toBe('1');
  });
});

it.each([
  [z.string(), 'string'],
  [z.int().min(1).default(3), 'number'],
  [z.number().nullable().optional(), 'number'],
  [z.boolean().readonly(), 'boolean'],
  [z.array(z.string()).optional(), 'array'],
  [z.strictObject({}), 'json'],
  [z.record(z.string(), z.unknown()).default({}), 'json'],
  [z.unknown(), 'json'],
  [z.string().transform(Number), 'string'],
  [z.enum(['a']), 'string'],
] as const)('the kind of a field is seen through what is around it (%#)', (schema, kind) => {
  expect(fieldKind(schema as z.ZodType)).toBe(kind);
});
