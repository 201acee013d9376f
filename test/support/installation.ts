// A whole installation for tests, as an operator starts it: `up` in a process of its own on a new data directory and free
// ports. Give its `stop` to onTestFinished or afterAll; it leaves no process and no directory, whatever was killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { survey } from '../../src/roles/keeper/survey.ts';
import { takeDown } from '../../src/roles/keeper/take-down.ts';

export interface InstallationOptions {
  /** Text of its quarterdeck.yaml. */
  readonly config?: string;
  /** Beyond PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  /** One that exists, for a second start; it is then left where it is. */
  readonly dataDir?: string;
  /** More words for `up`, like `--only api,engine`. */
  readonly args?: readonly string[];
  /** The entry of another version of the program. */
  readonly main?: string;
}

export interface Part {
  /** `keeper`, `postgres`, `api`, `engine`, `host`. */
  readonly name: string;
  readonly pid: number;
}

export interface Installation {
  readonly url: string;
  readonly token: string;
  readonly signInUrl: string;
  readonly dataDir: string;
  /** Directory of its manifest, which relative paths in it count from. */
  readonly dir: string;
  /** Of the keeper. */
  readonly pid: number;
  /** The keeper's process, to signal it and to wait for its end. */
  readonly keeper: ChildProcess;
  /** Milliseconds from the command to ready. */
  readonly readyMs: number;
  /** What lives at this moment. */
  processes(): Promise<Part[]>;
  stop(): Promise<void>;
}

/** How `up` ended without getting ready. */
export class NotReady extends Error {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(exitCode: number | null, stdout: string, stderr: string) {
    super(`up ended with ${exitCode}:\n${stdout}${stderr}`);
    this.exitCode = exitCode;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;

/** Rejects with NotReady, and with nothing left, when it does not get ready. */
export async function startInstallation(options: InstallationOptions = {}): Promise<Installation> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'qd-installation-')));
  // Started as root, the database runs under an account of its own, which has to get to the data directory in it.
  chmodSync(dir, 0o711);
  // As root the database's account has to pass through it.
  chmodSync(dir, 0o711);
  const dataDir = options.dataDir ?? join(dir, 'data');
  if (options.config !== undefined) writeFileSync(join(dir, 'quarterdeck.yaml'), options.config);
  const startedAt = performance.now();
  const [node, ...nodeArgs] = NODE;
  const words = ['up', '--json', '--data', dataDir, '--api-port', '0', ...(options.args ?? [])];
  const keeper = spawn(node, [...nodeArgs, options.main ?? MAIN, ...words], {
    cwd: dir,
    env: plainEnvironment(dir, options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const guard = startGuard(dataDir, dir, options.dataDir !== undefined);
  const stop = async () => {
    await endKeeper(keeper);
    await takeDown(dataDir).catch((error: unknown) => {
      // A start that was refused made no data directory.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
    rmSync(dir, { recursive: true, force: true });
    guard.end();
  };
  try {
    const facts = await readAnnouncement(keeper);
    return {
      url: facts.url,
      token: facts.token,
      signInUrl: facts.sign_in_url,
      dataDir: facts.data_dir,
      dir,
      pid: facts.pid,
      keeper,
      readyMs: Math.round(performance.now() - startedAt),
      processes: () => livingParts(facts.data_dir),
      stop,
    };
  } catch (error) {
    if (options.dataDir === undefined) await stop();
    else {
      await endKeeper(keeper);
      rmSync(dir, { recursive: true, force: true });
      guard.end();
    }
    throw error;
  }
}

/** The environment of a fresh machine: nothing of ours gets in. */
export function plainEnvironment(home: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: home, ...more };
}

/** Runs one command of the command line to its end. */
export async function runQuarterdeck(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd: string = tmpdir(),
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const [node, ...nodeArgs] = NODE;
  const child = spawn(node, [...nodeArgs, MAIN, ...words], {
    cwd,
    env: plainEnvironment(cwd, env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout = gather(child.stdout);
  const stderr = gather(child.stderr);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

async function livingParts(dataDir: string): Promise<Part[]> {
  const parts = await survey(dataDir);
  return parts.flatMap(({ part, pid }) =>
    pid === null ? [] : [{ name: part === 'database' ? 'postgres' : part, pid }],
  );
}

interface Announced {
  readonly url: string;
  readonly sign_in_url: string;
  readonly token: string;
  readonly data_dir: string;
  readonly pid: number;
}

function readAnnouncement(keeper: ChildProcess): Promise<Announced> {
  const stdout = gather(keeper.stdout!);
  const stderr = gather(keeper.stderr!);
  return new Promise((resolve, reject) => {
    keeper.stdout!.on('data', () => {
      const [line, rest] = stdout().split('\n', 2);
      if (rest !== undefined && line!.includes('"ready":true')) resolve(JSON.parse(line!) as Announced);
    });
    keeper.once('error', reject);
    keeper.once('close', (code) => reject(new NotReady(code, stdout(), stderr())));
  });
}

async function endKeeper(keeper: ChildProcess): Promise<void> {
  if (keeper.exitCode !== null || keeper.signalCode !== null) return;
  // It may be stopped (SIGSTOP) by a test that failed.
  keeper.kill('SIGCONT');
  keeper.kill('SIGTERM');
  await once(keeper, 'exit');
}

function gather(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (part: string) => {
    text += part;
  });
  return () => text;
}

// Waits until our end of the pipe closes, which the kernel does also after kill -9 of the test run, then takes down what
// is left. `end` makes it leave without doing anything.
const GUARD = `
  read word
  [ "$word" = done ] && exit 0
  "$1" "$2" down --data "$0" >/dev/null 2>&1
  rm -rf "$3"`;

function startGuard(dataDir: string, dir: string, keepsData: boolean): { end(): void } {
  if (keepsData) return { end: () => undefined };
  const guard = spawn('/bin/sh', ['-c', GUARD, dataDir, process.execPath, MAIN, dir], {
    cwd: '/',
    env: plainEnvironment('/'),
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  // The pipe must not keep us alive, nor its end at a guard that is already gone throw.
  guard.stdin.on('error', () => undefined);
  (guard.stdin as unknown as { unref(): void }).unref();
  return { end: () => guard.stdin.end('done\n') };
}
