// One process of an agent: started by this host or adopted from an earlier one, watched until it ends, and ended with all
// it brought up. It decides nothing about restarts.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  findProcessesByGroup,
  findProcessesByMarker,
  isOfThisBoot,
  isSameProcess,
  processMarker,
  processStartTime,
} from '../../../platform/process/facts.ts';
import { sendSignal } from '../../../platform/process/stop.ts';
import { MARKER } from './environment.ts';
import type { ProcessFacts } from './record.ts';

export interface ProcessEnd {
  /** Exit code as a shell says it (128 + signal); null when nobody could know it. */
  readonly code: number | null;
  /** `exited with code 1`, `killed by SIGKILL`. */
  readonly text: string;
}

export interface LaunchOptions {
  readonly dir: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly marker: string;
  readonly generation: number;
  /** As it stands in `env`. */
  readonly apiUrl: string;
  /** Open file that output goes to, never a pipe: nobody's end may stop the process. It is closed here. */
  readonly output: number;
}

/** Asked to leave, a process has so long before it is killed. */
const GRACE_MS = 5_000;
const ADOPTED_LOOK_MS = 250;
const PID_LIMIT_MS = 2_000;
const SWEEP_ROUNDS = 100;

// Leads the group, runs the program as its child and writes down how that ended: an adopted process is no child of its
// host, so its exit code would be lost. The inner shell writes its own pid and becomes the program. The traps are
// handlers, not "ignore", because what is ignored here would be ignored by the program too.
const SHIM = `pid_file=$1 exit_file=$2
shift 2
trap : TERM INT HUP QUIT
/bin/sh -c 'echo $$ > "$0"; exec "$@"' "$pid_file" "$@"
code=$?
echo $code > "$exit_file"
exit $code`;

export class AgentProcess {
  readonly facts: ProcessFacts;
  readonly ended: Promise<ProcessEnd>;
  /** Set once it ended. */
  end: ProcessEnd | undefined;
  readonly #dir: string;
  #watch: NodeJS.Timeout | undefined;
  #child: ChildProcess | undefined;

