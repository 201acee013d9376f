// The ends of the log files, with what says how it went and without what it was about: of a line of ours the fields that are
// known or numbers, of the database's log no statement and no row.
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

const TAIL_BYTES = 512 * 1024;
const LINE_BYTES = 32 * 1024;
const MOST_FILES = 40;
const LEFT_OUT = '[left out]';
const KEPT = new Set([
  'level',
  'time',
  'name',
  'msg',
  'code',
  'role',
  'part',
  'loop',
  'event_type',
  'signal',
  'state',
  'version',
  'method',
  'route',
]);
const ERROR_FIELDS = new Set(['type', 'message', 'stack', 'code', 'name', 'severity', 'routine']);

/** Names of the files in the directory of logs, moved-aside ones too, the newest first. */
export function logFiles(logs: string): string[] {
  return readdirSync(logs, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^[\w.-]{1,60}\.log(\.\d+)?$/.test(entry.name))
    .map(({ name }) => ({ name, at: statSync(join(logs, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at)
    .slice(0, MOST_FILES)
    .map(({ name }) => name);
}

export function logTail(logs: string, name: string): string {
  const lines = tailLines(join(logs, name));
  const shown = name.startsWith('postgres') ? serverLines(lines) : lines.map(shownLine);
  return shown.map((line) => `${line}\n`).join('');
}

function tailLines(path: string): string[] {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(0, size - TAIL_BYTES);
    const buffer = Buffer.alloc(size - start);
    const read = readSync(descriptor, buffer, 0, buffer.length, start);
    const lines = buffer.subarray(0, read).toString().split('\n');
    // The first may be cut in its middle, where nobody recognises what is in it.
    return (start > 0 ? lines.slice(1) : lines)
      .filter((line) => line.trim() !== '')
      .map((line) => (line.length > LINE_BYTES ? `[a line of ${line.length} characters left out]` : line));
  } finally {
    closeSync(descriptor);
  }
}

function shownLine(line: string): string {
  const fields = parse(line);
  if (fields === undefined) return words(line);
  return JSON.stringify(
    Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, shownField(key, value)])),
  );
}

function shownField(key: string, value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (KEPT.has(key) && typeof value === 'string') return words(value);
  if (key === 'err' && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value as object)
        .filter(([name, part]) => ERROR_FIELDS.has(name) && typeof part === 'string')
        .map(([name, part]) => [name, words(part as string)]),
    );
  }
  return LEFT_OUT;
}

// Severities beside which PostgreSQL tells what a statement or a row holds; a line that begins with a tab goes on with it.
function serverLines(lines: readonly string[]): string[] {
  return lines
    .filter((line) => !line.startsWith('\t'))
    .map((line) => words(line.replace(/\b(DETAIL|STATEMENT|QUERY|CONTEXT): .*$/, `$1:  ${LEFT_OUT}`)));
}

// Errors quote what they were given: short words in quotes are names, long ones are content. So is JSON.
function words(text: string): string {
  return text
    .replace(/"(?:[^"\\\n]|\\.){40,}"?/g, `"${LEFT_OUT}"`)
    .replace(/'(?:[^'\\\n]|\\.){40,}'?/g, `'${LEFT_OUT}'`)
    .replace(/\{\s*"[^\n]*/g, LEFT_OUT);
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
