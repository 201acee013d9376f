import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalDigest, canonicalJson } from './approval-digest.ts';

const about = { kind: 'refund', payload: { order: 7 }, summary: 'refund 40 euro', details: { to: 'ada' } };

describe('the canonical form', () => {
  it('is the same for the same value, however its keys are ordered', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('the digest', () => {
  it('binds each of kind, payload, summary and details', () => {
    const others = [
      { ...about, kind: 'refund2' },
      { ...about, payload: { order: 8 } },
      { ...about, summary: 'refund 400 euro' },
      { ...about, details: { to: 'bob' } },
      { ...about, details: undefined },
    ];
    const digests = new Set([about, ...others].map(approvalDigest));
    expect(digests.size).toBe(6);
  });
});