  private constructor(facts: ProcessFacts, dir: string, child: ChildProcess | undefined) {
    this.facts = facts;
    this.#dir = dir;
    this.#child = child;
    this.ended = new Promise((resolve) => {
      const settle = () => {
        if (this.end !== undefined) return;
        clearInterval(this.#watch);
        this.end = readEnd(dir, facts.marker);
        resolve(this.end);
      };
      if (child === undefined) {
        this.#watch = setInterval(() => {
          if (!isSameProcess(facts.pid, facts.startTime)) settle();
        }, ADOPTED_LOOK_MS);
      } else if (child.exitCode !== null || child.signalCode !== null) settle();
      else child.once('exit', settle);
    });
  }

  /** Starts a process. Throws when the system refuses it: no such directory, no shell, no memory. */
  static async launch(options: LaunchOptions): Promise<AgentProcess> {
    const { dir, marker, generation, apiUrl, output } = options;
    let child: ChildProcess;
    try {
      child = spawn('/bin/sh', ['-c', SHIM, 'agent', pidFile(dir, marker), exitFile(dir, marker), ...options.command], {
        cwd: options.cwd,
        env: { ...options.env },
        detached: true,
        stdio: ['ignore', output, output],
      });
    } finally {
      closeSync(output);
    }
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    // It must not keep a host alive that is asked to leave it behind.
    child.unref();
    const pid = child.pid!;
    // A process that has ended already has no start time any more; it is seen to have ended at once.
    const startTime = processStartTime(pid) ?? 'ended';
    const agentPid = (await findAgentPid(dir, marker, child)) ?? pid;
    const startedAt = new Date().toISOString();
    return new AgentProcess({ pid, startTime, agentPid, marker, startedAt, generation, apiUrl }, dir, child);
  }

  /** Takes up a process that an earlier host started; undefined when it does not live any more. */
  static adopt(facts: ProcessFacts, dir: string): AgentProcess | undefined {
    const isIt = isSameProcess(facts.pid, facts.startTime) && processMarker(facts.pid, MARKER) === facts.marker;
    return isIt ? new AgentProcess(facts, dir, undefined) : undefined;
  }

  /** Asks the whole group to leave, then kills it, and with it whatever left the group. */
  async stop(): Promise<ProcessEnd> {
    const { pid, startTime, marker } = this.facts;
    if (this.end === undefined && isSameProcess(pid, startTime)) signalGroup(pid, 'SIGTERM');
    const waiting = new AbortController();
    await Promise.race([this.ended, delay(GRACE_MS, undefined, { signal: waiting.signal }).catch(() => undefined)]);
    waiting.abort();
    if (this.end === undefined && isSameProcess(pid, startTime)) signalGroup(pid, 'SIGKILL');
    // Also when the leader left in time: what it left in the group was asked too, and did not go.
    await sweep(marker, this.facts);
    return this.ended;
  }

  /** Stops watching; the process goes on. */
  leave(): void {
    clearInterval(this.#watch);
    this.#child?.removeAllListeners('exit');
  }

  /** Removes the files in which the shim wrote. */
  forget(): void {
    forgetRun(this.#dir, this.facts.marker);
  }
}

/** The leader of a process group: what a sweep needs of a process. */
type Leader = Pick<ProcessFacts, 'pid' | 'startTime'>;

/**
 * Kills every process that carries the marker, until none is left, and with them the leader's group: a child whose
 * environment was cleared carries no marker. One that did both, cleared it and left the group, is out of reach.
 */
export async function sweep(marker: string, leader?: Leader | null): Promise<void> {
  for (let round = 0; round < SWEEP_ROUNDS; round++) {
    const group = leader ? findGroupOf(leader) : [];
    const pids = new Set([...findProcessesByMarker(MARKER, marker), ...group]);
    if (pids.size === 0) return;
    for (const pid of pids) {
      const startTime = processStartTime(pid);
      if (startTime !== undefined) sendSignal(pid, startTime, 'SIGKILL');
    }
    // A process that was just forking shows in the next round.
    await delay(10);
  }
  throw new Error(`processes of run ${marker} are still there after ${SWEEP_ROUNDS} rounds of kill -9`);
}

// While a group has members its number is given to no new process, so one whose pid lives with another start time, or was
// noted before the machine started, is the group of somebody else. Nor is it ever our own.
function findGroupOf({ pid, startTime }: Leader): number[] {
  const now = processStartTime(pid);
  if (!isOfThisBoot(startTime) || (now !== undefined && now !== startTime)) return [];
  const members = findProcessesByGroup(pid);
  return members.includes(process.pid) ? [] : members;
}

/** How a run ended, as its shim wrote it down. */
export function readEnd(dir: string, marker: string): ProcessEnd {
  const code = readNumber(exitFile(dir, marker));
  if (code === undefined) return { code: null, text: 'killed together with its shim, or its end was not written down' };
  return { code, text: code > 128 && code < 160 ? `killed by ${signalName(code - 128)}` : `exited with code ${code}` };
}

export function forgetRun(dir: string, marker: string): void {
  rmSync(pidFile(dir, marker), { force: true });
  rmSync(exitFile(dir, marker), { force: true });
}

function pidFile(dir: string, marker: string): string {
  return join(dir, `${marker}.pid`);
}

function exitFile(dir: string, marker: string): string {
  return join(dir, `${marker}.exit`);
}

// The inner shell writes it as its first act.
async function findAgentPid(dir: string, marker: string, child: ChildProcess): Promise<number | undefined> {
  const deadline = performance.now() + PID_LIMIT_MS;
  for (;;) {
    const pid = readNumber(pidFile(dir, marker));
    if (pid !== undefined) return pid;
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) return undefined;
    await delay(5);
  }
}

// A line that is not complete yet is not read.
function readNumber(file: string): number | undefined {
  try {
    const match = /^(\d+)\n/.exec(readFileSync(file, 'latin1'));
    return match === null ? undefined : Number(match[1]);
  } catch {
    return undefined;
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function signalName(number: number): string {
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return name ?? `signal ${number}`;
}
