// Takes an installation down from outside: by its keeper when there is one, else part by part.
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { endLeftAgents } from '../../domains/fleet/index.ts';
import { layoutOf } from '../../platform/db/embedded/layout.ts';
import { endStrayBackends, findRunningServer } from '../../platform/db/embedded/leftovers.ts';
import { stopPostmaster } from '../../platform/db/embedded/postmaster.ts';
import { acquireDataLock, type DataLock, DataLockHeld, type Holder } from '../../platform/process/data-lock.ts';
import { isSameProcess } from '../../platform/process/facts.ts';
import { stopProcess } from '../../platform/process/stop.ts';
import { everyOne, everyStep } from './every-step.ts';
import { findOldRoles, stopOldRole } from './leftovers.ts';

/** The installation runs on another machine, from a shared directory. */
export class RunsElsewhere extends Error {
  override readonly name = 'RunsElsewhere';
  readonly code = 'runs_elsewhere';
}

const KEEPER_GRACE_MS = 15_000;
const HOST_GRACE_MS = 6_500;
const TRIES = 5;
// A holder that has just got the directory has yet to say who it is, and one that just ended to let go of it.
const LOOK_AGAIN_MS = 200;

/** Answers what was stopped; nothing when nothing ran. `dataDir` is a real path that exists. */
export async function takeDown(dataDir: string): Promise<string[]> {
  const stopped: string[] = [];
  const lock = await seize(dataDir, stopped);
  await everyStep(
    () => stopRoles(dataDir, stopped),
    () => stopDatabase(dataDir, stopped),
    () => lock.release(),
  );
  return stopped;
}

// Ends whoever holds the directory until it is ours: then nothing can start behind our back.
async function seize(dataDir: string, stopped: string[]): Promise<DataLock> {
  for (let tries = 1; ; tries++) {
    try {
      return acquireDataLock(dataDir, {
        pid: process.pid,
        started_at: new Date().toISOString(),
        command: 'quarterdeck down',
      });
    } catch (error) {
      if (!(error instanceof DataLockHeld) || tries === TRIES) throw error;
      if (await stopHolder(error.holder)) stopped.push('keeper');
      else await delay(LOOK_AGAIN_MS);
    }
  }
}

// Only the very process that took the lock is signalled: its pid alone may be anybody's by now.
async function stopHolder(holder: Holder | undefined): Promise<boolean> {
  if (holder === undefined) return false;
  if (holder.host !== undefined && holder.host !== hostname()) {
    throw new RunsElsewhere(`it runs on ${holder.host} (process ${holder.pid}), not on this machine`);
  }
  if (holder.start_time === undefined || !isSameProcess(holder.pid, holder.start_time)) return false;
  await stopProcess(holder.pid, holder.start_time, { graceMs: KEEPER_GRACE_MS });
  return true;
}

async function stopRoles(dataDir: string, stopped: string[]): Promise<void> {
  const roles = findOldRoles(dataDir);
  stopped.push(...roles.map(({ role }) => role));
  const hosts = roles.filter(({ role }) => role === 'host');
  const others = roles.filter(({ role }) => role !== 'host');
  await everyStep(
    // Its agents first, while everything they report to is still there.
    () => everyOne(hosts.map((host) => stopOldRole(host, 'SIGINT', HOST_GRACE_MS))),
    // Those that no host watched, or that one left when it was killed.
    async () => {
      const agents = await endLeftAgents(dataDir, 'ask');
      if (agents.length > 0) stopped.push('agents');
    },
    () => everyOne(others.map((role) => stopOldRole(role, 'SIGTERM'))),
  );
}

async function stopDatabase(dataDir: string, stopped: string[]): Promise<void> {
  const layout = layoutOf(dataDir);
  await everyStep(
    async () => {
      const server = findRunningServer(layout);
      if (server === undefined) return;
      stopped.push('database');
      await stopPostmaster(server);
    },
    () => endStrayBackends(layout, () => undefined),
  );
}
