// A scratch checkout for the tests of bin/: the real scripts around a program, a page and a lockfile that are as small as can be.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const repository = join(import.meta.dirname, '../..');

/** Says how it was started; everything the scripts promise can be read off it. */
const program = `console.log(JSON.stringify({ words: process.argv.slice(2), cwd: process.cwd(), path: process.env.PATH }));\n`;

/** Like the page's own: writes index.html into QD_WEB_OUT. With \`web/broken\` it fails, with \`web/hangs\` it says so and stays. */
const build = `
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
const out = process.env.QD_WEB_OUT;
if (existsSync('broken')) throw new Error('the page is broken');
mkdirSync(out, { recursive: true });
if (existsSync('hangs')) {
  writeFileSync('hanging', String(process.pid));
  setInterval(() => {}, 1000);
} else {
  writeFileSync(out + '/index.html', readFileSync('index.html', 'utf8') + process.env.NODE_ENV);
}
`;

const manifest = { name: 'scratch', version: '1.0.0', private: true, type: 'module', workspaces: ['web'] };
const webManifest = { name: '@scratch/web', version: '1.0.0', type: 'module', scripts: { build: 'node build.mjs' } };
const lockfile = {
  name: 'scratch',
  version: '1.0.0',
  lockfileVersion: 3,
  requires: true,
  packages: {
    '': { name: 'scratch', version: '1.0.0', workspaces: ['web'] },
    'node_modules/@scratch/web': { resolved: 'web', link: true },
    web: { name: '@scratch/web', version: '1.0.0' },
  },
};

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

export interface Start {
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export class Checkout {
  readonly home = mkdtempSync(join(tmpdir(), 'qd-bin-'));
  /** Blanks in the path, always: no test is easier without. */
  readonly root = join(this.home, 'a check out');
  readonly #started: ChildProcess[] = [];

  constructor() {
    for (const name of ['prepare.sh', 'compile-cache.cjs', 'quarterdeck', 'up'])
      cpSync(join(repository, 'bin', name), join(this.root, 'bin', name));
    cpSync(join(repository, '.npmrc'), join(this.root, '.npmrc'));
    this.write('package.json', JSON.stringify(manifest));
    this.write('package-lock.json', JSON.stringify(lockfile, null, 2));
    this.write('src/main.ts', program);
    this.write('web/package.json', JSON.stringify(webManifest));
    this.write('web/index.html', 'first ');
    this.write('web/build.mjs', build);
  }

  at(...names: string[]): string {
    return join(this.root, ...names);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), text);
  }

  /** An executable below a directory that is to stand first in PATH; answers that directory. */
  command(name: string, script: string): string {
    const directory = join(this.home, 'commands');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}`);
    chmodSync(join(directory, name), 0o755);
    return directory;
  }

  start(script: string, { args = [], cwd = this.home, env = process.env }: Start = {}): Running {
    // In a group of its own, so that the clean-up also reaches what a killed script left running.
    const child = spawn(script, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#started.push(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const finished = new Promise<Finished>((resolve, reject) => {
      const finish = (code: number | null): void => resolve({ code, stdout, stderr });
      child.once('error', reject);
      child.once('close', finish);
      // What outlives a killed script keeps the pipes: their end would be long in coming.
      child.once('exit', (code) => code === null && finish(code));
    });
    return { child, finished };
  }

  async run(script: string, start: Start = {}): Promise<Finished> {
    return await this.start(script, start).finished;
  }

  remove(): void {
    for (const child of this.#started) {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The whole group has ended.
      }
    }
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

export function withFirstInPath(directory: string): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${directory}${delimiter}${process.env['PATH'] ?? ''}` };
}

export async function untilExists(path: string): Promise<void> {
  const limit = Date.now() + 20_000;
  while (!existsSync(path)) {
    if (Date.now() > limit) throw new Error(`${path} did not appear`);
    await pause(10);
  }
}
