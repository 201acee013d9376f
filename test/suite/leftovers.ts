// What a step must not leave: processes, ports, temporary files, and changes of the checkout under CI. Found, named, removed, and counted as a failure.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findLeftovers, type Leftover, type Trace } from './processes.ts';

/** A process that was told to end may still be at it when its test is over. */
const graceMs = 3_000;

/** A cache that npm and Node put there for every program of the machine; not a thing of any test. */
const cacheOfNode = 'node-compile-cache';

/** Complaints about what is left now; afterwards nothing of it is left. */
export async function clearLeftovers(trace: Trace): Promise<string[]> {
  const complaints: string[] = [];
  for (const left of await settle(trace)) {
    const ports = left.ports.length === 0 ? '' : `, listening on ${left.ports.join(', ')}`;
    complaints.push(`process ${left.pid} still runs${ports}: ${left.command}`);
    end(left.pid);
  }
  for (const name of readdirSync(trace.temporary)) {
    if (name !== cacheOfNode) complaints.push(`temporary file or directory: ${name}`);
    rmSync(join(trace.temporary, name), { recursive: true, force: true });
  }
  return complaints;
}

async function settle(trace: Trace): Promise<Leftover[]> {
  const until = Date.now() + graceMs;
  let left = findLeftovers(trace);
  while (left.length > 0 && Date.now() < until) {
    await pause(50);
    left = findLeftovers(trace);
  }
  return left;
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}

/** What a run could change outside its temporary directory, as lines to compare before and after. */
export function surroundings(root: string, ci: boolean): Set<string> {
  const found = new Set<string>();
  for (const path of [join(homedir(), '.quarterdeck'), '/var/lib/quarterdeck']) {
    if (existsSync(path)) found.add(`default data directory: ${path}`);
  }
  // Outside CI somebody may be editing meanwhile.
  if (ci && existsSync(join(root, '.git'))) {
    const status = execFileSync('git', ['status', '--porcelain', '--untracked-files=all'], {
      cwd: root,
      encoding: 'utf8',
    });
    for (const line of status.split('\n')) if (line !== '') found.add(`file in the checkout: ${line}`);
  }
  return found;
}
