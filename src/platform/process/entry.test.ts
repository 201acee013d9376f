import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entryPath } from './entry.ts';

test('a module is found beside the asking one with the suffix of the asking one', () => {
  expect(entryPath('./api', { filename: '/qd/src/roles/keeper.ts' })).toBe('/qd/src/roles/api.ts');
  expect(entryPath('roles/api', { filename: '/qd/dist/app.js' })).toBe('/qd/dist/roles/api.js');
});

test('the path of this very file comes out right', () => {
  expect(entryPath('./entry', import.meta)).toBe(join(import.meta.dirname, 'entry.ts'));
});
