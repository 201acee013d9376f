// A real installation in a directory of its own, with fsync and all its processes, for the time of a measurement.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Installation {
  readonly url: string;
  readonly token: string;
  readonly signInUrl: string;
  readonly dataDir: string;
  /** Milliseconds from the start of the command to its "ready". */
  readonly startedMs: number;
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

export async function startInstallation(dataDir?: string): Promise<Installation> {
  const dir = dataDir ?? (await mkdtemp(join(tmpdir(), 'qd-bench-')));
  const begun = performance.now();
  const child = spawn(process.execPath, [main, 'up', '--json', '--data', dir, '--api-port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] ?? '', HOME: dir },
  });
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`up ended with ${code}`))),
  ])) as [string];
  const ready = JSON.parse(line) as { url: string; token: string; sign_in_url: string };
  return {
    url: ready.url,
    token: ready.token,
    signInUrl: ready.sign_in_url,
    dataDir: dir,
    startedMs: performance.now() - begun,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      if (dataDir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Address of the installation's own database, for the raw floor in the same run. */
export async function databaseUrl(installation: Installation): Promise<string> {
  const facts = JSON.parse(await readFile(join(installation.dataDir, 'run', 'database.json'), 'utf8')) as {
    url: string;
  };
  return facts.url;
}
