// Bodies that no operation may take, made from its example.
import type { AnyOperation } from '../../src/platform/operation.ts';
import { pathParameters } from '../../src/platform/operation.ts';
import type { Expected } from './refusal.ts';
import { exampleRequest } from './sample-request.ts';
import type { RequestParts } from './wire.ts';

export interface HostileBody {
  readonly title: string;
  readonly parts: (operation: AnyOperation) => RequestParts;
  readonly expected: Expected;
}

const BAD_JSON = { status: [400], codes: ['bad_json'] };
const V = { status: [422], codes: ['invalid_input'] };
const UNSUPPORTED = { status: [415], codes: ['unsupported_media_type'] };

export const hostileBodies: readonly HostileBody[] = [
  body('JSON that is cut off', (text) => text.slice(0, -1), BAD_JSON),
  body('an empty body with a length', () => '', BAD_JSON),
  body('the key __proto__', (text) => withField(text, '"__proto__": {"admin": true}'), BAD_JSON),
  body('the key __proto__ written with an escape', (text) => withField(text, '"__pr\\u006fto__": {}'), BAD_JSON),
  body('constructor.prototype', (text) => withField(text, '"constructor": {"prototype": {"admin": true}}'), BAD_JSON),
  body('65 levels', (text) => withField(text, `"deep": ${nested(64)}`), { status: [422], codes: ['too_deep'] }),
  body('200,000 levels', (text) => withField(text, `"deep": ${nested(200_000)}`), {
    status: [422],
    codes: ['too_deep'],
  }),
  body('a body that is no object', (text) => `[${text}]`, V),
  body('an unknown field', (text) => withField(text, '"no_such_field": 1'), { ...V, field: 'no_such_field' }),
  body('the number 1e400', (text) => withField(text, '"n": 1e400'), V),
  body('an integer beyond 2^53', (text) => withField(text, '"n": 9007199254740993'), V),
  body('1,001 keys', (text) => withField(text, keys(1001)), V),
  body('a key that comes twice', (text) => withField(text, '"twice": 1, "twice": 2'), BAD_JSON),
  body('a NUL character', (text) => withField(text, '"n": "\\u0000"'), { status: [422], codes: ['invalid_text'] }),
  body('a lone surrogate', (text) => withField(text, '"n": "\\ud800"'), { status: [422], codes: ['invalid_text'] }),
  body(
    'bytes that are not UTF-8',
    (text) => Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0x7d])]),
    BAD_JSON,
  ),
  body('UTF-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le'), BAD_JSON),
  typed('text/plain', 'text/plain'),
  typed('a form', 'application/x-www-form-urlencoded'),
  typed('charset=utf-16', 'application/json; charset=utf-16'),
  typed('JSON with a suffix', 'application/merge-patch+json'),
  typed('no content type at all', ''),
  {
    title: 'a content type that is no content type',
    parts: (operation) => withText(operation, () => '{}', { 'content-type': '@@@' }),
    expected: UNSUPPORTED,
  },
  {
    // Only the headers are sent: the refusal must not wait for the body.
    title: 'a body that says it is one byte too large',
    parts: (operation) => ({
      ...exampleRequest(operation),
      body: undefined,
      headers: { 'content-type': 'application/json', 'content-length': String(operation.bodyLimit + 1) },
    }),
    expected: { status: [413], codes: ['payload_too_large'] },
  },
  {
    title: 'a compressed body',
    parts: (operation) => withText(operation, (text) => text, { 'content-encoding': 'gzip' }),
    expected: UNSUPPORTED,
  },
];

function body(title: string, change: (text: string) => string | Buffer, expected: Expected): HostileBody {
  return { title, parts: (operation) => withText(operation, change), expected };
}

function typed(title: string, contentType: string): HostileBody {
  return {
    title: `a body of the type ${title}`,
    parts: (operation) => withText(operation, (text) => text, { 'content-type': contentType }),
    expected: UNSUPPORTED,
  };
}

function withText(
  operation: AnyOperation,
  change: (text: string) => string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): RequestParts {
  const inPath = pathParameters(operation.path);
  const rest = Object.fromEntries(Object.entries(operation.example).filter(([name]) => !inPath.includes(name)));
  return { ...exampleRequest(operation), headers, body: change(JSON.stringify(rest)) };
}

function withField(text: string, member: string): string {
  return text === '{}' ? `{${member}}` : `${text.slice(0, -1)}, ${member}}`;
}

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

function keys(count: number): string {
  return Array.from({ length: count }, (_, i) => `"k${i}": 0`).join();
}
