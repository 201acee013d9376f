// How an operation is asked in each language, with the values of its example. Pure.
import type { ApiOperation } from './openapi.ts';

export const languages = ['curl', 'cli', 'typescript', 'python'] as const;
export type Language = (typeof languages)[number];

/** Undefined where there is none. */
export function snippetOf(operation: ApiOperation, language: Language, origin: string): string | undefined {
  switch (language) {
    case 'curl':
      return curl(operation, origin);
    case 'cli':
      return operation.cli ?? undefined;
    case 'typescript':
      return typescript(operation);
    case 'python':
      return python(operation);
  }
}

/** The address with the values of path and query in it; what has no value stays `{name}`. */
export function addressOf(operation: ApiOperation, values: Readonly<Record<string, unknown>>): string {
  const path = operation.path.replace(/\{(\w+)\}/g, (whole, name: string) =>
    values[name] === undefined || values[name] === '' ? whole : encodeURIComponent(String(values[name])),
  );
  const query = new URLSearchParams(
    operation.parameters
      .filter((one) => one.in === 'query' && values[one.name] !== undefined && values[one.name] !== '')
      .map((one) => [one.name, String(values[one.name])]),
  ).toString();
  return query === '' ? path : `${path}?${query}`;
}

function curl(operation: ApiOperation, origin: string): string {
  const { method, example } = operation;
  const lines = [
    `curl${method === 'GET' ? '' : ` -X ${method}`} ${shell(`${origin}${addressOf(operation, example)}`)}`,
    ...(operation.ability === 'public' ? [] : ['  -H "authorization: Bearer $QUARTERDECK_TOKEN"']),
  ];
  if (operation.body !== undefined) {
    lines.push(`  -H 'content-type: application/json'`, `  -d ${shell(JSON.stringify(bodyOf(operation)))}`);
  }
  return lines.join(' \\\n');
}

function bodyOf({ example, parameters }: ApiOperation): Record<string, unknown> {
  const elsewhere = new Set(parameters.map(({ name }) => name));
  return Object.fromEntries(Object.entries(example).filter(([name]) => !elsewhere.has(name)));
}

function typescript({ sdk, example }: ApiOperation): string | undefined {
  if (sdk === null) return undefined;
  const input = Object.keys(example).length === 0 ? '' : inTypescript(example);
  return `import { Quarterdeck } from '@quarterdeck/sdk';

const qd = new Quarterdeck();
const answer = await qd.${camel(sdk.noun)}.${camel(sdk.verb)}(${input});`;
}

function python({ sdk, example }: ApiOperation): string | undefined {
  if (sdk === null) return undefined;
  const input = Object.entries(example).map(([name, value]) => `${name}=${inPython(value)}`);
  return `from quarterdeck import Quarterdeck

qd = Quarterdeck()
answer = qd.${sdk.noun}.${sdk.verb}(${input.join(', ')})`;
}

function inTypescript(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inTypescript).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(
      ([name, field]) => `${/^[A-Za-z_]\w*$/.test(name) ? name : quoted(name)}: ${inTypescript(field)}`,
    );
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
  }
  return typeof value === 'string' ? quoted(value) : JSON.stringify(value);
}

function inPython(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(inPython).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([name, field]) => `${JSON.stringify(name)}: ${inPython(field)}`)
      .join(', ')}}`;
  }
  return JSON.stringify(value);
}

function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function camel(snake: string): string {
  return snake.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
