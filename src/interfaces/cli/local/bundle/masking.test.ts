import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskOf } from './masking.ts';

const noise = fc.string({ maxLength: 20 });
const secret = fc.string({ minLength: 12, maxLength: 48, unit: 'grapheme' }).filter((text) => text.trim() === text);

/** As a caller may write it down; each in the middle of something else. */
const carriers: Record<string, (text: string, before: string) => string> = {
  plain: (text) => text,
  address: (text) => `https://x/?q=${encodeURIComponent(text)}`,
  'JSON string': (text) => JSON.stringify({ a: text }),
  'JSON in JSON': (text) => JSON.stringify({ a: JSON.stringify({ b: text }) }),
  base64: (text, before) => Buffer.from(before + text).toString('base64'),
  base64url: (text, before) => Buffer.from(before + text).toString('base64url'),
  hexadecimal: (text) => Buffer.from(text).toString('hex'),
};

/** The longest stretch of the carried form that the secret alone decides. */
function core(name: string, text: string, before: string): string {
  const whole = carriers[name]!(text, before);
  if (!name.startsWith('base64')) return carriers[name]!(text, '').replace(/^https:\/\/x\/\?q=/, '');
  const start = Math.ceil((Buffer.byteLength(before) * 8) / 6);
  return whole.slice(start, Math.floor((Buffer.byteLength(before + text) * 8) / 6));
}

describe('a secret that is known', () => {
  it.each(Object.keys(carriers))('is cut out as %s, wherever it stands', (name) => {
    fc.assert(
      fc.property(secret, noise, noise, (text, before, after) => {
        const carried = before + carriers[name]!(text, before) + after;
        const shown = maskOf([text])(carried);
        // Behind a mask of its own, as a token that also looks like one, it is just as gone.
        expect(shown.includes(core(name, text, before))).toBe(false);
      }),
    );
  });
});

describe('what looks like a secret', () => {
  const mask = maskOf([]);

  it.each([
    ['a token of ours', `x qd_agent_${'a'.repeat(32)}_abcdef0 y`, 'a'.repeat(32)],
    ['a password in an address', 'postgres://ada:hunter2hunter2@db:5432/x', 'hunter2hunter2'],
    ['a header', 'authorization: Bearer abcdef0123456789', 'abcdef0123456789'],
    ['a basic header', 'Basic YWRhOmh1bnRlcjI=', 'YWRhOmh1bnRlcjI'],
    ['a named value', 'password = hunter2 and more', 'hunter2'],
    ['a named value in JSON', '{"client_secret":"hunter2 with \\"words\\""}', 'hunter2'],
    ['a named value in a text of JSON', '{"msg":"{\\"api_key\\":\\"hunter2\\"}"}', 'hunter2'],
    ['a query', 'GET /x?token=hunter2&y=1', 'hunter2'],
    ['a JSON web token', `eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.${'c'.repeat(20)}`, 'bbbb'],
    ['a key', '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----', 'hunter2'],
    ['a provider’s key', `sk-ant-${'a'.repeat(40)}`, 'aaaa'],
  ])('is cut out: %s', (_, text, gone) => {
    expect(mask(text)).not.toContain(gone);
    expect(mask(text)).toMatch(/masked|redacted/);
  });

  it('takes no longer than its length, whatever stands in it', () => {
    for (const part of ['x', 'a.', 'token', 'token="', 'a://', '"', '\\"', '-----BEGIN PRIVATE KEY-----'])
      mask(part.repeat(Math.ceil(100_000 / part.length)));
  });

  it('leaves JSON that can be read, and what is no secret', () => {
    const text = JSON.stringify({ password: 'hunter2', port: 4600, level: 'info', msg: 'ready' });
    expect(JSON.parse(mask(text))).toEqual({ password: '[masked]', port: 4600, level: 'info', msg: 'ready' });
    expect(mask('the database answers at 127.0.0.1:5432')).toBe('the database answers at 127.0.0.1:5432');
  });
});
