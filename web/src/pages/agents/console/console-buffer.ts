// The lines of a console that are loaded: grown at the end by what is written, at the front by what is asked for, cut
// at the front when there are too many. Positions are the server's byte offsets.
import type { ConsolePiece } from '../../../api/routes.ts';
import { plainStyle, readLine, type Span, type Style, textOf } from './ansi.ts';

export interface ConsoleLine {
  /** Never reused; earlier lines have smaller ones. */
  readonly id: number;
  readonly spans: readonly Span[];
  readonly text: string;
  /** Set on a line that stands for bytes that are no longer kept. */
  readonly gap?: number;
}

export interface ConsoleBuffer {
  readonly lines: readonly ConsoleLine[];
  /** Offset of the first byte that is loaded, and of the byte behind the last. */
  readonly from: number;
  readonly to: number;
  /** The oldest byte that the server still has. */
  readonly first: number;
  /** True when lines left at the front because there were too many. */
  readonly isCut: boolean;
  append(piece: ConsolePiece): void;
  prepend(piece: ConsolePiece): void;
}

// A line longer than this is shown shortened; its text can be downloaded.
export const LONGEST_LINE = 4000;

export function makeConsoleBuffer(most = 20_000): ConsoleBuffer {
  let lines: ConsoleLine[] = [];
  let from = 0;
  let to: number | undefined;
  let first = 0;
  let isCut = false;
  let nextId = 0;
  let frontId = -1;
  // The last line as long as it has no end, and the style it begins with.
  let open = '';
  let isOpen = false;
  let style: Style = plainStyle;
  // The first line as it came, because older text may end in the middle of it.
  let firstRaw = '';

  const lineOf = (id: number, raw: string, before: Style): { line: ConsoleLine; after: Style } => {
    const { spans, after } = readLine(raw, before);
    return { line: { id, spans, text: textOf(spans) }, after };
  };

  const begin = (piece: ConsolePiece): void => {
    from = piece.offset;
    to = piece.offset;
    firstRaw = piece.text.split('\n', 1)[0] ?? '';
  };

  const mark = (bytes: number): void => {
    open = '';
    isOpen = false;
    style = plainStyle;
    lines.push({ id: nextId++, spans: [], text: '', gap: bytes });
  };

  return {
    get lines() {
      return lines;
    },
    get from() {
      return from;
    },
    get to() {
      return to ?? 0;
    },
    get first() {
      return first;
    },
    get isCut() {
      return isCut;
    },
    append(piece) {
      first = piece.first_offset;
      if (to === undefined) begin(piece);
      else if (piece.offset > to) {
        lines = [...lines];
        if (isOpen) lines.pop();
        if (isOpen && open !== '') lines.push(lineOf(nextId++, open, style).line);
        mark(piece.offset - to);
      }
      to = piece.next_offset;
      if (piece.text === '') return;
      lines = [...lines];
      if (isOpen) lines.pop();
      const parts = (open + piece.text).split('\n');
      open = parts.pop() ?? '';
      for (const raw of parts) {
        const { line, after } = lineOf(nextId++, raw, style);
        style = after;
        lines.push(line);
      }
      isOpen = open !== '';
      if (isOpen) lines.push(lineOf(nextId++, open, style).line);
      if (lines.length > most * 1.1) {
        lines = lines.slice(lines.length - most);
        isCut = true;
      }
    },
    prepend(piece) {
      first = piece.first_offset;
      if (isCut || piece.text === '' || piece.next_offset < from) return;
      const parts = (piece.text + firstRaw).split('\n');
      let before = plainStyle;
      const added: ConsoleLine[] = [];
      const ids = frontId - parts.length;
      parts.forEach((raw, index) => {
        const { line, after } = lineOf(ids + index + 1, raw, before);
        before = after;
        added.push(line);
      });
      frontId = ids;
      lines = [...added, ...lines.slice(1)];
      firstRaw = parts[0] ?? '';
      from = piece.offset;
    },
  };
}
