// What the scripts of bin/ prepare before they run the program: packages and page, once, whoever else is at it and whatever was killed.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Checkout, untilExists } from './checkout.ts';

let checkout: Checkout;
beforeEach(() => {
  checkout = new Checkout();
});
afterEach(() => checkout.remove());

const page = (): string => readFileSync(checkout.at('web/dist/index.html'), 'utf8');
const runtime = (): string[] => readdirSync(checkout.at('.runtime'));
const count = (text: string, words: string): number => text.split(words).length - 1;

describe('bin/up and bin/quarterdeck', () => {
  test('the first start installs and builds, and says so on stderr only', async () => {
    const first = await checkout.run(checkout.at('bin/up'), { args: ['--json', 'two words', ''], cwd: checkout.home });
    expect(first).toMatchObject({
      code: 0,
      stderr: 'quarterdeck: installing packages\nquarterdeck: building the page\n',
    });
    expect(JSON.parse(first.stdout)).toMatchObject({ words: ['up', '--json', 'two words', ''], cwd: checkout.home });
    expect(count(first.stdout, '\n')).toBe(1);
    expect(page()).toBe('first production');
    expect(existsSync(checkout.at('node_modules/@scratch/web/index.html'))).toBe(true);
    expect(runtime()).toEqual([]);

    const second = await checkout.run(checkout.at('bin/up'));
    expect(second).toMatchObject({ code: 0, stderr: '' });
  });

  test('only «up» builds the page', async () => {
    const done = await checkout.run(checkout.at('bin/quarterdeck'), { args: ['agent', 'list'] });
    expect(done).toMatchObject({ code: 0, stderr: 'quarterdeck: installing packages\n' });
    expect(existsSync(checkout.at('web/dist'))).toBe(false);
  });

  test('a link to a link in another directory finds the checkout', async () => {
    const links = join(checkout.home, 'some links');
    mkdirSync(links);
    symlinkSync('../a check out/bin/up', join(links, 'inner'));
    symlinkSync(join(links, 'inner'), join(checkout.home, 'outer'));
    const done = await checkout.run('./outer', { args: ['x'] });
    expect(JSON.parse(done.stdout)).toMatchObject({ words: ['up', 'x'], cwd: checkout.home });
  });

  test('a script named without a directory finds the checkout', async () => {
    const done = await checkout.run('sh', { args: ['quarterdeck', 'x'], cwd: checkout.at('bin') });
    expect(JSON.parse(done.stdout)).toMatchObject({ words: ['x'], cwd: checkout.at('bin') });
  });

  test('an empty environment with a new home and no network suffices', async () => {
    const home = join(checkout.home, 'new home');
    mkdirSync(home);
    const env = { PATH: process.env['PATH'], HOME: home, npm_config_offline: 'true' };
    const done = await checkout.run(checkout.at('bin/up'), { env });
    expect(done.code).toBe(0);
    expect(page()).toBe('first production');
  });

  test('of three at once one prepares and all run', async () => {
    const done = await Promise.all([1, 2, 3].map(async () => await checkout.run(checkout.at('bin/up'))));
    expect(done.map(({ code }) => code)).toEqual([0, 0, 0]);
    const said = done.map(({ stderr }) => stderr).join('');
    expect(count(said, 'installing packages')).toBe(1);
    expect(count(said, 'building the page')).toBe(1);
    expect(runtime()).toEqual([]);
  });
});

describe('packages', () => {
  test('a changed lockfile is installed, an unchanged one is not', async () => {
    await checkout.run(checkout.at('bin/quarterdeck'));
    writeFileSync(checkout.at('node_modules/stray'), '');
    expect((await checkout.run(checkout.at('bin/quarterdeck'))).stderr).toBe('');
    expect(existsSync(checkout.at('node_modules/stray'))).toBe(true);

    checkout.write('package-lock.json', `${readFileSync(checkout.at('package-lock.json'), 'utf8')}\n`);
    expect((await checkout.run(checkout.at('bin/quarterdeck'))).stderr).toBe('quarterdeck: installing packages\n');
    expect(existsSync(checkout.at('node_modules/stray'))).toBe(false);
  });

  test('an installation that fails shows why and leaves the old packages', async () => {
    await checkout.run(checkout.at('bin/quarterdeck'));
    renameSync(checkout.at('package.json'), checkout.at('was.json'));
    checkout.write('package.json', '{ broken');
    checkout.write('package-lock.json', `${readFileSync(checkout.at('package-lock.json'), 'utf8')}\n`);
    const failed = await checkout.run(checkout.at('bin/quarterdeck'));
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain('package.json');
    expect(failed.stderr).toContain('quarterdeck: the packages could not be installed');
    expect(existsSync(checkout.at('node_modules/@scratch/web/index.html'))).toBe(true);
    expect(runtime()).toEqual([]);
  });
});

