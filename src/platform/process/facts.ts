// What the operating system says about a process: alive or not, since when, which program, which directory, which marker
// in its environment. Only questions; stopping is in stop.ts. Linux answers from /proc, macOS by ps and lsof.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { uptime } from 'node:os';

const hasProc = process.platform === 'linux';

/**
 * When a process started, as an opaque text to compare; undefined when it is gone or a zombie. Together with the pid it
 * names one process for ever: pids are used again, and so are ticks since the boot, hence the boot's own id.
 */
export function processStartTime(pid: number): string | undefined {
  if (!hasProc) return startTimeByPs(pid);
  const ticks = livingStat(pid)?.[19];
  return ticks === undefined ? undefined : `${ticks}@${bootId()}`;
}

/** Whether a start time is of this run of the machine: pids of an earlier one say nothing about the processes of today. */
export function isOfThisBoot(startTime: string): boolean {
  if (hasProc) return startTime.endsWith(`@${bootId()}`);
  return Date.parse(startTime) >= Date.now() - uptime() * 1000;
}

/** Whether the process that was seen with this pid and start time still lives. */
export function isSameProcess(pid: number, startTime: string): boolean {
  return processStartTime(pid) === startTime;
}

/** Path of the program that a process runs; ends in " (deleted)" when the file is gone. Undefined when not readable. */
export function processProgram(pid: number): string | undefined {
  return hasProc ? readProcLink(pid, 'exe') : openFileByLsof(pid, 'txt');
}

/** Working directory of a process; undefined when not readable. */
export function processDirectory(pid: number): string | undefined {
  return hasProc ? readProcLink(pid, 'cwd') : openFileByLsof(pid, 'cwd');
}

/** Value of a variable in the environment that a process was started with; undefined when absent or not readable. */
export function processMarker(pid: number, name: string): string | undefined {
  const prefix = `${name}=`;
  return environmentOf(pid)
    .find((entry) => entry.startsWith(prefix))
    ?.slice(prefix.length);
}

/** Living processes whose environment holds this value; children inherit it, so they are found too. */
export function findProcessesByMarker(name: string, value: string): number[] {
  return listProcesses().filter((pid) => processMarker(pid, name) === value && processStartTime(pid) !== undefined);
}

/** Living processes whose working directory is this one (a real path). */
export function findProcessesByDirectory(directory: string): number[] {
  return listProcesses().filter((pid) => processDirectory(pid) === directory && processStartTime(pid) !== undefined);
}

/** Living processes of a process group, also when its leader is gone; a child with a cleared environment is still in it. */
export function findProcessesByGroup(pgid: number): number[] {
  if (hasProc) return listProcesses().filter((pid) => livingStat(pid)?.[2] === String(pgid));
  return runPs(['-axo', 'pid=,pgid='])
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, group]) => (pid !== undefined && group === pgid ? [pid] : []))
    .filter((pid) => processStartTime(pid) !== undefined);
}

function listProcesses(): number[] {
  const names = hasProc ? readdirSync('/proc') : runPs(['-axo', 'pid=']).split('\n');
  return names.map((name) => Number(name.trim())).filter((pid) => Number.isInteger(pid) && pid > 0);
}

function environmentOf(pid: number): string[] {
  if (hasProc) return readProc(pid, 'environ')?.toString('utf8').split('\0') ?? [];
  return runPs(['-Eww', '-o', 'command=', '-p', String(pid)]).split(/\s+/);
}

// The fields of /proc/<pid>/stat from the third on, the state; undefined for a zombie. Field 2, the name, may hold blanks
// and brackets: count from the last bracket.
function livingStat(pid: number): string[] | undefined {
  const stat = readProc(pid, 'stat')?.toString('latin1');
  if (!stat) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields;
}

// A process may go, or belong to somebody else, between any two looks: both read as "not known".
function readProc(pid: number, name: string): Buffer | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`);
  } catch {
    return undefined;
  }
}

function readProcLink(pid: number, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return undefined;
  }
}

let knownBootId: string | undefined;

function bootId(): string {
  knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
  return knownBootId;
}

function startTimeByPs(pid: number): string | undefined {
  const line = runPs(['-o', 'stat=,lstart=', '-p', String(pid)]).trim();
  const [, state, started] = /^(\S+)\s+(.+)$/.exec(line) ?? [];
  return started === undefined || state?.startsWith('Z') ? undefined : started;
}

function runPs(args: string[]): string {
  return spawnSync('ps', args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } }).stdout ?? '';
}

function openFileByLsof(pid: number, descriptor: 'txt' | 'cwd'): string | undefined {
  const listed =
    spawnSync('lsof', ['-a', '-p', String(pid), '-d', descriptor, '-Fn'], { encoding: 'utf8' }).stdout ?? '';
  return /^n(.+)$/m.exec(listed)?.[1];
}
