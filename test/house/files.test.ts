// Names, sizes and contents of files: what the house does not have.
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readMigrations } from '../../src/platform/db/migrate.ts';
import { readSources } from './source-files.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = readSources(root, ['src', 'test', 'web/src'], ['.ts', '.tsx', '.sql']);
const sources = files.filter(({ path }) => !path.startsWith('test/'));

const BANNED = /^(utils?|helpers?|common|lib|misc|types|interfaces|managers?|.*-(utils?|helpers?|manager|v2|new))$/;

it('there are files to look at', () => {
  expect(files.length).toBeGreaterThan(150);
  expect(files.some(({ path }) => path.endsWith('.sql'))).toBe(true);
});

it('no file or folder has a name that says nothing', () => {
  const named = files.flatMap(({ path }) => {
    const parts = path.split('/').map((part) => part.split('.')[0]!);
    return parts.filter((part, i) => BANNED.test(part) && !(i === 1 && part === 'interfaces')).map(() => path);
  });
  expect(named).toEqual([]);
});

it('every file is named in kebab-case', () => {
  const named = files.filter(({ path }) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)+$/.test(basename(path)));
  expect(named.map(({ path }) => path)).toEqual([]);
});

it('nothing is put off in the sources, and no check is switched off', () => {
  const marks = /\b(TODO|FIXME|XXX|HACK)\b|@ts-(ignore|nocheck|expect-error)/;
  const anything = /(:|\bas|<|,|\|)\s*any\b\s*[;,)=>\]|&{[]/;
  const code = (text: string) => text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  const found = sources.filter(
    ({ path, text }) => !/\.test\.tsx?$/.test(path) && (marks.test(text) || anything.test(code(text))),
  );
  expect(found.map(({ path }) => path)).toEqual([]);
});

it('every source file begins by saying what lives in it', () => {
  const silent = sources.filter(
    ({ path, text }) => !/\.test\.tsx?$/.test(path) && !/^(\/\/|--|\/\*|#!)/.test(text.trimStart()),
  );
  expect(silent.map(({ path }) => path)).toEqual([]);
});

it('no source file has grown beyond one sitting', () => {
  const long = sources.filter(({ text }) => text.split('\n').length > 450);
  expect(long.map(({ path, text }) => `${path}: ${text.split('\n').length} lines`)).toEqual([]);
});

it('migrations are numbered once in the whole repository', async () => {
  const migrations = await readMigrations(join(root, 'src'));
  expect(migrations.length).toBeGreaterThan(3);
  expect(new Set(migrations.map(({ number }) => number)).size).toBe(migrations.length);
});

it('every room says on one page what it owns', () => {
  const rooms = readdirSync(join(root, 'src/domains'));
  expect(rooms.length).toBeGreaterThan(3);
  const silent = rooms.filter((room) => !existsSync(join(root, 'src/domains', room, 'README.md')));
  expect(silent).toEqual([]);
});

it('every room has a door, its contracts and its errors, and no SQL outside its stores', () => {
  const rooms = readdirSync(join(root, 'src/domains'));
  const missing = rooms.flatMap((room) =>
    ['index.ts', 'operations.ts', 'errors.ts', 'events.ts']
      .filter((file) => !existsSync(join(root, 'src/domains', room, file)))
      .map((file) => `${room}/${file}`),
  );
  expect(missing).toEqual([]);
});