describe('the page', () => {
  test('it is built again when a file of it or an operation changed', async () => {
    await checkout.run(checkout.at('bin/up'));
    checkout.write('web/index.html', 'second ');
    expect((await checkout.run(checkout.at('bin/up'))).stderr).toBe('quarterdeck: building the page\n');
    expect(page()).toBe('second production');
    checkout.write('src/domains/log/operations.ts', 'export {};\n');
    expect((await checkout.run(checkout.at('bin/up'))).stderr).toBe('quarterdeck: building the page\n');
    checkout.write('src/domains/log/store.ts', 'export {};\n');
    expect((await checkout.run(checkout.at('bin/up'))).stderr).toBe('');
  });

  test('a build that fails shows why, starts nothing and leaves the old page', async () => {
    await checkout.run(checkout.at('bin/up'));
    checkout.write('web/broken', '');
    const failed = await checkout.run(checkout.at('bin/up'));
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain('the page is broken');
    expect(page()).toBe('first production');
    expect(runtime()).toEqual([]);
  });

  test('a killed build leaves the old page, and the next start builds although the killed one still runs on', async () => {
    await checkout.run(checkout.at('bin/up'));
    checkout.write('web/hangs', '');
    const { child, finished } = checkout.start(checkout.at('bin/up'));
    await untilExists(checkout.at('web/hanging'));
    child.kill('SIGKILL');
    await finished;
    expect(page()).toBe('first production');

    unlinkSync(checkout.at('web/hangs'));
    checkout.write('web/index.html', 'second ');
    expect(await checkout.run(checkout.at('bin/up'))).toMatchObject({ code: 0 });
    expect(page()).toBe('second production');
    expect(runtime()).toEqual([]);
  });
});

describe('the lock', () => {
  const lock = (): string => checkout.at('.runtime/lock');
  beforeEach(() => mkdirSync(checkout.at('.runtime')));

  test.each([
    ['of a process that is gone', '99999999:1'],
    ['whose number another process has now', `${process.pid}:1`],
    ['that names no process', 'nobody'],
  ])('one %s holds nobody up', async (_, mark) => {
    symlinkSync(mark, lock());
    const done = await Promise.all([1, 2, 3, 4].map(async () => await checkout.run(checkout.at('bin/quarterdeck'))));
    expect(done.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(count(done.map(({ stderr }) => stderr).join(''), 'installing packages')).toBe(1);
    expect(runtime()).toEqual([]);
  });

  test('one of a living process is waited for', async () => {
    // Learn the mark of a living holder from one that hangs while it builds.
    checkout.write('web/hangs', '');
    const holder = checkout.start(checkout.at('bin/up'));
    await untilExists(checkout.at('web/hanging'));
    expect(readlinkSync(lock())).toMatch(new RegExp(`^${holder.child.pid}:\\d+$`));

    const waiting = checkout.start(checkout.at('bin/up'));
    const said = new Promise<string>((resolve) => {
      waiting.child.stderr?.once('data', (text: string) => resolve(text));
    });
    expect(await said).toBe(`quarterdeck: waiting for process ${holder.child.pid}, which prepares this checkout\n`);
    unlinkSync(checkout.at('web/hangs'));
    holder.child.kill('SIGKILL');
    expect(await waiting.finished).toMatchObject({ code: 0 });
  });

  test('an interrupted script gives it back', async () => {
    checkout.write('web/hangs', '');
    const { child, finished } = checkout.start(checkout.at('bin/up'));
    await untilExists(checkout.at('web/hanging'));
    // As Ctrl-C does: everybody in the foreground gets it.
    process.kill(-(child.pid ?? 0), 'SIGINT');
    expect((await finished).code).not.toBe(0);
    expect(runtime()).toEqual([]);
  });
});
