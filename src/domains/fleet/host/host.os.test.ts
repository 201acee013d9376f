import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openTestFleet, type TestFleet } from '../../../../test/support/fleet.ts';
import { findProcessesByMarker, processStartTime } from '../../../platform/process/facts.ts';
import type { AgentItem } from '../operations.ts';
import { MARKER } from './environment.ts';
import { readRecord } from './record.ts';

let fleet: TestFleet;

beforeAll(async () => {
  fleet = await openTestFleet();
});
afterEach(() => fleet.clear());
afterAll(() => fleet.close());

const sleeper = { command: 'while :; do sleep 1; done', shell: true };
const isHealthy = (item: AgentItem) => item.state === 'healthy';
const isAlive = (pid: number) => processStartTime(pid) !== undefined;

/** Every living process of the agent's last start. */
function processesOf(dataDir: string, agent: string): number[] {
  const record = readRecord(join(dataDir, 'agents', 'fleet', agent));
  return record?.marker ? findProcessesByMarker(MARKER, record.marker) : [];
}

function logOf(dataDir: string, agent: string): string {
  return readFileSync(join(dataDir, 'agents', 'fleet', agent, 'console.log'), 'utf8');
}

async function typesOf(agent: string): Promise<string[]> {
  return (await fleet.events(agent)).map((event) => event.event_type);
}

async function readAll(agent: string): Promise<string> {
  let text = '';
  for (let after = 0; ; ) {
    const part = await fleet.app.fleet.readConsole(fleet.call, { agent, after, bytes: 262_144, wait: 0 });
    if (part.next_offset === after) return text;
    text += part.text;
    after = part.next_offset;
  }
}

