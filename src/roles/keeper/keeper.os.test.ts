import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { query } from '../../../test/support/embedded-data-dir.ts';
import { type Installation, type Part, runQuarterdeck, startInstallation } from '../../../test/support/installation.ts';
import { listenerPort } from '../../../test/support/listener.ts';
import { startScratchCluster } from '../../platform/db/embedded/scratch.ts';
import { acquireDataLock } from '../../platform/process/data-lock.ts';
import { findProcessesByMarker, processMarker } from '../../platform/process/facts.ts';
import { DATA_MARKER, ROLE_MARKER, type RoleName } from '../role-file.ts';
import { type PartStatus, survey } from './survey.ts';

const LIMIT_MS = 10_000;

async function until<T>(what: string, look: () => Promise<T | undefined>, limitMs = LIMIT_MS): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await delay(10);
  }
}

async function partsOf(installation: Installation): Promise<Record<string, number>> {
  const parts: Part[] = await installation.processes();
  return Object.fromEntries(parts.map(({ name, pid }) => [name, pid]));
}

/** What `survey` says of the database. */
async function databaseOf(installation: Installation): Promise<PartStatus | undefined> {
  return (await survey(installation.dataDir)).find(({ part }) => part === 'database');
}

async function answers(url: string, token: string): Promise<boolean> {
  const response = await fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${token}` } }).catch(
    () => undefined,
  );
  return response?.ok === true;
}

/** Kills a part and waits until another process has its place and the api answers. */
async function killAndWait(installation: Installation, name: string): Promise<Record<string, number>> {
  const before = await partsOf(installation);
  process.kill(before[name]!, 'SIGKILL');
  const after = await until(`${name} is back`, async () => {
    const now = await partsOf(installation);
    return now[name] !== undefined && now[name] !== before[name] ? now : undefined;
  });
  await until('the api answers', async () => (await answers(installation.url, installation.token)) || undefined);
  return after;
}

/** A database whose owner may make roles and is no superuser, as the setting asks for. */
async function makeOwner(adminUrl: string): Promise<string> {
  await query(adminUrl, `CREATE ROLE deck LOGIN CREATEROLE PASSWORD 'deck'`, 'CREATE DATABASE deck OWNER deck');
  const url = new URL(adminUrl);
  return `postgres://deck:deck@${url.host}/deck`;
}

async function searchPathOf(url: string): Promise<unknown> {
  const [row] = await query(url, 'SHOW search_path');
  return row!['search_path'];
}

function temporary(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'qd-keeper-')));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const SLEEPER = 'agents:\n  sleeper:\n    command: [sleep, "100000"]\n';

async function agentOf({ url, token }: Installation, name: string): Promise<{ pid: number | null; state: string }> {
  const response = await fetch(`${url}/v1/agents/${name}`, { headers: { authorization: `Bearer ${token}` } });
  return (await response.json()) as { pid: number | null; state: string };
}

async function sleeperOf(installation: Installation): Promise<number> {
  return until('the agent runs', async () => {
    const { pid, state } = await agentOf(installation, 'sleeper');
    return state === 'healthy' && pid !== null ? pid : undefined;
  });
}

