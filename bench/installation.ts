// A real installation in a directory of its own, with fsync and all its processes, for the time of a measurement. Its
// PostgreSQL is the embedded one, started here so that the raw floor can be measured on the same server.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startEmbedded } from '../src/platform/db/embedded/server.ts';

export interface Installation {
  readonly url: string;
  readonly token: string;
  readonly signInUrl: string;
  /** Of its own database, as the owner. */
  readonly databaseUrl: string;
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

export async function startInstallation(): Promise<Installation> {
  const dir = await mkdtemp(join(tmpdir(), 'qd-bench-'));
  // As root the database runs under an account of its own, which has to pass through.
  await chmod(dir, 0o711);
  await mkdir(join(dir, 'database'));
  const database = await startEmbedded({ dataDir: join(dir, 'database'), log: () => undefined });
  const child = spawn(process.execPath, [main, 'up', '--json', '--data', join(dir, 'data'), '--api-port', '0'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '', HOME: dir, DATABASE_URL: database.url },
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
    databaseUrl: database.url,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      await database.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
