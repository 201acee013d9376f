// Nothing secret leaves in a bundle. Secrets that this machine knows are cut out in every form in which text carries them;
// what only looks like one is cut out by its form.
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { redact } from '../../../../platform/logger.ts';

const GONE = '[masked]';
const SHORTEST = 6;
const LARGEST_FILE = 16 * 1024;
const SECRET_NAME = /token|secret|passw|pwd|key|credential|auth|cookie|dsn/i;

// In order: what goes with a name, what goes with a scheme, and forms of their own.
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${GONE}`],
  [/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/"'@]{0,500}(?:@|%40)/gi, `$1${GONE}@`],
  [/\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}/g, GONE],
  [/\b(?:gh[pousr]|glpat|xox[abprs])[_-][A-Za-z0-9_-]{16,}/g, GONE],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, GONE],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, GONE],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]{0,20000}?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, GONE],
  [/qd_[a-z]+_[0-9A-Za-z]{12,}(?:_[0-9a-z]+)?/g, GONE],
];
// What stands behind a name that says it is a secret, in JSON (also within a text of JSON), in a setting, in an address.
const NAMED =
  /([\w.-]{0,40}(?:token|secret|passw(?:or)?d|pwd|api[_-]?key|authorization|cookie|credential)s?\\*["']?\s*[:=]\s*)(\\*["'])?((?:(?!\2)[^\\\n]|\\.){0,4000}?(?=\\*["'])|[^\s,;&"'}\\]+)/gi;

export type Mask = (text: string) => string;

export function maskOf(secrets: readonly string[]): Mask {
  const forms = [...new Set(secrets.filter((secret) => secret.length >= SHORTEST).flatMap(formsOf))]
    .filter((form) => form.length >= SHORTEST)
    .sort((a, b) => b.length - a.length);
  const known = forms.length === 0 ? undefined : new RegExp(forms.map(escaped).join('|'), 'g');
  return (text) => {
    const without = known === undefined ? text : text.replace(known, GONE);
    const shaped = PATTERNS.reduce((rest, [pattern, by]) => rest.replace(pattern, by), redact(without));
    return shaped.replace(NAMED, `$1$2${GONE}`);
  };
}

/** A secret as it stands in text: plain, in an address, in JSON, in hexadecimal, and in base64 wherever it begins there. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const encoded = encodeURIComponent(secret);
  return [
    secret,
    encoded,
    encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join(''),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
    hex,
    hex.toUpperCase(),
    ...[0, 1, 2].flatMap((offset) => {
      const text = inBase64(bytes, offset);
      return [text, text.replaceAll('+', '-').replaceAll('/', '_'), encodeURIComponent(text)];
    }),
  ];
}

// Only the characters that it alone decides: its neighbours have a part in the first and the last one.
function inBase64(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Every secret that this machine can know of the installation. */
export function knownSecrets(
  dataDir: string,
  env: Readonly<Record<string, string | undefined>>,
  more: readonly (string | undefined)[],
): string[] {
  const named = Object.entries(env).filter(
    ([name, value]) => SECRET_NAME.test(name) && value && !value.startsWith('/'),
  );
  const texts = [...filesIn(join(dataDir, 'secrets')), join(dataDir, 'operator.token')].flatMap(textOf);
  return [
    ...texts,
    ...named.map(([, value]) => value!),
    ...[...Object.values(env), ...more].flatMap((value) => (value === undefined ? [] : passwordsIn(value))),
  ].filter((secret) => secret.trim() !== '');
}

function filesIn(dir: string): string[] {
  try {
    return readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name));
  } catch {
    return [];
  }
}

// The file as a whole, and each of its lines.
function textOf(path: string): string[] {
  try {
    const facts = lstatSync(path);
    if (!facts.isFile() || facts.size > LARGEST_FILE) return [];
    const text = readFileSync(path, 'utf8').trim();
    return [text, ...text.split('\n').map((line) => line.trim())];
  } catch {
    return [];
  }
}

function passwordsIn(text: string): string[] {
  const found = [...text.matchAll(/[a-z][a-z0-9+.-]*:\/\/[^\s/@]*?:([^\s@]+)@/gi)].map((match) => match[1]!);
  return found.flatMap((password) => [password, decoded(password)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
