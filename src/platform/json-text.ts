// One pass over JSON text before it is parsed: what JSON.parse lets through and a store must not (duplicate keys, depth,
// NUL, lone surrogates, integers it would round). Costs about as much as JSON.parse itself.
import { platformErrors } from './platform-errors.ts';

export interface JsonLimits {
  /** Nested objects and arrays. */
  readonly depth: number;
  /** Keys in one object. */
  readonly keys: number;
}

export const defaultJsonLimits: JsonLimits = { depth: 64, keys: 1000 };

/** Parses JSON text from outside. Throws `bad_json`, `too_deep`, `invalid_text` or `invalid_input`. */
export function parseJsonText(text: string, limits: JsonLimits = defaultJsonLimits): unknown {
  scan(text, limits);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw platformErrors.bad_json({ problem: 'it cannot be parsed' }, cause);
  }
}

/** An open object or array. */
interface Level {
  /** Keys seen so far; undefined in an array. */
  readonly keys: Set<string> | undefined;
  /** The key whose value is being read. */
  key: string;
  /** Whether it is the value of the key `constructor`. */
  readonly ofConstructor: boolean;
}

function scan(text: string, limits: JsonLimits): void {
  if (!text.isWellFormed()) throw platformErrors.invalid_text({ problem: 'a lone surrogate' });
  const open: Level[] = [];
  let expectKey = false;
  let at = 0;
  while (at < text.length) {
    const char = text.charCodeAt(at);
    if (char === 0x22) {
      const end = endOfString(text, at);
      const raw = text.slice(at + 1, end);
      if (raw.includes('\\')) checkEscapes(raw);
      if (expectKey) {
        addKey(open.at(-1), raw, limits);
        expectKey = false;
      }
      at = end + 1;
      continue;
    }
    if (char === 0x7b || char === 0x5b) {
      open.push({
        keys: char === 0x7b ? new Set() : undefined,
        key: '',
        ofConstructor: open.at(-1)?.key === 'constructor',
      });
      if (open.length > limits.depth) throw platformErrors.too_deep({ limit: limits.depth });
      expectKey = char === 0x7b;
    } else if (char === 0x7d || char === 0x5d) {
      open.pop();
      expectKey = false;
    } else if (char === 0x2c) {
      expectKey = open.at(-1)?.keys !== undefined;
    } else if (char === 0x2d || (char >= 0x30 && char <= 0x39)) {
      at = checkNumber(text, at);
      continue;
    }
    at++;
  }
}

function endOfString(text: string, start: number): number {
  let end = start + 1;
  for (;;) {
    end = text.indexOf('"', end);
    if (end < 0) throw platformErrors.bad_json({ problem: 'a string is not closed' });
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
    end++;
  }
}

// Keys with which a careless merge further on would change every object of a program.
function addKey(level: Level | undefined, raw: string, limits: JsonLimits): void {
  if (level?.keys === undefined) return;
  const { keys } = level;
  const key = raw.includes('\\') ? unescaped(raw) : raw;
  if (key === '__proto__' || (key === 'prototype' && level.ofConstructor)) {
    throw platformErrors.bad_json({ problem: `the key ${key} is not allowed here` });
  }
  if (keys.has(key)) throw platformErrors.bad_json({ problem: `the key "${key}" appears twice in one object` });
  keys.add(key);
  level.key = key;
  if (keys.size > limits.keys) {
    throw platformErrors.invalid_input({ problem: `an object has more than ${limits.keys} keys` });
  }
}

function unescaped(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch (cause) {
    throw platformErrors.bad_json({ problem: 'a string holds a wrong escape' }, cause);
  }
}

// PostgreSQL refuses \u0000 (22P05) and would store a lone surrogate as U+FFFD without a word.
function checkEscapes(raw: string): void {
  const value = unescaped(raw);
  if (value.includes('\u0000')) throw platformErrors.invalid_text({ problem: 'a NUL character' });
  if (!value.isWellFormed()) throw platformErrors.invalid_text({ problem: 'a lone surrogate' });
}

const NUMBER = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y;

function checkNumber(text: string, at: number): number {
  NUMBER.lastIndex = at;
  const match = NUMBER.exec(text);
  if (match === null) return at + 1;
  const value = Number(match[0]);
  if (!Number.isFinite(value)) throw platformErrors.invalid_input({ problem: `the number ${match[0]} is too large` });
  if (match[1] === undefined && match[2] === undefined && !Number.isSafeInteger(value)) {
    throw platformErrors.invalid_input({ problem: `the integer ${match[0]} is beyond 2^53 and would be rounded` });
  }
  return at + match[0].length;
}
