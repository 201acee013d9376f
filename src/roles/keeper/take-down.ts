// Takes an installation down from outside: by its keeper when there is one, else part by part.
import { hostname } from 'node:os';
import { endLeftAgents } from '../../domains/fleet/index.ts';
import { layoutOf } from '../../platform/db/embedded/layout.ts';
import { endStrayBackends, findRunningServer } from '../../platform/db/embedded/leftovers.ts';
import { stopPostmaster } from '../../platform/db/embedded/postmaster.ts';
import { acquireDataLock, type DataLock, DataLockHeld, type Holder } from '../../platform/process/data-lock.ts';
import { processStartTime } from '../../platform/process/facts.ts';
import { stopProcess } from '../../platform/process/stop.ts';
import { findOldRoles, stopOldRole } from './leftovers.ts';

/** The installation runs on another machine, from a shared directory. */
export class RunsElsewhere extends Error {
  override readonly name = 'RunsElsewhere';
  readonly code = 'runs_elsewhere';
}

const KEEPER_GRACE_MS = 15_000;
const HOST_GRACE_MS = 6_500;
const TRIES = 5;

/** Answers what was stopped; nothing when nothing ran. `dataDir` is a real path that exists. */
export async function takeDown(dataDir: string): Promise<string[]> {
  const stopped: string[] = [];
  const lock = await seize(dataDir, stopped);
  try {
    await stopRoles(dataDir, stopped);
    await stopDatabase(dataDir, stopped);
  } finally {
    lock.release();
  }
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
    }
  }
}

async function stopHolder(holder: Holder | undefined): Promise<boolean> {
  if (holder === undefined) return false;
  if (holder.host !== undefined && holder.host !== hostname()) {
    throw new RunsElsewhere(`it runs on ${holder.host} (process ${holder.pid}), not on this machine`);
  }
  const startTime = processStartTime(holder.pid);
  if (startTime === undefined) return false;
  await stopProcess(holder.pid, startTime, { graceMs: KEEPER_GRACE_MS });
  return true;
}

async function stopRoles(dataDir: string, stopped: string[]): Promise<void> {
  const roles = findOldRoles(dataDir);
  stopped.push(...roles.map(({ role }) => role));
  // Its agents first, while everything they report to is still there.
  await Promise.all(
    roles.filter(({ role }) => role === 'host').map((host) => stopOldRole(host, 'SIGINT', HOST_GRACE_MS)),
  );
  // Those that no host watched, or that one left when it was killed.
  const agents = await endLeftAgents(dataDir, 'ask');
  if (agents.length > 0) stopped.push('agents');
  await Promise.all(roles.filter(({ role }) => role !== 'host').map((role) => stopOldRole(role, 'SIGTERM')));
}

async function stopDatabase(dataDir: string, stopped: string[]): Promise<void> {
  const layout = layoutOf(dataDir);
  const server = findRunningServer(layout);
  if (server !== undefined) {
    stopped.push('database');
    await stopPostmaster(server);
  }
  await endStrayBackends(layout, () => undefined);
}
