// Ids: uuid v7 inside, a prefix and 22 characters of base62 on the wire (`job_0SjPq…`), which sort like the uuid.
import { randomBytes, randomFillSync } from 'node:crypto';
import { platformErrors } from './platform-errors.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const WIRE_LENGTH = 22;

let lastMs = 0;
let countInMs = 0;

/**
 * A uuid v7 (RFC 9562 §5.7): 48 bits of milliseconds, 12 bits that count within one (§6.2, method 1), then randomness.
 * Within a process each is above the one before, so what was made in order sorts in order.
 */
export function newUuid(): string {
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    countInMs = 0;
  } else if (++countInMs > 0xfff) {
    lastMs++;
    countInMs = 0;
  }
  const bytes = takeRandom(16);
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | countInMs, 6);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

// Each call into the kernel's randomness costs more than all the rest of an id, so it is fetched by the page. Only for
// ids: secrets draw their own (randomBase62).
const pool = Buffer.alloc(8192);
let taken = pool.length;

function takeRandom(length: number): Buffer {
  if (taken + length > pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  taken += length;
  return Buffer.from(pool.subarray(taken - length, taken));
}

// Numbers are exact up to 2^53: of the 22 digits eight at a time.
const EIGHT_DIGITS = 62n ** 8n;

/** `job`, uuid → `job_…` */
export function wireId(prefix: string, uuid: string): string {
  const value = BigInt(`0x${uuid.replaceAll('-', '')}`);
  const upper = value / EIGHT_DIGITS;
  const last = digits(Number(value % EIGHT_DIGITS), 8);
  const middle = digits(Number(upper % EIGHT_DIGITS), 8);
  return `${prefix}_${digits(Number(upper / EIGHT_DIGITS), WIRE_LENGTH - 16)}${middle}${last}`;
}

function digits(value: number, count: number): string {
  let text = '';
  let rest = value;
  for (let i = 0; i < count; i++) {
    text = ALPHABET[rest % 62] + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** The uuid of a wire id, or undefined when it is not one of this prefix. */
export function findUuid(prefix: string, id: string): string | undefined {
  if (!id.startsWith(`${prefix}_`) || id.length !== prefix.length + 1 + WIRE_LENGTH) return undefined;
  let value = 0n;
  for (const char of id.slice(prefix.length + 1)) {
    const digit = ALPHABET.indexOf(char);
    if (digit < 0) return undefined;
    value = value * 62n + BigInt(digit);
  }
  if (value >> 128n !== 0n) return undefined;
  const hex = value.toString(16).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** As `findUuid`; throws `invalid_input` naming the field. */
export function getUuid(prefix: string, id: string, field: string): string {
  const uuid = findUuid(prefix, id);
  if (uuid === undefined) {
    throw platformErrors.invalid_input({
      problem: `${field} is not an id of the form ${prefix}_…`,
      errors: [{ field, message: `expected an id of the form ${prefix}_…` }],
    });
  }
  return uuid;
}

/** `length` random characters of base62: 5.95 bits each. */
export function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      // 248 = 4 × 62: larger bytes would favour the first characters.
      if (byte < 248 && text.length < length) text += ALPHABET[byte % 62];
    }
  }
  return text;
}
