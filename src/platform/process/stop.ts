// Ending a process that need not be our child: a signal, a deadline, then kill -9, until it is really gone.
import { setTimeout as delay } from 'node:timers/promises';
import { isSameProcess } from './facts.ts';

export interface StopOptions {
  /** What asks it to leave; SIGTERM unless stated. SIGKILL skips the asking. */
  signal?: NodeJS.Signals;
  /** How long it may take to leave before kill -9; 10 s unless stated. */
  graceMs?: number;
}

// Nobody is told when a process that is no child ends, so it is looked at again and again.
const LOOK_MS = 10;
// After kill -9 only a process stuck in the kernel remains; waiting longer would not help.
const KILLED_LIMIT_MS = 10_000;

/**
 * Resolves once the process with this pid and start time is gone, and says whether it left by itself. Another process
 * that has the pid by now is left alone.
 */
export async function stopProcess(
  pid: number,
  startTime: string,
  options: StopOptions = {},
): Promise<'left' | 'killed'> {
  const { signal = 'SIGTERM', graceMs = 10_000 } = options;
  if (signal !== 'SIGKILL') {
    sendSignal(pid, startTime, signal);
    if (await isGoneWithin(pid, startTime, graceMs)) return 'left';
  }
  sendSignal(pid, startTime, 'SIGKILL');
  if (await isGoneWithin(pid, startTime, KILLED_LIMIT_MS)) return 'killed';
  throw new Error(
    `process ${pid} is still there ${KILLED_LIMIT_MS / 1000} s after kill -9: the kernel holds it (a dead disk?)`,
  );
}

/** Whether a process ends within a time, looking every few milliseconds. */
export async function isGoneWithin(pid: number, startTime: string, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (isSameProcess(pid, startTime)) {
    if (performance.now() >= deadline) return false;
    await delay(LOOK_MS);
  }
  return true;
}

/** Signals the process with this pid and start time; nothing happens when it is gone. */
export function sendSignal(pid: number, startTime: string, signal: NodeJS.Signals): void {
  if (!isSameProcess(pid, startTime)) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
