import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newUuid } from '../../platform/ids.ts';
import { redact } from '../../platform/logger.ts';
import {
  hashJobSecret,
  hashOfJobToken,
  hashSecret,
  jobOfToken,
  jobToken,
  kindOfSecret,
  newJobSecret,
  newSecret,
} from './secrets.ts';

const kind = fc.constantFrom('operator', 'agent', 'job', 'session', 'link');
const char = fc.constantFrom(...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_');

describe('secrets', () => {
  it('are known by their kind', () => {
    fc.assert(
      fc.property(kind, (wanted) => {
        expect(kindOfSecret(newSecret(wanted).text)).toBe(wanted);
      }),
    );
  });

  it('with any one character changed are none, without asking anybody', () => {
    const { text } = newSecret('agent');
    for (let at = 0; at < text.length; at++) {
      for (const put of '0129ABZabz_-') {
        if (put !== text[at]) expect(kindOfSecret(text.slice(0, at) + put + text.slice(at + 1))).toBeUndefined();
      }
    }
    fc.assert(
      fc.property(kind, fc.nat(), char, (wanted, place, put) => {
        const secret = newSecret(wanted).text;
        const at = place % secret.length;
        if (put !== secret[at]) expect(kindOfSecret(secret.slice(0, at) + put + secret.slice(at + 1))).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  it('with two neighbours swapped, cut off, or longer are none', () => {
    fc.assert(
      fc.property(kind, fc.nat(), (wanted, place) => {
        const { text } = newSecret(wanted);
        const at = place % (text.length - 1);
        const swapped = text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2);
        if (swapped !== text) expect(kindOfSecret(swapped)).toBeUndefined();
        expect(kindOfSecret(text.slice(0, at))).toBeUndefined();
        expect(kindOfSecret(`${text}a`)).toBeUndefined();
        expect(kindOfSecret(` ${text}`)).toBeUndefined();
        expect(kindOfSecret(`${text}\n`)).toBeUndefined();
      }),
    );
  });

  it('are stored as a hash and shown as a part that says too little', () => {
    const { text, hash, display } = newSecret('operator');
    expect(hash).toEqual(hashSecret(text));
    expect(display.length).toBeLessThan(text.length / 2);
    expect(text.startsWith(display.split('…')[0]!)).toBe(true);
  });

  it('never come twice', () => {
    expect(new Set(Array.from({ length: 5_000 }, () => newSecret('job').text)).size).toBe(5_000);
  });

  it('are cut out of log lines, whatever stands around them', () => {
    fc.assert(
      fc.property(kind, fc.string(), fc.string(), (wanted, before, after) => {
        const { text } = newSecret(wanted);
        expect(redact(`${before} ${text} ${after}`)).not.toContain(text);
      }),
    );
  });
});

describe('a job’s token', () => {
  it('names its job and matches what is stored of it', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        const random = newJobSecret();
        const { text } = jobToken(uuid, random);
        expect(kindOfSecret(text)).toBe('job');
        expect(jobOfToken(text)).toBe(uuid);
        expect(hashOfJobToken(text)).toEqual(hashJobSecret(random));
        expect(redact(text)).not.toContain(random);
      }),
    );
  });

  it('of one job says nothing about another’s', () => {
    const random = newJobSecret();
    const other = hashOfJobToken(jobToken(newUuid(), newJobSecret()).text);
    expect(hashJobSecret(random).equals(other)).toBe(false);
  });
});
