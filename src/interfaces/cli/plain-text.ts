// Text from outside made safe for a terminal: control characters are shown as escapes, so that they can neither move the
// cursor, nor forge a line, nor hide what stands there. A JSON reader takes the same escapes for the same text.

const UNSEEN = '\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060\\u2066-\\u2069\\ufeff';
const CONTROL = new RegExp(`[\\u0000-\\u001f${UNSEEN}]`, 'g');
const CONTROL_BUT_LINES = new RegExp(`[\\u0000-\\u0008\\u000b-\\u001f${UNSEEN}]`, 'g');
// Colours and weights, the only sequences that programs print everywhere.
// biome-ignore lint/suspicious/noControlCharactersInRegex: a style begins with one
const STYLE = /\u001b\[[\d;:]*m/g;
// What the next piece may go on with: a style not yet ended, or the first half of a Windows line end.
// biome-ignore lint/suspicious/noControlCharactersInRegex: a style begins with one
const UNFINISHED = /(?:\r|\u001b(?:\[[\d;:]{0,32})?)$/;

/** On one line, whatever it held. */
export function escapeControl(text: string): string {
  return text.replace(CONTROL, escaped);
}

/** Line ends and tabs stay. */
export function escapeLines(text: string): string {
  return text.replace(CONTROL_BUT_LINES, escaped);
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** What a program printed, piece by piece: without its colours, what it overwrote as lines of their own. */
export class ConsoleText {
  #held = '';

  push(piece: string): string {
    const text = this.#held + piece;
    this.#held = UNFINISHED.exec(text)?.[0] ?? '';
    return plain(text.slice(0, text.length - this.#held.length));
  }

  end(): string {
    const last = plain(this.#held);
    this.#held = '';
    return last;
  }
}

function plain(text: string): string {
  return escapeLines(text.replace(STYLE, '').replace(/\r\n?/g, '\n'));
}

// East Asian wide and full-width forms and pictures take two columns, marks that join a letter none.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;
const JOINING = /\p{M}/u;
const BEYOND_ASCII = /[^\x20-\x7e]/;

/** Columns that it takes on a terminal. */
export function displayWidth(text: string): number {
  if (!BEYOND_ASCII.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += JOINING.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

/** Cut to so many columns, with an ellipsis where something was cut. */
export function fitTo(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const char of text) {
    width += displayWidth(char);
    if (width > columns - 1) break;
    kept += char;
  }
  return `${kept}…`;
}

export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}
