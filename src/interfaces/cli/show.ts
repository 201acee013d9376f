// How answers look on a terminal: tables for lists, aligned lines for one thing. Text from outside is shown with its
// control characters escaped, so that it can neither move the cursor nor forge a line.
import picocolors from 'picocolors';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being escaped
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g;
const WIDEST = 60;

export function escapeControl(text: string): string {
  return text.replace(CONTROL, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function table(items: readonly Record<string, unknown>[], columns: readonly string[]): string {
  const rows = items.map((item) => columns.map((column) => cell(valueAt(item, column))));
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((text, i) => text.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  return [picocolors.bold(line(columns.map((column) => column.toUpperCase()))), ...rows.map(line)].join('\n');
}

/** One thing, a line a field; nested values as JSON. */
export function fields(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return cell(value);
  const entries = Object.entries(value);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries
    .map(([name, field]) => `${picocolors.dim(name.padEnd(width))}  ${escapeControl(plain(field))}`)
    .join('\n');
}

function cell(value: unknown): string {
  const text = escapeControl(plain(value));
  return text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text;
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function valueAt(item: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], item);
}
