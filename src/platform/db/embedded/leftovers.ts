// What the last run left in a cluster: a server that still runs, backends whose postmaster was killed, a pid file that
// names nobody or somebody else. Judged under the data lock, so nobody else starts or stops servers here meanwhile.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findProcessesByDirectory, processDirectory, processProgram, processStartTime } from '../../process/facts.ts';
import { stopProcess } from '../../process/stop.ts';
import type { Layout } from './layout.ts';
import type { Log } from './log.ts';
import { pidFilePath, readPidFile } from './pid-file.ts';

export interface RunningServer {
  pid: number;
  startTime: string;
}

/** The server that runs on the cluster, whatever state it is in; undefined when there is none. */
export function findRunningServer(layout: Layout): RunningServer | undefined {
  const file = readPidFile(layout.cluster);
  if (!file) return undefined;
  const startTime = processStartTime(file.pid);
  // The pid alone proves nothing: after a restart of the machine it may be anybody's. PostgreSQL itself refuses to
  // start when it belongs to any process of the same account.
  return startTime && isOurs(layout, file.pid) ? { pid: file.pid, startTime } : undefined;
}

/**
 * Clears the way for a start when no server runs: ends backends that outlived their postmaster (a busy one runs on for as
 * long as its query, and blocks the start), and only then removes the pid file and the lock files of the sockets, which hold
 * the same pid and are judged by PostgreSQL in the same way. It believes a zombie to be alive, which a container whose
 * first process does not reap keeps for ever.
 */
export async function clearLeftovers(layout: Layout, log: Log): Promise<void> {
  await endStrayBackends(layout, log);
  rmSync(pidFilePath(layout.cluster), { force: true });
  for (const name of readdirSync(layout.sockets)) rmSync(join(layout.sockets, name), { force: true });
}

/** Ends every process of our engine that works in the cluster. Crash recovery makes kill -9 safe here. */
export async function endStrayBackends(layout: Layout, log: Log): Promise<void> {
  const strays = findProcessesByDirectory(layout.cluster).filter((pid) => isOurs(layout, pid));
  if (strays.length === 0) return;
  log('warn', 'ending processes that a killed database has left behind', { pids: strays });
  await Promise.all(
    strays.map(async (pid) => {
      const startTime = processStartTime(pid);
      if (startTime) await stopProcess(pid, startTime, { signal: 'SIGKILL' });
    }),
  );
}

// An operator's shell may stand in the cluster's directory too, hence the program; the directory tells our cluster from
// one that was copied from it. The program may have been replaced since: "… (deleted)".
function isOurs(layout: Layout, pid: number): boolean {
  return processDirectory(pid) === layout.cluster && (processProgram(pid)?.startsWith(`${layout.engines}/`) ?? false);
}
