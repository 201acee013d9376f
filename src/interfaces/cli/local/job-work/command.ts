// One run of the command for one job: the payload goes in, what it printed and how it ended come out. It has a process group
// of its own, and nothing of that group is left behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SdkJob } from './sdk.ts';

export interface Ran {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The last of what it printed. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A result of the largest size, with its newline. */
const STDOUT_KEPT = 256 * 1024 + 1;
const STDERR_KEPT = 4_000;
const KILL_AFTER_MS = 5_000;
/** For what is still in the pipes once the command has ended, when something else holds them open. */
const DRAIN_MS = 1_000;

/** Runs it to its end. When the job's signal fires, its process group is ended: TERM, and KILL after a while. */
export async function runCommand(command: string, job: SdkJob, show: (text: Buffer) => void): Promise<Ran> {
  const child = spawn('/bin/sh', ['-c', command], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...variablesOf(job) },
  });
  const stdout = tailOf(STDOUT_KEPT);
  const stderr = tailOf(STDERR_KEPT);
  // Whatever it prints says that it is alive.
  const alive = () => void job.keep().catch(() => undefined);
  child.stdout.on('data', (part: Buffer) => {
    stdout.add(part);
    alive();
  });
  child.stderr.on('data', (part: Buffer) => {
    stderr.add(part);
    show(part);
    alive();
  });
  // A command that does not read its payload has closed the pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${JSON.stringify(job.payload)}\n`);
  let killing: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    signalGroup(child, 'SIGTERM');
    killing = setTimeout(() => signalGroup(child, 'SIGKILL'), KILL_AFTER_MS);
  };
  const closed = once(child, 'close');
  try {
    const exited = once(child, 'exit');
    if (job.signal.aborted) stop();
    job.signal.addEventListener('abort', stop, { once: true });
    const [code, signal] = (await exited) as [number | null, string | null];
    signalGroup(child, 'SIGKILL');
    await withinDrain(child, closed);
    return { code, signal, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    clearTimeout(killing);
    job.signal.removeEventListener('abort', stop);
  }
}

function variablesOf(job: SdkJob): Record<string, string> {
  return {
    // Speaks with the token of the job: what it may do, it may do for the job's tenant, while the lease is valid.
    ...job.qd.environment(),
    QUARTERDECK_JOB: job.id,
    QUARTERDECK_JOB_KIND: job.kind,
    QUARTERDECK_JOB_QUEUE: job.queue,
    QUARTERDECK_JOB_TENANT: job.tenant,
    QUARTERDECK_JOB_ATTEMPT: String(job.attempt),
    QUARTERDECK_JOB_MAX_ATTEMPTS: String(job.max_attempts),
  };
}

function signalGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in it.
  }
}

async function withinDrain(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  const timer = setTimeout(() => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, DRAIN_MS);
  await closed;
  clearTimeout(timer);
}

/** Keeps the last bytes of what is added. */
function tailOf(most: number): { add(part: Buffer): void; text(): string } {
  let kept = Buffer.alloc(0);
  return {
    add(part) {
      kept = Buffer.concat([kept, part]);
      // Not with each part: that would copy all of it each time.
      if (kept.length > most * 2) kept = kept.subarray(-most);
    },
    text: () => kept.subarray(-most).toString('utf8'),
  };
}