describe('a running installation', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await startInstallation({ config: SLEEPER });
  });
  afterAll(() => installation?.stop());

  it('has every part once, answers with its token, and offers a link to sign in', async () => {
    expect(Object.keys(await partsOf(installation)).sort()).toEqual(['api', 'engine', 'host', 'keeper', 'postgres']);
    expect(await answers(installation.url, installation.token)).toBe(true);
    expect(installation.signInUrl).toMatch(new RegExp(`^${installation.url}/#k=qd_link_`));
  });

  it('refuses a second start with exit 73 and names the holder', async () => {
    const { exitCode, stdout, stderr } = await runQuarterdeck(['up', '--data', installation.dataDir]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 73, stdout: '' });
    expect(stderr).toContain(`process ${installation.pid} `);
    expect(stderr).toContain('quarterdeck up --json');
  });

  it('shows its parts', async () => {
    const { exitCode, stdout } = await runQuarterdeck(['status', '--json', '--data', installation.dataDir]);
    expect(exitCode).toBe(0);
    const { parts } = JSON.parse(stdout) as { parts: { part: string; ready: boolean; port: number | null }[] };
    expect(parts.every(({ ready }) => ready)).toBe(true);
    expect(parts.find(({ part }) => part === 'api')!.port).toBe(Number(new URL(installation.url).port));
  });

  it('says of a database that hangs that it does not answer', async () => {
    const { postgres } = await partsOf(installation);
    process.kill(postgres!, 'SIGSTOP');
    try {
      expect(await databaseOf(installation)).toMatchObject({
        ready: false,
        pid: postgres,
        note: expect.stringMatching(/^does not answer; embedded/),
      });
    } finally {
      process.kill(postgres!, 'SIGCONT');
    }
    expect(await databaseOf(installation)).toMatchObject({ ready: true, note: expect.stringMatching(/^embedded/) });
    await until('the api answers', async () => (await answers(installation.url, installation.token)) || undefined);
  });

  it('keeps secrets out of command lines and readable files', async () => {
    const { parts } = { parts: await installation.processes() };
    const secret = readFileSync(join(installation.dataDir, 'secrets', 'postgres.owner'), 'utf8').trim();
    for (const { pid } of parts) {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      expect(line).not.toContain(secret);
      expect(line).not.toContain(installation.token);
    }
    for (const name of readdirSync(join(installation.dataDir, 'logs'))) {
      const log = readFileSync(join(installation.dataDir, 'logs', name), 'utf8');
      expect(log).not.toContain(secret);
      expect(log).not.toContain(installation.token);
    }
  });

  it.each(['api', 'engine', 'host'])(
    'has %s back after kill -9, on the same port, the others undisturbed',
    async (name) => {
      const { [name]: killed, ...others } = await partsOf(installation);
      const agent = await sleeperOf(installation);
      const { [name]: born, ...same } = await killAndWait(installation, name);
      expect(born).not.toBe(killed);
      expect(same).toEqual(others);
      expect(await sleeperOf(installation)).toBe(agent);
    },
  );

  it('has its database back after kill -9, and the roles find it again by themselves', async () => {
    const { postgres: killed, ...others } = await partsOf(installation);
    const { postgres: born, ...same } = await killAndWait(installation, 'postgres');
    expect(born).not.toBe(killed);
    expect(same).toEqual(others);
  });

  it('goes on without its keeper, and the next start takes over without a second copy of anything', async () => {
    const before = await partsOf(installation);
    const agent = await sleeperOf(installation);
    process.kill(installation.pid, 'SIGKILL');
    await until('the keeper is gone', async () => (await partsOf(installation))['keeper'] === undefined || undefined);
    expect(await answers(installation.url, installation.token)).toBe(true);

    const next = await startInstallation({ dataDir: installation.dataDir });
    onTestFinished(() => next.stop());
    const after = await partsOf(next);
    expect(next).toMatchObject({ url: installation.url, token: installation.token });
    expect(after['postgres']).toBe(before['postgres']);
    for (const role of ['api', 'engine', 'host']) expect(after[role]).not.toBe(before[role]);
    expect(await sleeperOf(next)).toBe(agent);
    const roles = findProcessesByMarker(DATA_MARKER, next.dataDir).sort();
    expect(roles).toEqual([after['api'], after['engine'], after['host']].sort());
  });
});

