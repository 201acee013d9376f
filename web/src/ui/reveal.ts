// Makes characters visible that cannot be seen or that change the order of what is seen (UAX #9 controls, zero-width
// characters, other control codes): a line from outside must not be able to look like another line.

export interface Piece {
  readonly text: string;
  readonly isEscape: boolean;
}

const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ufe00-\ufe0f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export function revealed(text: string): Piece[] {
  const pieces: Piece[] = [];
  let last = 0;
  for (const match of text.matchAll(hidden)) {
    // The joiner and the emoji selector between pictures are what they are for, and can turn nothing around.
    if (isPartOfPicture(text, match.index, match[0])) continue;
    if (match.index > last) pieces.push({ text: text.slice(last, match.index), isEscape: false });
    pieces.push({ text: escapeOf(match[0]), isEscape: true });
    last = match.index + match[0].length;
  }
  if (last < text.length) pieces.push({ text: text.slice(last), isEscape: false });
  return pieces;
}

/** As plain text, for tables and titles. */
export function revealedText(text: string): string {
  return revealed(text)
    .map((piece) => piece.text)
    .join('');
}

function escapeOf(character: string): string {
  return `\\u{${character.charCodeAt(0).toString(16)}}`;
}

const picture = /\p{Extended_Pictographic}\ufe0f?$/u;

function isPartOfPicture(text: string, index: number, character: string): boolean {
  return (character === '\u200d' || character === '\ufe0f') && picture.test(text.slice(Math.max(0, index - 3), index));
}
