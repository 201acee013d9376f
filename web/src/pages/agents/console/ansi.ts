// Reads one console line with terminal sequences (ECMA-48, XTerm) into spans. Colours and weights are kept as class
// names; whatever else a sequence asks of a terminal is dropped. The result is data, never markup.
import { revealed } from '../../../ui/reveal.ts';

export interface Span {
  readonly text: string;
  /** Class names, empty for plain text. */
  readonly look: string;
  readonly isEscape: boolean;
}

/** What the next line begins with: colours go on until they are changed. */
export interface Style {
  readonly color: number | undefined;
  readonly flags: readonly string[];
}

export const plainStyle: Style = { color: undefined, flags: [] };

// CSI … final byte | OSC, DCS, SOS, PM, APC … up to BEL or ST | two-character escapes | the 8-bit CSI | a broken rest.
const sequence =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences are made of them
  /(?:\u001b\[|\u009b)([0-?]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c|$)|(?:\u001b\[|\u009b)[0-?]*[ -/]*$|\u001b[ -/]*[0-~]|\u001b$/g;

export function readLine(raw: string, before: Style): { spans: Span[]; after: Style } {
  const line = lastOverwrite(raw);
  const spans: Span[] = [];
  let style = before;
  let last = 0;
  const take = (text: string): void => {
    const look = lookOf(style);
    for (const piece of revealed(text)) spans.push({ text: piece.text, look, isEscape: piece.isEscape });
  };
  for (const match of line.matchAll(sequence)) {
    if (match.index > last) take(line.slice(last, match.index));
    if (match[2] === 'm') style = styled(style, match[1] ?? '');
    last = match.index + match[0].length;
  }
  if (last < line.length) take(line.slice(last));
  return { spans, after: style };
}

export function textOf(spans: readonly Span[]): string {
  return spans.map((span) => span.text).join('');
}

// A progress bar writes over its own line by carriage returns; what was last written is what a terminal shows.
function lastOverwrite(raw: string): string {
  const line = raw.endsWith('\r') ? raw.replace(/\r+$/, '') : raw;
  const at = line.lastIndexOf('\r');
  return at < 0 ? line : line.slice(at + 1);
}

function styled(style: Style, parameters: string): Style {
  // Colons separate the parts of one colour in ISO 8613-6; for our purpose they are like semicolons.
  const codes = parameters === '' ? [0] : parameters.split(/[;:]/).map(Number);
  let { color } = style;
  const flags = new Set(style.flags);
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 0) {
      color = undefined;
      flags.clear();
    } else if (code in switchedOn) flags.add(switchedOn[code]!);
    else if (code in switchedOff) for (const flag of switchedOff[code]!) flags.delete(flag);
    else if (code >= 30 && code <= 37) color = code - 30;
    else if (code >= 90 && code <= 97) color = code - 90;
    else if (code === 39) color = undefined;
    else if (code === 38 || code === 48 || code === 58) {
      const { tone, used } = extended(codes.slice(at + 1));
      if (code === 38) color = tone;
      at += used;
    }
  }
  return { color, flags: [...flags] };
}

const switchedOn: Readonly<Record<number, string>> = {
  1: 'a-bold',
  2: 'a-dim',
  3: 'a-italic',
  4: 'a-underline',
  7: 'a-inverse',
  9: 'a-strike',
};
const switchedOff: Readonly<Record<number, readonly string[]>> = {
  22: ['a-bold', 'a-dim'],
  23: ['a-italic'],
  24: ['a-underline'],
  27: ['a-inverse'],
  29: ['a-strike'],
};

// 256 colours and true colour come down to the eight tones of the page, which are readable in every theme.
function extended(rest: readonly number[]): { tone: number | undefined; used: number } {
  if (rest[0] === 5) return { tone: toneOfPalette(rest[1] ?? 0), used: 2 };
  if (rest[0] === 2) return { tone: toneOf(rest[1] ?? 0, rest[2] ?? 0, rest[3] ?? 0), used: 4 };
  return { tone: undefined, used: 0 };
}

function toneOfPalette(n: number): number {
  if (n < 16) return n % 8;
  if (n >= 232) return n < 244 ? 0 : 7;
  const cube = n - 16;
  return toneOf(Math.floor(cube / 36) * 51, (Math.floor(cube / 6) % 6) * 51, (cube % 6) * 51);
}

function toneOf(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  if (most - Math.min(red, green, blue) < 40) return most < 128 ? 0 : 7;
  const isOn = (part: number): boolean => part > most * 0.6;
  return (isOn(red) ? 1 : 0) + (isOn(green) ? 2 : 0) + (isOn(blue) ? 4 : 0);
}

function lookOf(style: Style): string {
  return [style.color === undefined ? '' : `c${style.color}`, ...style.flags].filter(Boolean).join(' ');
}