describe('a later start', () => {
  it('tries an agent again that had crashed: its program may have been mended', async () => {
    const dir = temporary();
    const mended = join(dir, 'mended');
    const config = `agents:\n  crasher:\n    command: [sh, -c, "test -e ${mended} && exec sleep 100000"]\n`;
    const installation = await startInstallation({ config });
    onTestFinished(() => installation.stop());
    await until(
      'it crashed',
      async () => (await agentOf(installation, 'crasher')).state === 'crashed' || undefined,
      40_000,
    );
    // Its host alone started again is no reason to try.
    await killAndWait(installation, 'host');
    const ended = new Promise((resolve) => installation.keeper.once('exit', resolve));
    installation.keeper.kill('SIGTERM');
    await ended;
    writeFileSync(mended, '');
    const next = await startInstallation({ dataDir: installation.dataDir });
    onTestFinished(() => next.stop());
    await until('it runs', async () => (await agentOf(next, 'crasher')).state === 'healthy' || undefined);
  });

  it('with another port for the api starts the agents anew that know the old one', async () => {
    const installation = await startInstallation({ config: SLEEPER });
    onTestFinished(() => installation.stop());
    const before = await sleeperOf(installation);
    process.kill(installation.pid, 'SIGKILL');
    await until('the keeper is gone', async () => (await partsOf(installation))['keeper'] === undefined || undefined);
    const other = createServer();
    const port = await listenerPort(other);
    await new Promise((resolve) => other.close(resolve));
    const next = await startInstallation({ dataDir: installation.dataDir, args: ['--api-port', String(port)] });
    onTestFinished(() => next.stop());
    const after = await until('another process runs', async () => {
      const { pid, state } = await agentOf(next, 'sleeper');
      return state === 'healthy' && pid !== null && pid !== before ? pid : undefined;
    });
    expect(existsSync(`/proc/${before}`)).toBe(false);
    expect(readFileSync(`/proc/${after}/environ`, 'utf8').split('\0')).toContain(
      `QUARTERDECK_URL=http://127.0.0.1:${port}`,
    );
  });
});

describe('the end', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('by %s leaves no process, no port and no claim behind', async (signal) => {
    const installation = await startInstallation({ config: SLEEPER });
    onTestFinished(() => installation.stop());
    const pids = [await sleeperOf(installation), ...(await installation.processes()).map(({ pid }) => pid)];
    const ended = new Promise((resolve) => installation.keeper.once('exit', resolve));
    installation.keeper.kill(signal);
    expect(await ended).toBe(0);
    expect(await installation.processes()).toEqual([]);
    for (const pid of pids) expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(await answers(installation.url, installation.token)).toBe(false);
    expect(readdirSync(join(installation.dataDir, 'run'))).toEqual(['ports.json']);
    const { exitCode } = await runQuarterdeck(['status', '--data', installation.dataDir]);
    expect(exitCode).toBe(7);
  });

  it('by `down` works with a keeper, and without one', async () => {
    const installation = await startInstallation({ config: SLEEPER });
    onTestFinished(() => installation.stop());
    const agent = await sleeperOf(installation);
    const { host, keeper } = await partsOf(installation);
    for (const pid of [keeper, host]) process.kill(pid!, 'SIGKILL');
    const down = await runQuarterdeck(['down', '--json', '--data', installation.dataDir]);
    expect(down.exitCode).toBe(0);
    expect(JSON.parse(down.stdout).stopped.sort()).toEqual(['agents', 'api', 'database', 'engine']);
    expect(existsSync(`/proc/${agent}`)).toBe(false);
    expect(await installation.processes()).toEqual([]);

    const words = ['up', '--detach', '--json', '--api-port', '0', '--data', installation.dataDir];
    const detached = await runQuarterdeck(words);
    expect(detached.exitCode).toBe(0);
    expect(JSON.parse(detached.stdout)).toMatchObject({ ready: true, url: installation.url, relay_url: null });
    const again = await runQuarterdeck(['down', '--json', '--data', installation.dataDir]);
    expect(JSON.parse(again.stdout).stopped).toEqual(['keeper']);
    expect(await installation.processes()).toEqual([]);
  });

  it('by `down` signals nobody but the holder: where its pid is another process now, it names it and ends nothing', async () => {
    const dir = temporary();
    const lock = acquireDataLock(dir, { pid: process.pid, started_at: 'then', command: 'a test' });
    onTestFinished(() => lock.release());
    const bystander = spawn('sleep', ['100000'], { stdio: 'ignore' });
    onTestFinished(() => void bystander.kill('SIGKILL'));
    const facts = JSON.parse(readFileSync(join(dir, 'lock.json'), 'utf8')) as object;
    writeFileSync(join(dir, 'lock.json'), JSON.stringify({ ...facts, pid: bystander.pid }));
    const { exitCode, stderr } = await runQuarterdeck(['down', '--data', dir]);
    expect(exitCode).toBe(73);
    expect(stderr).toContain(`held by process ${bystander.pid} `);
    expect(bystander).toMatchObject({ exitCode: null, signalCode: null });
  });

  it('during the start is exit 130 with nothing left', async () => {
    const dir = temporary();
    const lock = join(dir, 'lock.json');
    const started = runQuarterdeck(['up', '--api-port', '0', '--data', dir]);
    const { pid } = await until('it holds the directory', async () =>
      existsSync(lock) ? (JSON.parse(readFileSync(lock, 'utf8')) as { pid: number }) : undefined,
    );
    process.kill(pid, 'SIGINT');
    expect(await started).toMatchObject({ exitCode: 130, stdout: '' });
    const { exitCode } = await runQuarterdeck(['status', '--data', dir]);
    expect(exitCode).toBe(7);
    expect(findProcessesByMarker(DATA_MARKER, dir)).toEqual([]);
  });
});

