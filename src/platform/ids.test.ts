import { expect, it } from 'vitest';
import { findUuid, newUuid, wireId } from './ids.ts';

it('draws ids that sort in the order in which they were drawn, also many in one millisecond, and on the wire', () => {
  const ids = Array.from({ length: 20_000 }, newUuid);
  expect([...ids].sort()).toEqual(ids);
  const onWire = ids.map((id) => wireId('job', id));
  expect([...onWire].sort()).toEqual(onWire);
  expect(new Set(ids).size).toBe(ids.length);
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
