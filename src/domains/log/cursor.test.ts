import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCursor, parseCursor } from './cursor.ts';

const hex = fc
  .array(fc.constantFrom(...'0123456789abcdef'), { minLength: 8, maxLength: 8 })
  .map((chars) => chars.join(''));

describe('a cursor', () => {
  it('comes back as it was given', () => {
    fc.assert(
      fc.property(hex, fc.maxSafeNat(), (epoch, seq) => {
        expect(parseCursor(formatCursor({ epoch, seq }))).toEqual({ epoch, seq });
      }),
    );
  });

  it('has one form: whatever else is given is refused', () => {
    const text = fc.oneof(
      fc.string(),
      fc.tuple(hex, fc.string()).map(([epoch, rest]) => `${epoch}-${rest}`),
      fc.tuple(fc.string(), fc.maxSafeNat()).map(([epoch, seq]) => `${epoch}-${seq}`),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          expect(formatCursor(parseCursor(given))).toBe(given);
        } catch (error) {
          expect(error).toMatchObject({ code: 'log.bad_cursor' });
        }
      }),
    );
  });

  it.each([
    '',
    '0',
    'abc',
    '-1',
    '1e30',
    '00000000-01',
    '00000000--1',
    '00000000-9007199254740992',
    '0000000A-1',
    '00000000-1\n',
  ])('«%s» is none', (given) => expect(() => parseCursor(given)).toThrow());
});