describe('a start that is given up', () => {
  /** The process of a role, from its first moment on. */
  const roleOf = (dataDir: string, role: RoleName, not?: number) =>
    until(`the ${role} is there`, async () =>
      findProcessesByMarker(DATA_MARKER, dataDir).find(
        (pid) => pid !== not && processMarker(pid, ROLE_MARKER) === role,
      ),
    );
  const holderOf = (dataDir: string) =>
    (JSON.parse(readFileSync(join(dataDir, 'lock.json'), 'utf8')) as { pid: number }).pid;

  it('leaves the agents that ran before it, also when its own host watches them already', async () => {
    const installation = await startInstallation({ config: SLEEPER });
    onTestFinished(() => installation.stop());
    const { dataDir } = installation;
    const agent = await sleeperOf(installation);
    const { api, keeper } = await partsOf(installation);
    process.kill(keeper!, 'SIGKILL');
    await until('the keeper is gone', async () => (await partsOf(installation))['keeper'] === undefined || undefined);
    const words = ['up', '--api-port', '0', '--only', 'host,api', '--data', dataDir];
    const next = runQuarterdeck(words, {}, installation.dir);
    // One after the other: the host is ready when the new api begins.
    process.kill(await roleOf(dataDir, 'api', api), 'SIGSTOP');
    process.kill(holderOf(dataDir), 'SIGINT');
    expect(await next).toMatchObject({ exitCode: 130 });
    expect((await partsOf(installation))['host']).toBeUndefined();
    expect(existsSync(`/proc/${agent}`)).toBe(true);
  });

  it('ends the agents it had started, however slowly they leave', async () => {
    const dir = temporary();
    chmodSync(dir, 0o711);
    const data = join(dir, 'data');
    const file = join(dir, 'pid');
    const script = `trap '' TERM INT; echo $$ > ${file}; while :; do sleep 1; done`;
    writeFileSync(join(dir, 'quarterdeck.yaml'), `agents:\n  stubborn:\n    command: [sh, -c, "${script}"]\n`);
    const started = runQuarterdeck(['up', '--api-port', '0', '--data', data], {}, dir);
    onTestFinished(async () => void (await runQuarterdeck(['down', '--data', data])));
    process.kill(await roleOf(data, 'api'), 'SIGSTOP');
    const agent = await until('the agent runs', async () =>
      existsSync(file) ? Number(readFileSync(file, 'utf8')) || undefined : undefined,
    );
    process.kill(holderOf(data), 'SIGINT');
    expect(await started).toMatchObject({ exitCode: 130 });
    expect(existsSync(`/proc/${agent}`)).toBe(false);
    expect(findProcessesByMarker(DATA_MARKER, data)).toEqual([]);
  });
});

