import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { findUuid, getUuid, newUuid, randomBase62, wireId } from './ids.ts';

const uuid = fc.uuid();
const prefix = fc.constantFrom('job', 'tok', 'msg', 'run');

it('draws ids that sort in the order in which they were drawn, also many in one millisecond, and on the wire', () => {
  const ids = Array.from({ length: 20_000 }, newUuid);
  expect([...ids].sort()).toEqual(ids);
  const onWire = ids.map((id) => wireId('job', id));
  expect([...onWire].sort()).toEqual(onWire);
  expect(new Set(ids).size).toBe(ids.length);
});

it('draws ids in order also when the clock goes back', () => {
  const now = Date.now();
  const readings = vi.spyOn(Date, 'now');
  try {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: now }), { minLength: 2 }), (clock) => {
        const drawn = clock.flatMap((at) => {
          readings.mockReturnValue(at);
          return [newUuid(), newUuid()];
        });
        expect([...drawn].sort()).toEqual(drawn);
      }),
    );
  } finally {
    readings.mockRestore();
  }
});

it('sorts ids on the wire as the database sorts them', () => {
  const byCode = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  fc.assert(
    fc.property(fc.array(uuid, { minLength: 2 }), (ids) => {
      const onWire = (id: string) => wireId('job', id);
      expect([...ids].sort(byCode).map(onWire)).toEqual(ids.map(onWire).sort(byCode));
    }),
  );
});

it('reads back the uuid of an id of its own prefix, and of no other text', () => {
  const id = newUuid();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(findUuid('job', wireId('job', id))).toBe(id);
  for (const wrong of [
    wireId('run', id),
    'job_',
    `${wireId('job', id)}0`,
    `job_${'z'.repeat(22)}`,
    'job_!'.padEnd(26, '0'),
  ]) {
    expect(findUuid('job', wrong)).toBeUndefined();
  }
});

it('knows one form of each id: whatever is read as one is written the same', () => {
  fc.assert(
    fc.property(prefix, uuid, (kind, id) => {
      expect(findUuid(kind, wireId(kind, id))).toBe(id);
    }),
  );
  const almost = fc
    .array(fc.constantFrom(...'09AZaz_-'), { minLength: 22, maxLength: 22 })
    .map((chars) => `job_${chars.join('')}`);
  fc.assert(
    fc.property(fc.oneof(fc.string(), almost), (text) => {
      const found = findUuid('job', text);
      if (found !== undefined) expect(wireId('job', found)).toBe(text);
    }),
  );
});

it('refuses what is no id by the name of its field', () => {
  expect(() => getUuid('job', 'job_1', 'job')).toThrow(/job_…/);
});

it('draws random text of the length asked for from all its characters', () => {
  const text = randomBase62(20_000);
  expect(text).toMatch(/^[0-9A-Za-z]{20000}$/);
  expect(new Set(text).size).toBe(62);
});
