import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeConsoleBuffer } from './console-buffer.ts';

const piece = (text: string, offset: number, first = 0) => ({
  text,
  offset,
  next_offset: offset + text.length,
  first_offset: first,
});
const texts = (buffer: ReturnType<typeof makeConsoleBuffer>) => buffer.lines.map((line) => line.text);

describe('a console buffer', () => {
  it('holds the same lines however the text is cut into pieces', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '\n', ' ') }), fc.array(fc.nat(40)), (text, cuts) => {
        const places = [...new Set(cuts.filter((cut) => cut < text.length))].sort((a, b) => a - b);
        const cut = makeConsoleBuffer();
        [0, ...places].forEach((at, index, all) => {
          cut.append(piece(text.slice(at, all[index + 1] ?? text.length), at));
        });
        const expected = text.split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect(texts(cut)).toEqual(expected);
      }),
    );
  });

  it('joins an older piece with the line that it ends in', () => {
    const buffer = makeConsoleBuffer();
    buffer.append(piece('ree\nfour\n', 10));
    buffer.prepend({ text: 'one\ntwo\nth', offset: 0, next_offset: 10, first_offset: 0 });
    expect(texts(buffer)).toEqual(['one', 'two', 'three', 'four']);
    expect(buffer.from).toBe(0);
    const ids = buffer.lines.map((line) => line.id);
    expect([...ids].sort((a, b) => a - b)).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('marks bytes that are no longer kept', () => {
    const buffer = makeConsoleBuffer();
    buffer.append(piece('one\ntw', 0));
    buffer.append(piece('nine\n', 100, 100));
    expect(buffer.lines.map((line) => line.gap ?? line.text)).toEqual(['one', 'tw', 94, 'nine']);
  });

  it('drops the oldest lines beyond its measure and says so', () => {
    const buffer = makeConsoleBuffer(100);
    buffer.append(piece(Array.from({ length: 500 }, (_, n) => `line ${n}`).join('\n'), 0));
    expect(buffer.lines.length).toBe(100);
    expect(buffer.lines.at(-1)?.text).toBe('line 499');
    expect(buffer.isCut).toBe(true);
  });
});
