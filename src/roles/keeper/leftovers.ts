// Roles that outlived their keeper: found by the marker in their environment, so also those that had not yet said anything
// of themselves. Judged under the data lock.
import { findProcessesByMarker, processMarker, processStartTime } from '../../platform/process/facts.ts';
import { stopProcess } from '../../platform/process/stop.ts';
import { DATA_MARKER, findRole, ROLE_MARKER, type RoleName, roleNames } from '../role-file.ts';

export interface OldRole {
  readonly role: RoleName;
  readonly pid: number;
  readonly startTime: string;
}

const GRACE_MS = 5_000;

/** The roles of this data directory that run, whoever started them. `dataDir` is a real path. */
export function findOldRoles(dataDir: string): OldRole[] {
  const found = new Map<number, OldRole>();
  for (const pid of findProcessesByMarker(DATA_MARKER, dataDir)) {
    const role = roleNames.find((name) => name === processMarker(pid, ROLE_MARKER));
    const startTime = processStartTime(pid);
    if (role !== undefined && startTime !== undefined) found.set(pid, { role, pid, startTime });
  }
  for (const role of roleNames) {
    const facts = findRole(dataDir, role);
    if (facts !== undefined) found.set(facts.pid, { role, pid: facts.pid, startTime: facts.start_time });
  }
  return [...found.values()];
}

/** `SIGTERM` leaves the agents of a host running, for the next one to take up; `SIGINT` ends them too. */
export async function stopOldRole(old: OldRole, signal: 'SIGTERM' | 'SIGINT', graceMs = GRACE_MS): Promise<void> {
  await stopProcess(old.pid, old.startTime, { signal, graceMs });
}
