// kill -9 of the keeper, the server, single processes of it, and of all; at random moments of the first start too.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import {
  isRoot,
  kill,
  makeDataDir,
  query,
  spawnKeeper,
  startKeeper,
} from '../../../../test/support/embedded-data-dir.ts';
import { findProcessesByDirectory, processStartTime } from '../../process/facts.ts';
import { stopProcess } from '../../process/stop.ts';
import { findFreePort } from './port.ts';
import { startEmbedded } from './server.ts';

const log = () => {};

async function killPid(pid: number): Promise<void> {
  const startTime = processStartTime(pid);
  if (startTime) await stopProcess(pid, startTime, { signal: 'SIGKILL' });
}

test('a server outlives its killed keeper and is taken over', async () => {
  const dataDir = makeDataDir();
  const { keeper, pid, port } = await startKeeper(dataDir);
  await kill(keeper);
  const server = await startEmbedded({ dataDir, log });
  expect(server).toMatchObject({ adopted: true, pid, port });
  expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);

  // Its end is noticed although it is no child of ours.
  await killPid(pid);
  await expect(server.exited).resolves.toEqual({ code: null, signal: null });
  const again = await startEmbedded({ dataDir, log });
  expect(again).toMatchObject({ adopted: false, port });
  await again.stop();
});

test('a server taken over can be stopped', async () => {
  const dataDir = makeDataDir();
  const { keeper, pid } = await startKeeper(dataDir);
  await kill(keeper);
  const server = await startEmbedded({ dataDir, log });
  await server.stop();
  expect(processStartTime(pid)).toBeUndefined();
  expect(findProcessesByDirectory(join(dataDir, 'postgres'))).toEqual([]);
});

test('a running server is started anew when another port is demanded', async () => {
  const dataDir = makeDataDir();
  const { keeper, pid } = await startKeeper(dataDir);
  await kill(keeper);
  const demanded = await findFreePort();
  const server = await startEmbedded({ dataDir, log, port: demanded });
  expect(server).toMatchObject({ adopted: false, port: demanded });
  expect(processStartTime(pid)).toBeUndefined();
  await server.stop();
});

test('a running server that was told to wait for its clients is not waited for', async () => {
  const dataDir = makeDataDir();
  const { keeper, pid, port } = await startKeeper(dataDir);
  await kill(keeper);
  const client = new Client({ connectionString: superuserUrl(dataDir, port) });
  client.on('error', () => {});
  await client.connect();
  process.kill(pid, 'SIGTERM');
  const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
  await expect.poll(() => readFileSync(pidFile, 'utf8'), { timeout: 5_000 }).toContain('stopping');
  const server = await startEmbedded({ dataDir, log });
  expect(server.adopted).toBe(false);
  await server.stop();
  await client.end();
});

test('kill -9 of everything loses nothing that was acknowledged', async () => {
  const dataDir = makeDataDir();
  const { keeper, port } = await startKeeper(dataDir);
  const url = superuserUrl(dataDir, port);
  await query(url, 'CREATE TABLE kept (id int)');
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  let acknowledged = 0;
  const killed = (async () => {
    while (acknowledged < 50) await delay(1);
    await kill(keeper);
    await Promise.all(findProcessesByDirectory(join(dataDir, 'postgres')).map(killPid));
  })();
  try {
    for (;;) {
      await client.query('INSERT INTO kept VALUES ($1)', [acknowledged]);
      acknowledged += 1;
    }
  } catch {
    await killed;
  }
  const server = await startEmbedded({ dataDir, log });
  expect(server.adopted).toBe(false);
  const [row] = await query(superuserUrl(dataDir, server.port), 'SELECT count(*)::int AS rows FROM kept');
  expect(row?.['rows']).toBeGreaterThanOrEqual(acknowledged);
  expect(acknowledged).toBeGreaterThanOrEqual(50);
  await server.stop();
});

test('a busy backend left by a killed server does not block the next start', async () => {
  const dataDir = makeDataDir();
  const { keeper, pid, port } = await startKeeper(dataDir);
  const client = new Client({ connectionString: superuserUrl(dataDir, port) });
  client.on('error', () => {});
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  // Computes for minutes and never looks whether its postmaster lives.
  const busy = client
    .query('SELECT count(*) FROM generate_series(1, 1e11::bigint) AS n WHERE n % 7 = 3')
    .catch(() => 'cut off');
  await expect
    .poll(() => query(superuserUrl(dataDir, port), `SELECT state FROM pg_stat_activity WHERE pid = ${rows[0]?.pid}`), {
      timeout: 5_000,
    })
    .toEqual([{ state: 'active' }]);
  await kill(keeper);
  await killPid(pid);
  expect(processStartTime(rows[0]!.pid)).toBeDefined();

  const server = await startEmbedded({ dataDir, log });
  expect(processStartTime(rows[0]!.pid)).toBeUndefined();
  expect(await busy).toBe('cut off');
  expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await server.stop();
});

