import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from './errors.ts';
import { parseJsonText } from './json-text.ts';

/** The code with which the text is refused; undefined when it is taken. */
function refusal(text: string): string | undefined {
  try {
    parseJsonText(text);
    return undefined;
  } catch (error) {
    if (isAppError(error)) return error.code;
    throw error;
  }
}

const word = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((text) => text.isWellFormed() && !text.includes('\u0000') && text !== '__proto__' && text !== 'prototype');
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noDefaultInfinity: true, noNaN: true }).filter((n) => !Number.isInteger(n)),
    word,
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(word, tie('any'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).any;

describe('JSON text', () => {
  it('that is valid is read as JSON.parse reads it, however it is laid out', () => {
    fc.assert(
      fc.property(value, fc.constantFrom(0, 1, '\t', '\r\n '), (made, space) => {
        const text = JSON.stringify(made, null, space as string);
        expect(parseJsonText(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('is taken only when JSON.parse takes it, whatever it is', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ':',
      ',',
      '1',
      '-',
      'e9',
      '.5',
      'true',
      'a',
      ' ',
      '\n',
      '\\u00',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join('');
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        if (!isJson) expect(refusal(text)).toBeDefined();
      }),
      { numRuns: 3_000 },
    );
  });

  it('that is cut off or has a character changed never fails in another way', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.string({ maxLength: 2 }), (made, at, put) => {
        const text = JSON.stringify(made);
        const cut = at % (text.length + 1);
        refusal(text.slice(0, cut));
        refusal(text.slice(0, cut) + put + text.slice(cut + 1));
      }),
      { numRuns: 500 },
    );
  });

  it('with a key twice in one object is refused, however the key is written', () => {
    fc.assert(
      fc.property(word, fc.boolean(), fc.nat({ max: 5 }), (key, isEscaped, depth) => {
        const escaped = [
          ...JSON.stringify(key)
            .slice(1, -1)
            .matchAll(/\\u[0-9a-f]{4}|\\.|[\s\S]/g),
        ].map(([unit]) => (unit.length > 1 ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));
        const again = isEscaped ? `"${escaped.join('')}"` : JSON.stringify(key);
        const text = `${'{"a":['.repeat(depth)}{${JSON.stringify(key)}: 1, ${again}: 2}${']}'.repeat(depth)}`;
        expect(refusal(text)).toBe('bad_json');
      }),
    );
  });

  it('may use one key in different objects', () => {
    expect(parseJsonText('{"a":{"a":[{"a":1},{"a":2}]},"b":{"a":3}}')).toEqual({
      a: { a: [{ a: 1 }, { a: 2 }] },
      b: { a: 3 },
    });
  });

  it('is taken to 64 levels and refused beyond, however deep', () => {
    const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;
    expect(refusal(nested(64))).toBeUndefined();
    fc.assert(
      fc.property(fc.integer({ min: 33, max: 20_000 }), (half) => {
        expect(refusal(nested(half * 2))).toBe('too_deep');
      }),
    );
  });

  it.each([
    ['{"__proto__": 1}', 'bad_json'],
    ['{"a": {"\\u005f_proto__": 1}}', 'bad_json'],
    ['{"constructor": {"prototype": {}}}', 'bad_json'],
    ['{"a": [{"constructor": {"a": 1, "prototype": 1}}]}', 'bad_json'],
    ['"\\u0000"', 'invalid_text'],
    ['{"a\\u0000": 1}', 'invalid_text'],
    ['"\\ud800"', 'invalid_text'],
    ['"\ud800"', 'invalid_text'],
    ['9007199254740993', 'invalid_input'],
    ['-9007199254740993', 'invalid_input'],
    ['[1e400]', 'invalid_input'],
    ['', 'bad_json'],
    ['01', 'bad_json'],
    ['"a\nb"', 'bad_json'],
    ['{"a":1}{"b":2}', 'bad_json'],
    ['NaN', 'bad_json'],
  ])('%s is refused as %s', (text, code) => {
    expect(refusal(text)).toBe(code);
  });

  it.each([
    '{"constructor": 1}',
    '{"prototype": {}}',
    '{"a": "__proto__"}',
    '["constructor", "prototype"]',
    '9007199254740991',
    '1e21',
  ])('%s is taken', (text) => expect(parseJsonText(text)).toEqual(JSON.parse(text)));

  it('that is hostile costs no more than its length', () => {
    const texts = [
      '\\"'.repeat(500_000),
      `"${'\\\\'.repeat(500_000)}"`,
      `[${'"a",'.repeat(250_000)}1]`,
      '{'.repeat(1_000_000),
      '-'.repeat(1_000_000),
    ];
    for (const text of texts) refusal(text);
  });
});