describe('a start that is refused starts nothing', () => {
  it('by a wrong manifest: exit 2 with file, line, key, value seen and what was expected', async () => {
    const dir = temporary();
    writeFileSync(join(dir, 'quarterdeck.yaml'), 'agents:\n  pricer:\n    command: [x]\n    silence_limit: soon\n');
    const { exitCode, stdout, stderr } = await runQuarterdeck(['up', '--data', join(dir, 'data')], {}, dir);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(
      'quarterdeck.yaml:4: agents.pricer.silence_limit: expected a duration like 60s, 5m, 2h or 1d, found "soon"',
    );
    expect(existsSync(join(dir, 'data'))).toBe(false);
  });

  it('also where it is found out only beside the database: what ran for it is ended again', async () => {
    const dir = temporary();
    // As root the database's account has to pass through it.
    chmodSync(dir, 0o711);
    const data = join(dir, 'data');
    const file = join(dir, 'quarterdeck.yaml');
    writeFileSync(file, 'agents:\n  pricer:\n    command: [sleep, "100000"]\n    tenant: nowhere\n');
    const words = ['up', '--json', '--api-port', '0', '--data', data];
    const { exitCode, stdout } = await runQuarterdeck(words, {}, dir);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'access.tenant_not_found' });
    expect(findProcessesByMarker(DATA_MARKER, data)).toEqual([]);
    expect((await runQuarterdeck(['status', '--data', data])).exitCode).toBe(7);
    // The directory is free, and nothing in it stands in the way of the next start.
    writeFileSync(file, SLEEPER);
    const next = await startInstallation({ dataDir: data, config: SLEEPER });
    onTestFinished(() => next.stop());
    expect(await sleeperOf(next)).toBeGreaterThan(0);
  });

  it('by a port that another program has', async () => {
    const dir = temporary();
    const other = createServer();
    onTestFinished(() => void other.close());
    const port = await listenerPort(other);
    const words = ['up', '--api-port', String(port), '--data', join(dir, 'data')];
    const { exitCode, stderr } = await runQuarterdeck(words);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`port ${port} is taken by another program`);
    expect(existsSync(join(dir, 'data', 'postgres'))).toBe(false);
  });

  it('by a database that cannot be reached, whose password is not shown', async () => {
    const dir = temporary();
    const env = { DATABASE_URL: 'postgres://quarterdeck:hunter2@127.0.0.1:1/quarterdeck' };
    const { exitCode, stdout, stderr } = await runQuarterdeck(['up', '--json', '--data', join(dir, 'data')], env);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'database_refused' });
    expect(stderr).toContain('127.0.0.1:1');
    expect(stdout + stderr).not.toContain('hunter2');
  });
});

describe('on a PostgreSQL of the operator’s own', () => {
  it('starts no server, needs no superuser, and leaves the database running', async () => {
    const cluster = await startScratchCluster({ dir: mkdtempSync(join(tmpdir(), 'qd-own-')) });
    onTestFinished(() => cluster.stop());
    const url = await makeOwner(cluster.url);
    const installation = await startInstallation({ env: { DATABASE_URL: url }, args: ['--only', 'api,engine'] });
    onTestFinished(() => installation.stop());
    expect(Object.keys(await partsOf(installation)).sort()).toEqual(['api', 'engine', 'keeper']);
    expect(await answers(installation.url, installation.token)).toBe(true);
    expect(await searchPathOf(url)).toMatch(/^log, access, work, /);
    expect(await databaseOf(installation)).toMatchObject({ ready: true, note: `at 127.0.0.1:${cluster.port}` });
    process.kill(cluster.pid, 'SIGSTOP');
    try {
      expect(await databaseOf(installation)).toMatchObject({ ready: false });
    } finally {
      process.kill(cluster.pid, 'SIGCONT');
    }
    await installation.stop();
    expect(existsSync(`/proc/${cluster.pid}`)).toBe(true);
  });
});