/** A directory whose server was killed -9 with all of its processes, and the text of the pid file it left. */
async function makeCrashed(): Promise<{ dataDir: string; pidFile: string; text: string }> {
  const dataDir = makeDataDir();
  const { keeper } = await startKeeper(dataDir);
  await kill(keeper);
  await Promise.all(findProcessesByDirectory(join(dataDir, 'postgres')).map(killPid));
  const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
  return { dataDir, pidFile, text: readFileSync(pidFile, 'utf8') };
}

test('a pid file that is left over, empty, or names a process of somebody else does not block the start', async () => {
  const { dataDir, pidFile, text } = await makeCrashed();
  const bystander = spawn('sleep', ['1000'], {
    stdio: 'ignore',
    cwd: '/',
    // PostgreSQL refuses to start only when the pid belongs to a process of its own account.
    ...(isRoot && { uid: statSync(pidFile).uid, gid: statSync(pidFile).gid }),
  });
  try {
    const recycled = text.replace(/^\d+/, String(bystander.pid));
    for (const left of [text, '', recycled]) {
      writeFileSync(pidFile, left);
      const server = await startEmbedded({ dataDir, log });
      expect(server.adopted).toBe(false);
      const sockets = join(dataDir, 'postgres.sockets');
      const socketLock = join(sockets, readdirSync(sockets).find((name) => name.endsWith('.lock')) ?? '');
      await Promise.all(findProcessesByDirectory(join(dataDir, 'postgres')).map(killPid));
      // The lock file of the socket holds the pid too, and is judged in the same way.
      writeFileSync(socketLock, readFileSync(socketLock, 'utf8').replace(/^\d+/, String(bystander.pid)));
    }
    await (await startEmbedded({ dataDir, log })).stop();
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  } finally {
    await kill(bystander);
  }
});

test('a shell that stands in the cluster is left alone', async () => {
  const { dataDir } = await makeCrashed();
  const shell = spawn('sleep', ['1000'], { stdio: 'ignore', cwd: join(dataDir, 'postgres') });
  try {
    await once(shell, 'spawn');
    await (await startEmbedded({ dataDir, log })).stop();
    expect(shell.exitCode ?? shell.signalCode).toBeNull();
  } finally {
    await kill(shell);
  }
});

test('kill -9 in the middle of the first start leaves what the next start completes', {
  timeout: 120_000,
}, async () => {
  const dataDir = makeDataDir();
  const cluster = join(dataDir, 'postgres');
  // What must be there when the keeper is killed: each stage of the first start, in its order.
  const stages: [string, () => boolean][] = [
    ['copying', () => existsSync(join(dataDir, 'engine'))],
    ['initdb at work', () => readdirSync(dataDir).some((name) => name.startsWith('postgres.init.'))],
    [
      'bootstrap',
      () =>
        readdirSync(dataDir).some(
          (name) => name.startsWith('postgres.init.') && existsSync(join(dataDir, name, 'base', '1')),
        ),
    ],
    ['cluster in its place', () => existsSync(cluster)],
    ['server starting', () => existsSync(join(cluster, 'postmaster.pid'))],
  ];
  for (const [stage, isReached] of stages) {
    const keeper = spawnKeeper(dataDir);
    await expect.poll(isReached, { interval: 2, timeout: 20_000, message: stage }).toBe(true);
    await kill(keeper);
  }
  // A cluster being made by a process that is long gone, under a pid that may come back.
  mkdirSync(`${cluster}.init.${process.pid}`);
  const server = await startEmbedded({ dataDir, log });
  expect(await query(server.url, 'SELECT current_user::text')).toEqual([{ current_user: 'quarterdeck' }]);
  // By then the reserve, which is laid beside the running server, is whole too.
  await server.stop();
  expect(readdirSync(dataDir).filter((name) => /init|new|tmp/.test(name))).toEqual([]);
  expect(readdirSync(join(dataDir, 'engine'))).toHaveLength(1);
});

function superuserUrl(dataDir: string, port: number): string {
  const password = readFileSync(join(dataDir, 'secrets', 'postgres.superuser'), 'utf8').trim();
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
}
