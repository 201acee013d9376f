// Finds the processes that a test run left behind, by /proc. Elsewhere than on Linux nothing is found.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The variable that marks every process of a run; a run inside a run appends to the outer one's mark. */
export const markName = 'QD_TEST_RUN';

export interface Trace {
  readonly mark: string;
  /** The run's own temporary directory. */
  readonly temporary: string;
  /** Sessions (setsid) in which its steps were started. */
  readonly sessions: ReadonlySet<number>;
  /** Clock ticks since boot at which the run began: what is older is not ours, whatever it has open. */
  readonly since: number;
}

export interface Leftover {
  readonly pid: number;
  readonly command: string;
  readonly ports: readonly number[];
}

interface Stat {
  readonly state: string;
  readonly session: number;
  readonly started: number;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process has ended meanwhile, or belongs to somebody else.
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readStat(pid: number | 'self'): Stat | undefined {
  const text = read(`/proc/${pid}/stat`);
  // The command's name stands in brackets and may hold blanks and brackets itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  if (state === undefined || fields.length < 20) return undefined;
  return { state, session: Number(fields[3]), started: Number(fields[19]) };
}

/** When this process began, on the clock that `Trace.since` uses. */
export function startOfThisProcess(): number {
  return readStat('self')?.started ?? 0;
}

/**
 * Several signs, because each has a hole: an agent's environment is made anew (no mark), a daemon leaves its session,
 * a server may have neither but works in a directory of the run.
 */
function belongsTo(pid: number, stat: Stat, trace: Trace): boolean {
  if (stat.session !== 0 && trace.sessions.has(stat.session)) return true;
  const marks = read(`/proc/${pid}/environ`)
    .split('\0')
    .filter((entry) => entry.startsWith(`${markName}=`))
    .map((entry) => entry.slice(markName.length + 1));
  if (marks.some((mark) => mark === trace.mark || mark.startsWith(`${trace.mark}.`))) return true;
  const inside = `${trace.temporary}/`;
  return (
    link(`/proc/${pid}/cwd`).startsWith(inside) ||
    link(`/proc/${pid}/exe`).startsWith(inside) ||
    read(`/proc/${pid}/cmdline`).includes(inside)
  );
}

export function findLeftovers(trace: Trace): Leftover[] {
  const found: Leftover[] = [];
  for (const name of list('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const stat = readStat(pid);
    // A zombie holds nothing; in a container without an init nobody ever collects it.
    if (stat === undefined || stat.state === 'Z' || stat.started < trace.since) continue;
    if (!belongsTo(pid, stat, trace)) continue;
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    found.push({ pid, command: command.slice(0, 200), ports: listeningPorts(pid) });
  }
  return found;
}

const listening = '0A';

function listeningPorts(pid: number): number[] {
  const inodes = new Set<string>();
  for (const fd of list(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  const ports = new Set<number>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of read(`/proc/${pid}/net/${table}`).split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state !== listening || local === undefined || inode === undefined || !inodes.has(inode)) continue;
      ports.add(Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16));
    }
  }
  return [...ports].sort((a, b) => a - b);
}
