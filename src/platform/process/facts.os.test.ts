import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import {
  findProcessesByDirectory,
  findProcessesByGroup,
  findProcessesByMarker,
  isOfThisBoot,
  isSameProcess,
  processDirectory,
  processMarker,
  processProgram,
  processStartTime,
} from './facts.ts';
import { stopProcess } from './stop.ts';

const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** A node process that says "up" once its script has run. */
async function start(
  script: string,
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', `${script}; process.stdout.write('up'); setInterval(() => {}, 1e6)`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

test('a start time names one process: it stays, differs between processes and ends with the process', async () => {
  const first = await start('');
  const second = await start('');
  const started = processStartTime(first.pid!);
  expect(started).toBeDefined();
  expect(processStartTime(first.pid!)).toBe(started);
  expect(processStartTime(second.pid!)).not.toBe(started);
  expect(isSameProcess(second.pid!, started!)).toBe(false);
  first.kill('SIGKILL');
  await once(first, 'exit');
  expect(isSameProcess(first.pid!, started!)).toBe(false);
});

test.runIf(process.platform === 'linux')('a zombie is not alive', async () => {
  // The shell turns into a sleep, which never waits for the child it inherits; the child ends with our end of the pipe.
  const parent = spawn('/bin/sh', ['-c', 'exec 3<&0; sh -c "read _ <&3" & echo $!; exec sleep 100 3<&-'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(parent);
  const [text] = (await once(parent.stdout!, 'data')) as [Buffer];
  const zombie = Number(text.toString());
  await expect.poll(() => processProgram(parent.pid!), { timeout: 5_000 }).toContain('sleep');
  parent.stdin!.end();
  await expect.poll(() => processStartTime(zombie), { timeout: 5_000 }).toBeUndefined();
  // Signal 0 still reaches it: that alone would call it alive.
  expect(process.kill(zombie, 0)).toBe(true);
});

test('a process is found by its marker, its directory and its program', async () => {
  const value = randomUUID();
  const directory = realpathSync(tmpdir());
  const child = await start('', { env: { QD_TEST_MARKER: value }, cwd: directory });
  expect(processMarker(child.pid!, 'QD_TEST_MARKER')).toBe(value);
  expect(processMarker(child.pid!, 'QD_TEST')).toBeUndefined();
  expect(findProcessesByMarker('QD_TEST_MARKER', value)).toEqual([child.pid]);
  expect(findProcessesByDirectory(directory)).toContain(child.pid);
  expect(processDirectory(child.pid!)).toBe(directory);
  expect(processProgram(child.pid!)).toBe(realpathSync(process.execPath));
});

test('the members of a group are found without any environment, also after their leader', async () => {
  const leader = spawn('/bin/sh', ['-c', 'env -i sleep 300 & echo $!; read _'], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(leader);
  const [text] = (await once(leader.stdout!, 'data')) as [Buffer];
  const member = Number(text.toString());
  try {
    expect(findProcessesByGroup(leader.pid!).sort()).toEqual([leader.pid!, member].sort());
    leader.stdin!.end();
    await once(leader, 'exit');
    expect(findProcessesByGroup(leader.pid!)).toEqual([member]);
  } finally {
    process.kill(member, 'SIGKILL');
  }
  await expect.poll(() => findProcessesByGroup(leader.pid!), { timeout: 5_000 }).toEqual([]);
});

test('a start time tells whether it is of this run of the machine', () => {
  expect(isOfThisBoot(processStartTime(process.pid)!)).toBe(true);
  expect(isOfThisBoot('12345@00000000')).toBe(false);
  expect(isOfThisBoot('ended')).toBe(false);
});

test('a process that leaves when asked is not killed', async () => {
  const child = await start("process.on('SIGTERM', () => process.exit(0))");
  const outcome = await stopProcess(child.pid!, processStartTime(child.pid!)!, { graceMs: 20_000 });
  expect(outcome).toBe('left');
});

test('a process that ignores the signal is killed after its grace', async () => {
  const child = await start("process.on('SIGTERM', () => {})");
  const outcome = await stopProcess(child.pid!, processStartTime(child.pid!)!, { graceMs: 50 });
  expect(outcome).toBe('killed');
  expect(processStartTime(child.pid!)).toBeUndefined();
});

test('a process that only has the pid of the one meant is left alone', async () => {
  const child = await start('');
  expect(await stopProcess(child.pid!, 'of another', { graceMs: 50 })).toBe('left');
  expect(processStartTime(child.pid!)).toBeDefined();
});
