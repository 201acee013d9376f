// Where the browser comes from, with stand-ins for the browser and for the two programs that can install it.
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { chromiumVariable, provideChromium } from './chromium.ts';

let scratch: string;
let said: string[];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'qd-chromium-'));
  said = [];
  vi.stubEnv('PATH', scratch);
  vi.stubEnv(chromiumVariable, '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(scratch, { recursive: true, force: true });
});

function command(name: string, script: string): string {
  const path = join(scratch, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const provide = async (): Promise<string | undefined> => await provideChromium(scratch, (line) => said.push(line));

/** apt-get installs only for root; elsewhere the path is never taken. */
const testAsRoot = test.skipIf(process.getuid?.() !== 0);

test('one that is there is taken, the stated one before all', async () => {
  const found = command('chromium', 'exit 0');
  expect(await provide()).toBe(found);
  const stated = command('another', 'exit 0');
  vi.stubEnv(chromiumVariable, stated);
  expect(await provide()).toBe(stated);
  expect(said).toEqual([]);
});

test('a program of that name that does not run is passed over', async () => {
  command('chromium', 'echo "install it first"; exit 1');
  const second = command('google-chrome', 'exit 0');
  expect(await provide()).toBe(second);
});

testAsRoot('root gets it by the package manager', async () => {
  const install = `case "$*" in *install*) printf '#!/bin/sh\\n' > '${scratch}/chromium'; /bin/chmod +x '${scratch}/chromium' ;; esac`;
  command('apt-get', install);
  expect(await provide()).toBe(join(scratch, 'chromium'));
  expect(said).toEqual(['installing Chromium by apt-get']);
});

test('when nobody can install it the words of all who tried are told', async () => {
  command('apt-get', 'echo "no archive" >&2; exit 100');
  command('playwright-core', 'echo "no download" >&2; exit 1');
  expect(await provide()).toBeUndefined();
  expect(said.at(-1)).toMatch(/playwright-core install chromium failed: no download/);
  expect(existsSync(join(scratch, 'chromium'))).toBe(false);
});
