import fc from 'fast-check';
import { expect, test } from 'vitest';
import { heldBack, mask } from './masking.ts';

const token = `qd_agent_${'a1B2c3D4e5'.repeat(3)}_0abc123`;

test('secrets of ours and named ones are masked, byte for byte', () => {
  const text = Buffer.from(`é token ${token} and p@ssw0rd-é; short`);
  const masked = mask(text, ['p@ssw0rd-é', 'short']);
  expect(masked.length).toBe(text.length);
  expect(masked.toString()).toBe(`é token ${'*'.repeat(token.length)} and ${'*'.repeat(11)}; short`);
});

test('a secret that arrives in two parts leaves in none', () => {
  const secrets = ['correct horse battery'];
  const text = Buffer.from(`before ${token} between correct horse battery after`);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: text.length }), (cut) => {
      const first = mask(text.subarray(0, cut), secrets);
      const sent = first.subarray(0, first.length - heldBack(first, secrets));
      const rest = text.subarray(sent.length);
      const seen = sent.toString() + mask(rest, secrets).toString();
      expect(seen).toBe(mask(text, secrets).toString());
    }),
  );
});

test('ordinary output is neither changed nor held back', () => {
  const text = Buffer.from('nothing to hide here\n');
  expect(mask(text, ['a long secret'])).toBe(text);
  expect(heldBack(text, ['a long secret'])).toBe(0);
});
