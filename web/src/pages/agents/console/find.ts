// Finding text in console lines. Pure.
import type { Span } from './ansi.ts';
import type { ConsoleLine } from './console-buffer.ts';

/** Indices of the lines that hold `query`, upper and lower case alike. */
export function hitsIn(lines: readonly ConsoleLine[], query: string): number[] {
  const needle = query.toLowerCase();
  if (needle === '') return [];
  const hits: number[] = [];
  lines.forEach((line, index) => {
    if (line.text.toLowerCase().includes(needle)) hits.push(index);
  });
  return hits;
}

export interface MarkedSpan extends Span {
  readonly isHit: boolean;
}

/** Cuts spans where `query` begins and ends in the text that they make together. */
export function marked(spans: readonly Span[], query: string): MarkedSpan[] {
  const text = spans.map((span) => span.text).join('');
  const ranges = rangesOf(text.toLowerCase(), query.toLowerCase());
  const result: MarkedSpan[] = [];
  let at = 0;
  for (const span of spans) {
    const end = at + span.text.length;
    let from = at;
    for (const [start, stop] of ranges) {
      if (stop <= from || start >= end) continue;
      const begin = Math.max(start, from);
      const finish = Math.min(stop, end);
      if (begin > from) result.push({ ...span, text: text.slice(from, begin), isHit: false });
      result.push({ ...span, text: text.slice(begin, finish), isHit: true });
      from = finish;
    }
    if (from < end) result.push({ ...span, text: text.slice(from, end), isHit: false });
    at = end;
  }
  return result;
}

function rangesOf(text: string, needle: string): [number, number][] {
  const ranges: [number, number][] = [];
  if (needle === '') return ranges;
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + needle.length)) {
    ranges.push([at, at + needle.length]);
  }
  return ranges;
}
