import { describe, expect, it } from 'vitest';
import { plainStyle, readLine, textOf } from './ansi.ts';

const read = (raw: string) => readLine(raw, plainStyle).spans.map((span) => [span.text, span.look]);

describe('a console line', () => {
  it('keeps colours and weights as class names', () => {
    expect(read('\u001b[1;31mred\u001b[0m plain \u001b[92mgreen')).toEqual([
      ['red', 'c1 a-bold'],
      [' plain ', ''],
      ['green', 'c2'],
    ]);
  });

  it('brings 256 colours and true colour down to the tones of the page', () => {
    expect(read('\u001b[38;5;196mx\u001b[38;2;10;200;30my\u001b[38:5:21mz\u001b[48;5;1;3mw')).toEqual([
      ['x', 'c1'],
      ['y', 'c2'],
      ['z', 'c4'],
      ['w', 'c4 a-italic'],
    ]);
  });

  it('drops every other sequence: cursor, title, hyperlink, device control, and one that is cut off', () => {
    const raw =
      'a\u001b[2Kb\u001b]0;title\u0007c\u001b]8;;http://x\u001b\\d\u001bPq#\u001b\\e\u001b(Bf\u009b31mg\u001b[3';
    expect(textOf(readLine(raw, plainStyle).spans)).toBe('abcdefg');
  });

  it('goes on with the colour of the line before', () => {
    const first = readLine('\u001b[33mbegin', plainStyle);
    expect(readLine('end\u001b[39m.', first.after).spans.map((span) => span.look)).toEqual(['c3', '']);
  });

  it('shows what a progress bar wrote last', () => {
    expect(textOf(readLine('10%\r50%\r100%\r', plainStyle).spans)).toBe('100%');
  });

  it('shows characters that hide or turn text around by their number', () => {
    const { spans } = readLine('user\u202egpj.exe zero\u200bwidth', plainStyle);
    expect(spans.filter((span) => span.isEscape).map((span) => span.text)).toEqual(['\\u{202e}', '\\u{200b}']);
  });

  it('leaves pictures made of several characters alone', () => {
    expect(textOf(readLine('a 👩‍💻 b ❤️ c', plainStyle).spans)).toBe('a 👩‍💻 b ❤️ c');
  });
});
