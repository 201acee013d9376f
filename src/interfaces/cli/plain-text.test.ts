import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConsoleText, displayWidth, escapeControl, escapeLines, fitTo, padTo } from './plain-text.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must never come out
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/;
const anyText = fc.string({ unit: 'binary', maxLength: 200 });

describe('text from outside', () => {
  it('comes out without a character that a terminal obeys, whatever it held', () => {
    fc.assert(fc.property(anyText, (text) => !UNSAFE.test(escapeControl(text))));
    fc.assert(fc.property(anyText, (text) => !UNSAFE.test(escapeLines(text).replace(/[\n\t]/g, ''))));
  });

  it('stays the same JSON when JSON is escaped', () => {
    fc.assert(
      fc.property(fc.jsonValue(), anyText, (value, text) => {
        const document = { value, text };
        expect(JSON.parse(escapeControl(JSON.stringify(document)))).toEqual(JSON.parse(JSON.stringify(document)));
      }),
    );
  });

  it.each([
    ['a sequence that clears the screen', '\u001b[2J', '\\u001b[2J'],
    ['a sequence in one character', '\u009b31m', '\\u009b31m'],
    ['a line end', 'a\nb', 'a\\u000ab'],
    ['text that runs the other way', 'gpj.\u202eexe', 'gpj.\\u202eexe'],
  ])('shows %s as an escape', (_, text, shown) => {
    expect(escapeControl(text)).toBe(shown);
  });
});

describe('what a program printed', () => {
  const shown = (...pieces: string[]) => {
    const console = new ConsoleText();
    return pieces.map((piece) => console.push(piece)).join('') + console.end();
  };

  it('loses its colours, and shows every other sequence', () => {
    expect(shown('\u001b[1;31mred\u001b[0m \u001b]52;c;aGk=\u0007')).toBe('red \\u001b]52;c;aGk=\\u0007');
  });

  it('has lines where it overwrote a line or ended it twice', () => {
    expect(shown('10%\r20%\r\ndone\n')).toBe('10%\n20%\ndone\n');
  });

  it('means the same however it was cut into pieces', () => {
    const parts = ['\u001b[1m', '\r\n', 'text', '\u001b[0m', '\r', '\u001b', '[', ';31m', 'ä'];
    const pieces = fc.array(fc.constantFrom(...parts), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(40), { maxLength: 6 }), (words, cuts) => {
        const text = words.join('');
        const places = [...new Set([0, ...cuts.filter((cut) => cut < text.length), text.length])].sort((a, b) => a - b);
        expect(shown(...places.slice(1).map((end, i) => text.slice(places[i], end)))).toBe(shown(text));
      }),
    );
  });
});

describe('widths', () => {
  it('counts wide letters twice and joining marks not at all', () => {
    expect(['abc', '日本', 'e\u0301', '🚢'].map(displayWidth)).toEqual([3, 4, 1, 2]);
  });

  it('a text that was fitted takes at most so many columns, and one that was padded at least', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.integer({ min: 1, max: 30 }), (text, columns) => {
        expect(displayWidth(fitTo(text, columns))).toBeLessThanOrEqual(columns);
        expect(displayWidth(padTo(text, columns))).toBeGreaterThanOrEqual(columns);
      }),
    );
  });
});
