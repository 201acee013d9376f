// What a channel allows, in words and as a form holds it. Pure.
import { words } from './words.ts';

export interface Limit {
  readonly limit: number;
  readonly window_seconds: number;
}

/** `second`, `10 seconds`, `hour`, `7 days`: what follows “in any”. */
export function windowWords(seconds: number): string {
  for (const [length, one] of words.units.toReversed()) {
    if (seconds % length === 0 && seconds >= length) {
      const n = seconds / length;
      return n === 1 ? one : `${n.toLocaleString('en')} ${one}s`;
    }
  }
  return words.never;
}

/** One sentence that says what will hold. */
export function allowsWords(concurrency: number | null, limits: readonly Limit[]): string {
  const most = (limit: Limit): string =>
    words.inWindow(limit.limit.toLocaleString('en'), windowWords(limit.window_seconds));
  const windows = [...limits].sort((a, b) => a.window_seconds - b.window_seconds).map(most);
  if (concurrency === null && windows.length === 0) return words.anyNumber;
  const parts = [
    ...(concurrency === null ? [] : [words.atOnce(concurrency)]),
    ...(windows.length === 0 ? [] : [words.starts(listWords(windows))]),
  ];
  const text = parts.join(words.and);
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

function listWords(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')}${words.and}${parts.at(-1)}`;
}

export interface LimitField {
  readonly key: number;
  readonly limit: string;
  readonly count: string;
  readonly unit: number;
}

/** The largest unit that says a window in whole numbers. */
export function fieldOf({ limit, window_seconds }: Limit, key: number): LimitField {
  const unit = words.units.findLast(([length]) => window_seconds % length === 0)?.[0] ?? 1;
  return { key, limit: String(limit), count: String(window_seconds / unit), unit };
}

export interface ReadForm {
  readonly concurrency: number | null;
  readonly limits: readonly Limit[];
  readonly problems: readonly string[];
}

/** What is wrong is said, as the server would say it. */
export function readForm(concurrency: string, fields: readonly LimitField[]): ReadForm {
  const problems: string[] = [];
  const atOnce = concurrency.trim() === '' ? null : wholeNumber(concurrency, 1, 100_000);
  if (atOnce === undefined) problems.push(words.badConcurrency);
  const limits = fields.flatMap(({ limit, count, unit }) => {
    const most = wholeNumber(limit, 1, 1_000_000_000);
    const times = wholeNumber(count, 1, 31_536_000 / unit);
    if (most === undefined) problems.push(words.badLimit);
    if (times === undefined) problems.push(words.badWindow);
    return most === undefined || times === undefined ? [] : [{ limit: most, window_seconds: times * unit }];
  });
  const windows = limits.map((limit) => limit.window_seconds);
  const twice = windows.find((seconds, place) => windows.indexOf(seconds) !== place);
  if (twice !== undefined) problems.push(words.windowTwice(windowWords(twice)));
  return { concurrency: atOnce ?? null, limits, problems: [...new Set(problems)] };
}

/** Windows that the new limits find full already: nothing starts until something falls out of them. */
export function fullAlready(now: readonly (Limit & { readonly used: number })[], next: readonly Limit[]): string[] {
  return next.flatMap(({ limit, window_seconds }) => {
    const used = now.find((one) => one.window_seconds === window_seconds)?.used ?? 0;
    return used < limit ? [] : [words.fullAlready(used.toLocaleString('en'), windowWords(window_seconds))];
  });
}

function wholeNumber(text: string, least: number, most: number): number | undefined {
  const number = Number(text);
  return text.trim() !== '' && Number.isInteger(number) && number >= least && number <= most ? number : undefined;
}
