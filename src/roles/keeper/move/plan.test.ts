import { expect, test } from 'vitest';
import { judgeServer } from './plan.ts';

const good = { number: 150_018, version: '15.18', readonly: false, encoding: 'UTF8' };

test('a server is fit from 15 on, as a primary, in UTF8', () => {
  expect(judgeServer(good)).toMatchObject({ ok: true });
  expect(judgeServer({ ...good, number: 150_000 })).toMatchObject({ ok: true });
  expect(judgeServer({ ...good, number: 180_004 })).toMatchObject({ ok: true });
});

test('what is against one is said, all of it', () => {
  const bad = judgeServer({ number: 140_022, version: '14.22', readonly: true, encoding: 'SQL_ASCII' });
  expect(bad.ok).toBe(false);
  expect(bad.detail).toMatch(/14\.22 is too old.*primary.*SQL_ASCII/);
});
