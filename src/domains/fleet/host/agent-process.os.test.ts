import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findProcessesByGroup, findProcessesByMarker, processStartTime } from '../../../platform/process/facts.ts';
import { AgentProcess, sweep } from './agent-process.ts';
import { MARKER } from './environment.ts';
import { openForAppend } from './log-file.ts';

let dir: string;
let running: AgentProcess | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-process-'));
});
afterEach(async () => {
  if (running !== undefined) await sweep(running.facts.marker, running.facts);
  running = undefined;
  rmSync(dir, { recursive: true, force: true });
});

async function launch(script: string): Promise<AgentProcess> {
  const marker = randomUUID();
  running = await AgentProcess.launch({
    dir,
    command: ['/bin/sh', '-c', script],
    cwd: dir,
    env: { PATH: process.env['PATH']!, [MARKER]: marker },
    marker,
    generation: 0,
    apiUrl: 'http://127.0.0.1',
    output: openForAppend(dir),
  });
  return running;
}

test('a child without the marker that does not leave when asked ends with its agent, which did leave', async () => {
  const { facts } = await launch('env -i sh -c \'trap "" TERM; while :; do sleep 0.1; done\' & exec sleep 300');
  await expect.poll(() => findProcessesByGroup(facts.pid).length, { timeout: 5_000 }).toBeGreaterThanOrEqual(3);
  await running!.stop();
  expect(findProcessesByGroup(facts.pid)).toEqual([]);
});

test('what an ended agent left in its group is swept, but not the group of another process or of another boot', async () => {
  const { facts } = await launch('env -i sleep 300 & sleep 0.3');
  await running!.ended;
  const left = findProcessesByGroup(facts.pid);
  expect(left).toHaveLength(1);
  expect(findProcessesByMarker(MARKER, facts.marker)).toEqual([]);
  await sweep(facts.marker, { pid: facts.pid, startTime: '1@00000000' });
  expect(processStartTime(left[0]!)).toBeDefined();
  await sweep(facts.marker, facts);
  expect(processStartTime(left[0]!)).toBeUndefined();
});

test('a pid that lives with another start time leads the group of somebody else', async () => {
  const { facts } = await launch('exec sleep 300');
  const boot = facts.startTime.split('@')[1];
  await sweep(randomUUID(), { pid: facts.pid, startTime: `1@${boot}` });
  expect(processStartTime(facts.pid)).toBe(facts.startTime);
});