test('a declared agent is started with its own environment and nothing of the host’s', async () => {
  const dir = fleet.dataDir();
  const command = 'env; while :; do sleep 1; done';
  await fleet.declare({ env: { command, shell: true, env: { COLOUR: 'blue' }, secrets: ['FLEET_TEST_SECRET'] } });
  await fleet.startHost(dir);
  const item = await fleet.until('env', isHealthy);
  expect(item).toMatchObject({ host: 'harbour', restarts: 0, exit: null });
  expect(isAlive(item.pid!)).toBe(true);
  await expect.poll(() => logOf(dir, 'env')).toMatch(/QUARTERDECK_TOKEN=qd_agent_/);
  const env = Object.fromEntries(
    logOf(dir, 'env')
      .trim()
      .split('\n')
      .map((line) => line.split('=')),
  );
  expect(env).toMatchObject({ COLOUR: 'blue', QUARTERDECK_AGENT: 'env', QUARTERDECK_URL: 'http://127.0.0.1:4600' });
  expect(env).toMatchObject({ FLEET_TEST_SECRET: 'hunter2-and-more' });
  const known = ['COLOUR', 'FLEET_TEST_SECRET', 'PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'PYTHONUNBUFFERED', 'PWD'];
  expect(
    Object.keys(env).filter((name) => !known.includes(name) && !/^(QUARTERDECK_|QD_RUN$|_$|OLDPWD|SHLVL)/.test(name)),
  ).toEqual([]);
  // What leaves the host holds neither the token nor the secret.
  await expect.poll(() => readAll('env')).toMatch(/FLEET_TEST_SECRET=\*{16}\n/);
  expect(await readAll('env')).toMatch(/QUARTERDECK_TOKEN=\*+\n/);
  expect((await fleet.app.access.credentials.getCaller(env['QUARTERDECK_TOKEN']!)).name).toBe('env');
});

test('a killed agent is noticed within a second and back within three, with a new token', async () => {
  const dir = fleet.dataDir();
  await fleet.declare({ pricer: { command: 'echo $QUARTERDECK_TOKEN; while :; do sleep 1; done', shell: true } });
  await fleet.startHost(dir);
  const before = await fleet.until('pricer', isHealthy);
  await expect.poll(() => logOf(dir, 'pricer')).toMatch(/\n/);
  const token = logOf(dir, 'pricer').trim();
  const killedAt = performance.now();
  process.kill(before.pid!, 'SIGKILL');
  const late = await fleet.until('pricer', (item) => item.state === 'late', 1_000);
  expect(late.state_reason).toMatch(/^Its process ended \(killed by SIGKILL\) and starts again in/);
  const after = await fleet.until('pricer', isHealthy, 3_000);
  expect(performance.now() - killedAt).toBeLessThan(3_000);
  expect(after).toMatchObject({ restarts: 1, exit: 'killed by SIGKILL' });
  expect(after.pid).not.toBe(before.pid);
  await expect(fleet.app.access.credentials.getCaller(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  const types = (await typesOf('pricer')).filter((type) => type.startsWith('fleet.'));
  expect(types).toEqual(['fleet.process.started', 'fleet.process.ended', 'fleet.process.started']);
});

test('killing the shim is killing the agent: nothing of it stays beside the new one', async () => {
  const dir = fleet.dataDir();
  await fleet.declare({ shimless: sleeper });
  await fleet.startHost(dir);
  const before = await fleet.until('shimless', isHealthy);
  const record = readRecord(join(dir, 'agents', 'fleet', 'shimless'));
  process.kill(record!.process!.pid, 'SIGKILL');
  await fleet.until('shimless', (item) => item.restarts === 1 && isHealthy(item));
  expect(isAlive(before.pid!)).toBe(false);
});

test('the next host adopts what a killed one left, starts no second copy and learns how it ended', async () => {
  const dir = fleet.dataDir();
  await fleet.declare({ adoptee: { command: 'trap "exit 7" TERM; while :; do sleep 0.1; done', shell: true } });
  const first = await fleet.startHost(dir);
  const before = await fleet.until('adoptee', isHealthy);
  await fleet.endHost(first, 'SIGKILL');
  expect(isAlive(before.pid!)).toBe(true);
  await fleet.startHost(dir);
  await expect.poll(() => typesOf('adoptee')).toContain('fleet.process.adopted');
  const adopted = await fleet.until('adoptee', isHealthy);
  expect(adopted).toMatchObject({ pid: before.pid, restarts: 0 });
  process.kill(before.pid!, 'SIGTERM');
  const after = await fleet.until('adoptee', (item) => item.restarts === 1 && isHealthy(item), 4_000);
  expect(after.exit).toBe('exited with code 7');
});

test('an adopted process is masked by the secret it was started with, also when its host holds another', async () => {
  const dir = fleet.dataDir();
  const command = 'trap "echo say $FLEET_TEST_CHANGED" USR1; echo up; while :; do sleep 0.1; done';
  await fleet.declare({ keeper: { command, shell: true, secrets: ['FLEET_TEST_CHANGED'] } });
  vi.stubEnv('FLEET_TEST_CHANGED', 'old-swordfish');
  try {
    const first = await fleet.startHost(dir);
    const before = await fleet.until('keeper', isHealthy);
    await expect.poll(() => logOf(dir, 'keeper')).toMatch(/up\n/);
    await fleet.endHost(first, 'SIGKILL');
    vi.stubEnv('FLEET_TEST_CHANGED', 'new-haddock');
    await fleet.startHost(dir);
    await expect.poll(() => typesOf('keeper')).toContain('fleet.process.adopted');
    process.kill(before.pid!, 'SIGUSR1');
    await expect.poll(() => readAll('keeper'), { timeout: 5_000 }).toMatch(/say \*{13}\n/);
    expect(logOf(dir, 'keeper')).toContain('say old-swordfish');
  } finally {
    vi.unstubAllEnvs();
  }
});

test('a host that is told to leave keeps its agents running; what ends meanwhile is learnt by the next', async () => {
  const dir = fleet.dataDir();
  await fleet.declare({ stayer: sleeper, goer: sleeper });
  const first = await fleet.startHost(dir);
  const stayer = await fleet.until('stayer', isHealthy);
  const goer = await fleet.until('goer', isHealthy);
  await fleet.endHost(first, 'SIGTERM');
  process.kill(goer.pid!, 'SIGKILL');
  await fleet.startHost(dir);
  expect(await fleet.until('goer', (item) => item.restarts === 1 && isHealthy(item))).toMatchObject({
    exit: 'killed by SIGKILL',
  });
  expect(await fleet.until('stayer', isHealthy)).toMatchObject({ pid: stayer.pid, restarts: 0 });
});

test('children that left the group and daemons that forked twice end with their agent', async () => {
  const dir = fleet.dataDir();
  const command = 'sleep 300 & setsid sleep 300 & (setsid sh -c "sleep 300 & exit" &); while :; do sleep 1; done';
  await fleet.declare({ parent: { command, shell: true } });
  await fleet.startHost(dir);
  await fleet.until('parent', isHealthy);
  await expect.poll(() => processesOf(dir, 'parent').length).toBeGreaterThanOrEqual(5);
  const all = processesOf(dir, 'parent');
  await fleet.app.fleet.stop(fleet.call, 'parent', 'enough');
  await expect.poll(() => all.filter(isAlive), { timeout: 8_000 }).toEqual([]);
  const stopped = await fleet.until('parent', (item) => item.pid === null);
  expect(stopped).toMatchObject({ state: 'stopped', exit: 'killed by SIGTERM', restarts: 0 });
  await fleet.app.fleet.resume(fleet.call, 'parent');
  await fleet.until('parent', isHealthy, 3_000);
});

test('an agent that ignores the request to leave is killed after five seconds', async () => {
  await fleet.declare({ stubborn: { command: 'trap "" TERM; while :; do sleep 1; done', shell: true } });
  await fleet.startHost(fleet.dataDir());
  const before = await fleet.until('stubborn', isHealthy);
  const from = performance.now();
  await fleet.app.fleet.restart(fleet.call, 'stubborn', 'it hangs');
  const after = await fleet.until('stubborn', (item) => item.restarts === 1 && isHealthy(item), 9_000);
  expect(performance.now() - from).toBeGreaterThan(4_900);
  expect(isAlive(before.pid!)).toBe(false);
  expect(after.exit).not.toBeNull();
});

test('an agent that crashes five times in a minute is left alone until it is restarted by hand', async () => {
  await fleet.declare({ crasher: { command: 'echo boom; exit 3', shell: true } });
  await fleet.startHost(fleet.dataDir());
  const crashed = await fleet.until('crasher', (item) => item.state === 'crashed', 30_000);
  expect(crashed).toMatchObject({ exit: 'exited with code 3', restarts: 4, pid: null });
  const { payload } = (await fleet.events('crasher')).find((event) => event.event_type === 'fleet.agent.crashed')!;
  expect(payload).toMatchObject({ ends: 5, exit: 'exited with code 3' });
  const status = await fleet.app.fleet.status(fleet.call, { tenant: undefined });
  expect(status.needs[0]).toMatchObject({ kind: 'agent', subject: 'crasher', severity: 'error' });
  await fleet.declare({ crasher: sleeper });
  await fleet.until('crasher', isHealthy, 3_000);
});

test('a process that ended well stays ended where its rule says so, also under the next host', async () => {
  const dir = fleet.dataDir();
  await fleet.declare({ once: { command: ['true'], restart: 'on-failure' } });
  const first = await fleet.startHost(dir);
  const ended = await fleet.until('once', (item) => item.exit === 'exited with code 0');
  expect(ended).toMatchObject({ state: 'stopped', restarts: 0 });
  await fleet.endHost(first, 'SIGKILL');
  await fleet.declare({ once: { command: ['true'], restart: 'on-failure' }, witness: sleeper });
  await fleet.startHost(dir);
  await fleet.until('witness', isHealthy);
  expect(await fleet.app.fleet.show(fleet.call, 'once')).toMatchObject({ state: 'stopped', restarts: 0 });
});

test('what cannot be started says why', async () => {
  await fleet.declare({
    lost: { command: ['true'], cwd: '/nonexistent' },
    poor: { command: ['true'], secrets: ['NOT_GIVEN'] },
    unknown: { command: ['/nonexistent/program'] },
  });
  await fleet.startHost(fleet.dataDir());
  const exit = async (agent: string) => (await fleet.until(agent, (item) => item.exit !== null)).exit;
  expect(await exit('lost')).toBe('could not be started: the directory /nonexistent does not exist');
  expect(await exit('poor')).toBe('could not be started: the secret NOT_GIVEN is not in the environment of the host');
  expect(await exit('unknown')).toBe('exited with code 127');
  await expect.poll(() => readAll('unknown')).toMatch(/not found/);
});

test('every line of ten thousand reaches the console, and the last ones of a process that ended', async () => {
  const lines = 'i=0; while [ $i -lt 10000 ]; do i=$((i+1)); echo "line $i of the printer"; done; echo "the end"';
  await fleet.declare({ printer: { command: lines, shell: true, restart: 'never' } });
  await fleet.startHost(fleet.dataDir());
  await expect.poll(() => readAll('printer'), { timeout: 15_000 }).toMatch(/the end\n$/);
  const text = (await readAll('printer')).trim().split('\n');
  expect(text).toHaveLength(10_001);
  expect(text[0]).toBe('line 1 of the printer');
  expect(text[9_999]).toBe('line 10000 of the printer');
});

test('a flood is capped in the database and on the disk, and says what was left out', async () => {
  const dir = fleet.dataDir();
  await fleet.declare({ flood: { command: 'exec yes "water water water"', shell: true, log_cap: '1mb' } });
  await fleet.startHost(dir);
  await expect.poll(() => readAll('flood'), { timeout: 15_000 }).toMatch(/bytes are left out here/);
  await expect.poll(() => existsSync(join(dir, 'agents/fleet/flood/console.log.4')), { timeout: 20_000 }).toBe(true);
  expect(existsSync(join(dir, 'agents/fleet/flood/console.log.5'))).toBe(false);
  await fleet.app.fleet.stop(fleet.call, 'flood', undefined);
  await fleet.until('flood', (item) => item.pid === null);
});

test('a second host starts no second copy, and takes over what the first gave up', async () => {
  const dirs = [fleet.dataDir(), fleet.dataDir()] as const;
  await fleet.declare({ single: sleeper });
  const first = await fleet.startHost(dirs[0], { name: 'port' });
  const before = await fleet.until('single', isHealthy);
  await fleet.startHost(dirs[1], { name: 'starboard' });
  expect(await fleet.app.fleet.show(fleet.call, 'single')).toMatchObject({ host: 'port', pid: before.pid });
  expect(processesOf(dirs[1], 'single')).toEqual([]);
  await fleet.endHost(first, 'SIGINT');
  expect(isAlive(before.pid!)).toBe(false);
  const after = await fleet.until('single', (item) => isHealthy(item) && item.host === 'starboard');
  expect(after.pid).not.toBe(before.pid);
});

test('an agent for another host is not started here', async () => {
  const dir = fleet.dataDir();
  await fleet.declare({ elsewhere: { ...sleeper, host: 'other' }, here: { ...sleeper, host: 'harbour' } });
  await fleet.startHost(dir);
  await fleet.until('here', isHealthy);
  expect(await fleet.app.fleet.show(fleet.call, 'elsewhere')).toMatchObject({ state: 'unknown', pid: null });
});

test('a changed command restarts the process, a removed agent ends it, a full shutdown ends all', async () => {
  const dir = fleet.dataDir();
  await fleet.declare({ one: sleeper, two: sleeper });
  const host = await fleet.startHost(dir);
  const one = await fleet.until('one', isHealthy);
  const two = await fleet.until('two', isHealthy);
  await fleet.declare({ one: { ...sleeper, env: { NEW: '1' } }, three: sleeper });
  const changed = await fleet.until('one', (item) => item.restarts === 1 && isHealthy(item), 5_000);
  const three = await fleet.until('three', isHealthy);
  await expect.poll(() => isAlive(two.pid!), { timeout: 5_000 }).toBe(false);
  expect(isAlive(one.pid!)).toBe(false);
  await fleet.endHost(host, 'SIGINT');
  expect([changed.pid!, three.pid!].filter(isAlive)).toEqual([]);
  expect(await fleet.app.fleet.show(fleet.call, 'one')).toMatchObject({ state: 'stopped', pid: null });
  await fleet.startHost(dir);
  await fleet.until('one', isHealthy);
});

test('while the database is away processes go on, and what happened is told when it is back', async () => {
  const dir = fleet.dataDir();
  const { url, cut, mend } = await fleet.breakableUrl();
  await fleet.declare({ island: { command: 'while :; do echo tick; sleep 0.2; done', shell: true } });
  await fleet.startHost(dir, { databaseUrl: url });
  const before = await fleet.until('island', isHealthy);
  cut();
  const size = logOf(dir, 'island').length;
  await expect.poll(() => logOf(dir, 'island').length, { timeout: 5_000 }).toBeGreaterThan(size + 40);
  expect(isAlive(before.pid!)).toBe(true);
  process.kill(before.pid!, 'SIGKILL');
  await expect
    .poll(() => readRecord(join(dir, 'agents/fleet/island'))!.reports.length, { timeout: 3_000 })
    .toBeGreaterThan(0);
  expect(processesOf(dir, 'island')).toEqual([]);
  mend();
  const after = await fleet.until('island', (item) => item.restarts === 1 && isHealthy(item), 10_000);
  expect(after.exit).toBe('killed by SIGKILL');
  const printed = logOf(dir, 'island').length;
  await expect.poll(async () => (await readAll('island')).length, { timeout: 5_000 }).toBeGreaterThanOrEqual(printed);
  expect((await typesOf('island')).filter((type) => type === 'fleet.process.ended')).toHaveLength(1);
});

test('a host that finds its directory held waits for the holder to end, and adopts then', async () => {
  const dir = fleet.dataDir();
  await fleet.declare({ handed: sleeper });
  const first = await fleet.startHost(dir);
  const before = await fleet.until('handed', isHealthy);
  const second = fleet.startHost(dir);
  await fleet.endHost(first, 'SIGTERM');
  await second;
  await expect.poll(() => typesOf('handed')).toContain('fleet.process.adopted');
  expect(await fleet.until('handed', isHealthy)).toMatchObject({ pid: before.pid, restarts: 0 });
});

test('a stopped process of an agent is no orphan: ps shows none of its marker', async () => {
  const dir = fleet.dataDir();
  await fleet.declare({ tidy: { command: 'sleep 300 & wait', shell: true } });
  const host = await fleet.startHost(dir);
  await fleet.until('tidy', isHealthy);
  const marker = readRecord(join(dir, 'agents/fleet/tidy'))!.marker!;
  await fleet.endHost(host, 'SIGINT');
  expect(findProcessesByMarker(MARKER, marker)).toEqual([]);
  expect(spawnSync('pgrep', ['-f', marker], { encoding: 'utf8' }).stdout).toBe('');
});
