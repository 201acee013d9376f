// A real installation in a directory of its own, with fsync and all its processes, for the time of a measurement. Its
// PostgreSQL is the embedded one, started here so that the raw floor can be measured on the same server.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type EmbeddedServer, startEmbedded } from '../src/platform/db/embedded/server.ts';

export interface Installation {
  readonly url: string;
  readonly token: string;
  readonly signInUrl: string;
  /** Of its own database, as the owner. */
  readonly databaseUrl: string;
  /** Of the same database, as the superuser. */
  readonly adminUrl: string;
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

process.once('SIGTERM', () => process.exit(143));
process.once('SIGINT', () => process.exit(130));

/** With the server's settings of the product, and these besides. */
export async function startInstallation(settings: Record<string, string> = {}): Promise<Installation> {
  const dir = await mkdtemp(join(tmpdir(), 'qd-bench-'));
  // As root the database runs under an account of its own, which has to pass through.
  await chmod(dir, 0o711);
  await mkdir(join(dir, 'database'));
  const database = await startDatabase(join(dir, 'database'), settings);
  const adminUrl = new URL(database.adminUrl);
  adminUrl.pathname = new URL(database.url).pathname;
  const child = spawn(process.execPath, [main, 'up', '--json', '--data', join(dir, 'data'), '--api-port', '0'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '', HOME: dir, DATABASE_URL: database.url },
  });
  // Also where a measurement crashes or is told to end, nothing goes on running.
  const abandon = () => {
    child.kill('SIGTERM');
    process.kill(database.pid, 'SIGINT');
  };
  process.once('exit', abandon);
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
    adminUrl: adminUrl.href,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      await database.stop();
      process.off('exit', abandon);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

// What the operator sets stands in the cluster, and some of it counts from the next start.
async function startDatabase(dataDir: string, settings: Record<string, string>): Promise<EmbeddedServer> {
  const options = { dataDir, log: () => undefined };
  const server = await startEmbedded(options);
  if (Object.keys(settings).length === 0) return server;
  const admin = new pg.Client({ connectionString: server.adminUrl });
  await admin.connect();
  for (const [name, value] of Object.entries(settings)) await admin.query(`ALTER SYSTEM SET ${name} = '${value}'`);
  await admin.end();
  await server.stop();
  return startEmbedded(options);
}
