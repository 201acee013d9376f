// The published package, as a user gets it: packed, installed into an empty directory, started by npx. Packed in a copy of
// the sources, so that a test leaves nothing in the repository.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeDown } from '../../src/roles/keeper/take-down.ts';

const repository = join(import.meta.dirname, '../..');
const PACKED = [
  ...['bin', 'src', 'sdk', 'python', 'examples', '.npmrc', 'LICENSE', 'README.md', 'CHANGELOG.md'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'web/package.json'],
];
/** The packed program without what it depends on. */
const LARGEST_BYTES = 3 * 1024 * 1024;

let home: string;
let copy: string;
let empty: string;
let files: string[];
let keeper: ChildProcess | undefined;

beforeAll(async () => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'qd-package-')));
  // As root the database's account has to pass through it.
  chmodSync(home, 0o711);
  copy = join(home, 'a copy');
  empty = join(home, 'empty');
  mkdirSync(empty);
  for (const path of PACKED) {
    cpSync(join(repository, path), join(copy, path), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (from) => !['node_modules', 'dist', '__pycache__'].includes(basename(from)),
    });
  }
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'));
  // How the page is built is another test's: here one lies there that counts as fresh.
  mkdirSync(join(copy, 'web/dist/assets'), { recursive: true });
  writeFileSync(join(copy, 'web/dist/index.html'), '<!doctype html><title>Quarterdeck</title>');
  await run('sh', ['-c', 'root=$PWD; set -eu; . bin/prepare.sh; page_sources >web/dist/.quarterdeck'], copy);
  await run('npm', ['pack', '--pack-destination', home], copy);
  const listed = await run('tar', ['-tzf', tarball()], home);
  files = listed
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
}, 120_000);

afterAll(async () => {
  if (keeper?.exitCode === null) keeper.kill('SIGTERM');
  if (existsSync(join(home, 'data'))) await takeDown(join(home, 'data'));
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

function tarball(): string {
  const [name] = readdirSync(home).filter((file) => file.endsWith('.tgz'));
  return join(home, name ?? 'no tarball');
}

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  expect(code, `${command} ${args.join(' ')}:\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

function sourcesBelow(directory: string, suffix: string): string[] {
  return readdirSync(join(repository, directory), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(suffix) && !path.endsWith('.test.ts'))
    .sort();
}

test('every module and every migration is in it, as JavaScript', () => {
  const modules = sourcesBelow('src', '.ts').map((path) => `dist/${path.replace(/ts$/, 'js')}`);
  const migrations = sourcesBelow('src', '.sql').map((path) => `dist/${path}`);
  expect(modules.length).toBeGreaterThan(100);
  expect(migrations.length).toBeGreaterThan(5);
  expect(files).toEqual(expect.arrayContaining([...modules, ...migrations]));
  expect(files.filter((path) => path.startsWith('dist/')).length).toBe(modules.length + migrations.length);
});

test('it has its licence, the page, the SDKs and the examples', () => {
  expect(files).toEqual(
    expect.arrayContaining([
      ...['LICENSE', 'README.md', 'CHANGELOG.md', 'bin/quarterdeck', 'bin/prepare.sh', 'web/dist/index.html'],
      ...['sdk/package.json', 'sdk/src/index.ts', 'sdk/dist/index.js', 'sdk/dist/index.d.ts'],
      ...['python/pyproject.toml', 'python/quarterdeck/client.py', 'examples/harbour/quarterdeck.yaml'],
    ]),
  );
});

test('nothing of tests, sources of the program or a machine is in it, and it is small', () => {
  const strange = files.filter((path) => /\.test\.|__pycache__|\.npmrc|^package-lock/.test(path));
  expect(strange).toEqual([]);
  expect([...new Set(files.map((path) => path.split('/')[0]))].sort()).toEqual(
    ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'examples', 'package.json', 'python', 'sdk', 'web'].sort(),
  );
  expect(statSync(tarball()).size).toBeLessThan(LARGEST_BYTES);
});

test('packing leaves no build behind', () => {
  expect(existsSync(join(copy, 'dist'))).toBe(false);
});

test('installed into an empty directory it starts with npx, serves, has its examples and goes again', async () => {
  // None of its packages needs an install script to be run.
  await run('npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball()], empty);
  const installed = join(empty, 'node_modules/quarterdeck');
  expect(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).private).toBeUndefined();

  const dataDir = join(home, 'data');
  const words = ['quarterdeck', 'up', '--json', '--data', dataDir, '--api-port', '0'];
  keeper = spawn('npx', ['--no-install', ...words], { cwd: empty, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(keeper, 'exit');
  const facts = await new Promise<{ url: string; token: string; pid: number }>((resolve, reject) => {
    createInterface({ input: keeper!.stdout! }).on('line', (line) => {
      if (line.includes('"ready":true')) resolve(JSON.parse(line));
    });
    void ended.then(() => reject(new Error('it ended instead of getting ready')));
  });
  const page = await fetch(facts.url, { headers: { accept: 'text/html' } });
  expect(await page.text()).toContain('<title>Quarterdeck');
  const me = await fetch(`${facts.url}/v1/me`, { headers: { authorization: `Bearer ${facts.token}` } });
  expect(me.status).toBe(200);

  const ask = (...more: string[]) => run('npx', ['--no-install', 'qd', ...more, '--data', dataDir], empty);
  expect(await ask('status')).toMatch(/api .*host/s);
  expect(await ask('example', 'list')).toContain('harbour');
  await ask('down');
  await ended;
}, 180_000);
