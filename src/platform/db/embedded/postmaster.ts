// One running server process: starting it and waiting until it takes connections, taking over one that runs already, and
// stopping it. Which of these is right, and on what directory, is decided in server.ts.
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isSameProcess, processStartTime } from '../../process/facts.ts';
import { isGoneWithin, sendSignal, stopProcess } from '../../process/stop.ts';
import type { Account } from './account.ts';
import { PLAIN_ENVIRONMENT } from './command.ts';
import type { Engine } from './engine.ts';
import { EmbeddedFailure, type FailureCode, readLastWords } from './failure.ts';
import type { Log } from './log.ts';
import { readPidFile } from './pid-file.ts';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Postmaster {
  pid: number;
  startTime: string;
  port: number;
  /** Resolves when the process is gone; of one that is not our child neither code nor signal are known. */
  exited: Promise<Exit>;
}

export interface LaunchPlan {
  engine: Engine;
  cluster: string;
  account: Account | undefined;
  port: number;
  /** Settings for the command line. */
  args: string[];
  logFile: string;
  log: Log;
}

// A pid file is looked at this often; ready is reached after 20 ms on a clean cluster.
const LOOK_MS = 5;
const SAY_STILL_STARTING_MS = 5_000;
// Recovery after a crash replays at most max_wal_size (1 GB), minutes on a slow disk.
const START_LIMIT_MS = 10 * 60_000;
const FAST_STOP_MS = 30_000;
const IMMEDIATE_STOP_MS = 5_000;
const LOOK_AT_ADOPTED_MS = 100;

/** Starts the server in a session of its own, so that it outlives us, and resolves when it takes connections. */
export async function launch(plan: LaunchPlan): Promise<Postmaster> {
  const log = openSync(plan.logFile, 'a+', 0o600);
  try {
    const logStart = fstatSync(log).size;
    const child = spawn(plan.engine.postgres, ['-D', plan.cluster, ...plan.args], {
      cwd: '/',
      detached: true,
      env: PLAIN_ENVIRONMENT,
      // A file, not a pipe: a pipe would die with us and take the server along.
      stdio: ['ignore', log, log],
      ...(plan.account && { uid: plan.account.uid, gid: plan.account.gid }),
    });
    const exited = new Promise<Exit>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    const { pid } = child;
    // Without a pid the program could not be run at all, and `exited` rejects with the reason.
    const startTime = pid === undefined ? undefined : processStartTime(pid);
    if (pid === undefined || startTime === undefined || !(await isReady(plan, { pid, startTime }))) {
      throw endedAtStart(readFrom(log, logStart), await exited);
    }
    child.unref();
    return { pid, startTime, port: plan.port, exited };
  } finally {
    closeSync(log);
  }
}

/** A server that already runs, as one of ours. Its end is noticed by looking, for it is no child of ours. */
export function adopt(pid: number, startTime: string, port: number): Postmaster {
  const exited = new Promise<Exit>((resolve) => {
    const timer = setInterval(() => {
      if (isSameProcess(pid, startTime)) return;
      clearInterval(timer);
      resolve({ code: null, signal: null });
    }, LOOK_AT_ADOPTED_MS);
    timer.unref();
  });
  return { pid, startTime, port, exited };
}

/**
 * Stops the server: sessions are cut off and a checkpoint is written (SIGINT; SIGTERM would wait for every client to
 * leave), then without a checkpoint (SIGQUIT), then kill -9. Acknowledged writes survive each of them.
 */
export async function stopPostmaster({ pid, startTime }: { pid: number; startTime: string }): Promise<void> {
  // A stopped process (SIGSTOP) hears SIGKILL only.
  for (const [signal, limitMs] of [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', IMMEDIATE_STOP_MS],
  ] as const) {
    sendSignal(pid, startTime, signal);
    if (await isGoneWithin(pid, startTime, limitMs)) return;
  }
  await stopProcess(pid, startTime, { signal: 'SIGKILL' });
}

/** Waits until the server says in its pid file that it takes connections; false when it ends instead. */
export async function isReady(
  { cluster, log }: { cluster: string; log: Log },
  { pid, startTime }: { pid: number; startTime: string },
): Promise<boolean> {
  const started = performance.now();
  let nextWord = started + SAY_STILL_STARTING_MS;
  while (performance.now() < started + START_LIMIT_MS) {
    const file = readPidFile(cluster);
    if (file?.pid === pid && file.status === 'ready') return true;
    // A server told to leave politely (SIGTERM) may wait for its clients for ever: it will not get ready.
    if (file?.pid === pid && file.status === 'stopping') return false;
    if (!isSameProcess(pid, startTime)) return false;
    if (performance.now() > nextWord) {
      nextWord += SAY_STILL_STARTING_MS;
      log('info', 'the database is still starting, most likely recovering after a crash', { pid });
    }
    await delay(LOOK_MS);
  }
  await stopPostmaster({ pid, startTime });
  throw new EmbeddedFailure('start_failed', `the database did not get ready within ${START_LIMIT_MS / 60_000} minutes`);
}

const EXPLAINED: Partial<Record<FailureCode, string>> = {
  port_taken: 'another program took its port',
  stray_backends: 'processes of its last run are still there',
  wrong_major: 'its files belong to another major version of PostgreSQL',
};

function endedAtStart(words: string, exit: Exit): EmbeddedFailure {
  const meaning = readLastWords(words) ?? 'start_failed';
  const last = words.trim().split('\n').slice(-5).join('\n');
  const how = exit.signal ? `ended by ${exit.signal}` : `exit ${exit.code}`;
  return new EmbeddedFailure(meaning, `the database did not start: ${EXPLAINED[meaning] ?? `${how}\n${last}`}`, {
    hint: 'Its own words are in logs/postgres.log of the data directory.',
    retryable: meaning === 'port_taken' || meaning === 'stray_backends',
  });
}

function readFrom(descriptor: number, start: number): string {
  const buffer = Buffer.alloc(64 * 1024);
  return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, start)).toString();
}
