// The browser of the browser tests: found on the machine, else installed by its package manager (root) or by Playwright below .runtime.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What the browser tests read to know which program to start. */
export const chromiumVariable = 'QD_CHROMIUM';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const placesOnMac = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Path of a Chromium that runs, or undefined when none is there and none could be had; `say` gets a line a step. */
export async function provideChromium(root: string, say: (line: string) => void): Promise<string | undefined> {
  const there = await findChromium(root);
  if (there !== undefined) return there;
  if (process.getuid?.() === 0 && onPath('apt-get') !== undefined) {
    say('installing Chromium by apt-get');
    const waiting = ['-q', '-o', 'DPkg::Lock::Timeout=120'];
    if (attempt(root, say, ['apt-get', ...waiting, 'update'])) {
      attempt(root, say, ['apt-get', ...waiting, 'install', '-y', '--no-install-recommends', 'chromium']);
    }
    const installed = await findChromium(root);
    if (installed !== undefined) return installed;
  }
  say('installing Chromium by Playwright');
  attempt(root, say, ['playwright-core', 'install', 'chromium']);
  return await findChromium(root);
}

async function findChromium(root: string): Promise<string | undefined> {
  const stated = process.env[chromiumVariable];
  // Who names one means that one: another is no substitute.
  if (stated !== undefined && stated !== '') return runs(stated) ? stated : undefined;
  const candidates = [...names.map(onPath), ...placesOnMac, await ofPlaywright(root)];
  return candidates.find((path) => path !== undefined && runs(path));
}

async function ofPlaywright(root: string): Promise<string> {
  // Playwright reads the variable when it is loaded.
  process.env['PLAYWRIGHT_BROWSERS_PATH'] = join(root, '.runtime/browsers');
  const { chromium } = await import('playwright-core');
  return chromium.executablePath();
}

function onPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Some systems have a program of that name that only tells how to install it. */
function runs(path: string): boolean {
  return spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0;
}

function attempt(root: string, say: (line: string) => void, command: readonly string[]): boolean {
  const [file = '', ...args] = command;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const done = spawnSync(file, args, { cwd: root, env, encoding: 'utf8', timeout: 600_000, maxBuffer: 64 << 20 });
  if (done.status === 0) return true;
  say(`${command.join(' ')} failed: ${`${done.error?.message ?? ''}${done.stdout}${done.stderr}`.trim().slice(-2000)}`);
  return false;
}
