// How answers look on a terminal: tables for lists, aligned lines for one thing. On a terminal a table is made to fit;
// into a pipe it goes whole.
import picocolors from 'picocolors';
import type { Colours } from './colours.ts';
import { displayWidth, escapeControl, fitTo, padTo } from './plain-text.ts';

export interface Look {
  /** Columns of the terminal; undefined: as wide as it gets. */
  readonly width?: number | undefined;
  readonly colours?: Colours;
}

const GAP = 2;
// Narrower than this a column says nothing.
const NARROWEST = 8;
const plainColours = picocolors.createColors(false);

export interface Table {
  readonly text: string;
  /** Columns for which there was no room, from the right. */
  readonly leftOut: readonly string[];
}

export function table(items: readonly Record<string, unknown>[], columns: readonly string[], look: Look = {}): string {
  return fittedTable(items, columns, look).text;
}

export function fittedTable(
  items: readonly Record<string, unknown>[],
  columns: readonly string[],
  { width, colours = plainColours }: Look = {},
): Table {
  const heads = columns.map((column) => column.toUpperCase());
  const rows = items.map((item) => columns.map((column) => cellText(valueAt(item, column))));
  const natural = heads.map((head, i) => Math.max(displayWidth(head), ...rows.map((row) => displayWidth(row[i]!))));
  const widths = width === undefined ? natural : fitWidths(natural, width);
  const line = (cells: readonly string[]) =>
    widths
      .map((columnWidth, i) => padTo(fitTo(cells[i]!, columnWidth), columnWidth))
      .join(' '.repeat(GAP))
      .trimEnd();
  return {
    text: [colours.bold(line(heads)), ...rows.map(line)].join('\n'),
    leftOut: columns.slice(widths.length),
  };
}

/** Takes from the widest until all fit; when nothing is left to take, columns go from the right. */
export function fitWidths(natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, one) => sum + one, 0) + GAP * (widths.length - 1);
  while (total() > width) {
    const widest = Math.max(...widths);
    if (widest > NARROWEST) {
      const next = Math.max(NARROWEST, ...widths.filter((one) => one < widest));
      const among = widths.filter((one) => one === widest).length;
      const take = Math.max(1, Math.min(widest - next, Math.ceil((total() - width) / among)));
      for (const [i, one] of widths.entries()) if (one === widest) widths[i] = one - take;
    } else if (widths.length > 1) {
      widths.pop();
    } else {
      break;
    }
  }
  return widths;
}

/** One thing, a line a field; nested values as JSON. */
export function fields(value: unknown, { colours = plainColours }: Look = {}): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return cellText(value);
  const entries = Object.entries(value).map(([name, field]) => [escapeControl(name), field] as const);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, field]) => `${colours.dim(name.padEnd(width))}  ${cellText(field)}`).join('\n');
}

/** A value on one line. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return escapeControl(typeof value === 'string' ? value : JSON.stringify(value));
}

/** `a.b` of an item. */
export function valueAt(item: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Record<string, unknown>)[key]
          : undefined,
      item,
    );
}
