// One answer in the form that was asked for: a table for people, JSON, YAML or CSV for programs, ids alone for xargs.
import type { z } from 'zod';
import { CliFailure } from './client.ts';
import { exitCodes } from './exit-codes.ts';
import { suggestion } from './nearest.ts';
import { escapeControl, escapeLines } from './plain-text.ts';
import { fields as fieldLines, fittedTable, type Look, valueAt } from './show.ts';

export const formats = ['table', 'json', 'ndjson', 'yaml', 'csv', 'id'] as const;
export type Format = (typeof formats)[number];

type Row = Readonly<Record<string, unknown>>;

export interface Form {
  readonly format: Format;
  /** What `--fields` named, as dotted paths. */
  readonly fields: readonly string[] | undefined;
  readonly look: Look;
}

export interface AnswerKind {
  /** Of a table, when nobody named others. */
  readonly columns?: readonly string[] | undefined;
  /** Names of the field that another command takes to mean one of them, best first. */
  readonly ids?: readonly string[];
}

export interface Rendered {
  readonly text: string;
  /** What people should know besides. */
  readonly note?: string;
}

export async function render(answer: unknown, form: Form, kind: AnswerKind = {}): Promise<Rendered> {
  const rows = rowsOf(answer);
  const chosen = form.fields === undefined ? answer : choose(answer, rows, form.fields);
  switch (form.format) {
    case 'table':
      return asTable(answer, rows, form, kind);
    case 'json':
      return { text: escapeControl(JSON.stringify(chosen)) };
    case 'ndjson':
      return { text: (rowsOf(chosen)?.items ?? [chosen]).map((row) => escapeControl(JSON.stringify(row))).join('\n') };
    case 'yaml': {
      const { stringify } = await import('yaml');
      return { text: escapeLines(stringify(chosen, { lineWidth: 0 }).trimEnd()) };
    }
    case 'csv':
      return {
        text: asCsv(rows?.items ?? [answer as Row], form.fields ?? (rows === undefined ? undefined : kind.columns)),
      };
    case 'id':
      return { text: (rows?.items ?? [answer as Row]).map((row) => idOf(row, kind)).join('\n') };
  }
}

/** The list in an answer: its `items`, else the one list of things that it holds. */
function rowsOf(answer: unknown): { readonly key: string; readonly items: readonly Row[] } | undefined {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return undefined;
  const lists = Object.entries(answer).filter(
    (entry): entry is [string, Row[]] => Array.isArray(entry[1]) && entry[1].every(isRow),
  );
  const found = lists.find(([key]) => key === 'items') ?? (lists.length === 1 ? lists[0] : undefined);
  if (found === undefined || (found[0] !== 'items' && found[1].length === 0)) return undefined;
  return { key: found[0], items: found[1] };
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function choose(answer: unknown, rows: ReturnType<typeof rowsOf>, paths: readonly string[]): unknown {
  if (rows === undefined) return pick(answer, paths);
  return { ...(answer as Row), [rows.key]: rows.items.map((row) => pick(row, paths)) };
}

// As nested as it was, so that the same path finds it.
function pick(value: unknown, paths: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const path of paths) {
    const keys = path.split('.');
    let place = picked;
    for (const key of keys.slice(0, -1)) {
      if (!isRow(place[key])) place[key] = {};
      place = place[key] as Record<string, unknown>;
    }
    place[keys.at(-1)!] = valueAt(value, path) ?? null;
  }
  return picked;
}

function asTable(answer: unknown, rows: ReturnType<typeof rowsOf>, form: Form, kind: AnswerKind): Rendered {
  const columns = form.fields ?? kind.columns;
  if (rows === undefined || columns === undefined) {
    return { text: fieldLines(form.fields === undefined ? answer : flat(answer, form.fields), form.look) };
  }
  if (rows.items.length === 0) return { text: 'nothing' };
  const { text, leftOut } = fittedTable(rows.items, columns, form.look);
  const { next_cursor: next } = answer as { next_cursor?: unknown };
  const notes = [
    ...(leftOut.length === 0 ? [] : [`no room for ${leftOut.join(', ')}: choose with --fields, or -o json`]),
    ...(typeof next === 'string' ? [`there are more: --after ${escapeControl(next)}`] : []),
  ];
  return notes.length === 0 ? { text } : { text, note: notes.join('\n') };
}

function flat(value: unknown, paths: readonly string[]): Row {
  return Object.fromEntries(paths.map((path) => [path, valueAt(value, path)]));
}

// RFC 4180, but one line a row: line ends within a value are escaped like all control characters.
function asCsv(rows: readonly Row[], wanted: readonly string[] | undefined): string {
  const columns = wanted ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value: unknown) => {
    if (value === null || value === undefined) return '';
    const text = escapeControl(typeof value === 'string' ? value : JSON.stringify(value));
    return /[",]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows.map((row) => columns.map((column) => valueAt(row, column)))]
    .map((cells) => cells.map(cell).join(','))
    .join('\n');
}

function idOf(row: Row, { ids = [], columns = [] }: AnswerKind): string {
  const known = [...ids, 'id', ...columns.slice(0, 1), ...Object.keys(row)].find(
    (name) => typeof row[name] === 'string',
  );
  if (known === undefined) throw new CliFailure('this answer has no id', exitCodes.usage, 'Use -o json.');
  return escapeControl(String(row[known]));
}

/** Refuses a path that no answer of this shape can hold. */
export function checkFields(paths: readonly string[], output: z.ZodType): void {
  const shape = rowSchema(output);
  for (const path of paths) {
    let schema: z.ZodType | undefined = shape;
    for (const key of path.split('.')) {
      const known = keysOf(schema);
      if (known === 'any') break;
      if (!known.has(key)) {
        const near = suggestion(key, known.keys());
        const hint = near === '' ? `There are: ${[...known.keys()].join(', ')}.` : near;
        throw new CliFailure(`--fields: there is no field ${escapeControl(path)}`, exitCodes.usage, hint);
      }
      schema = known.get(key);
    }
  }
}

/** Names of the fields of an answer, or of its items. */
export function fieldNames(output: z.ZodType): string[] {
  const known = keysOf(rowSchema(output));
  return known === 'any' ? [] : [...known.keys()];
}

function rowSchema(output: z.ZodType): z.ZodType {
  const known = keysOf(output);
  if (known === 'any') return output;
  const lists = [...known].filter(([, schema]) => definition(schema).type === 'array');
  const list = lists.find(([key]) => key === 'items') ?? (lists.length === 1 ? lists[0] : undefined);
  const element = list === undefined ? undefined : definition(list[1]).element;
  return element !== undefined && keysOf(element) !== 'any' ? element : output;
}

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
}

function definition(schema: z.ZodType): Definition {
  const { def } = schema as unknown as { def: Definition };
  const inner = def.innerType ?? (def.type === 'pipe' ? def.in : undefined);
  return inner === undefined ? def : definition(inner);
}

// A list within an item may be named but not gone into; what has no fixed keys is taken as it comes.
function keysOf(schema: z.ZodType | undefined): ReadonlyMap<string, z.ZodType> | 'any' {
  if (schema === undefined) return new Map();
  const { type, shape } = definition(schema);
  if (type === 'object' && shape !== undefined) return new Map(Object.entries(shape));
  return ['record', 'unknown', 'any', 'union', 'lazy', 'intersection'].includes(type) ? 'any' : new Map();
}
