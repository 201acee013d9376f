// Advisory locks of the database are numbers that everybody shares: each belongs to one purpose, or one waits for a stranger.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readSources } from './source-files.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const NUMBER = /\b7_?310_?(\d{3})\b/g;

test('each number of an advisory lock stands in one file', () => {
  const holders = new Map<string, string[]>();
  for (const { path, text } of readSources(root, ['src'], ['.ts', '.sql'])) {
    if (path.endsWith('.test.ts')) continue;
    for (const number of new Set(Array.from(text.matchAll(NUMBER), (match) => match[1]!))) {
      holders.set(number, [...(holders.get(number) ?? []), path]);
    }
  }
  expect(holders.size).toBeGreaterThan(4);
  expect([...holders].filter(([, paths]) => paths.length > 1)).toEqual([]);
});
