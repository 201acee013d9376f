// One process of a role: spawned so that it outlives the keeper, watched until it answers its probe, known when it ends.
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { entryPath } from '../../platform/process/entry.ts';
import { processStartTime } from '../../platform/process/facts.ts';
import { openLogFile } from '../../platform/process/log-file.ts';
import { askHealth } from '../health.ts';
import {
  DATA_MARKER,
  ROLE_MARKER,
  type RoleFacts,
  type RoleName,
  readRunFile,
  roleLogFile,
  roleStderrFile,
} from '../role-file.ts';

export interface RoleProcess {
  readonly pid: number;
  readonly startTime: string;
  /** Resolves when the process is gone, with how: `exit 70`, `SIGKILL`. */
  readonly exited: Promise<string>;
  /** What it wrote so far, the last lines of it. */
  lastWords(): string;
}

export interface RoleSpawn {
  readonly role: RoleName;
  /** As a real path. */
  readonly dataDir: string;
  /** What it needs beyond the keeper's own environment; secrets go this way, never as arguments. */
  readonly environment: Readonly<Record<string, string>>;
  /** The module to run; the role's own unless stated. */
  readonly entry?: string;
}

const LOOK_MS = 10;
const PROBE_LIMIT_MS = 1_000;
const LAST_WORDS_BYTES = 2_000;

export function spawnRole({ role, dataDir, environment, entry }: RoleSpawn): RoleProcess {
  const logFile = roleLogFile(dataDir, role);
  const logStart = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  const stderrFile = roleStderrFile(dataDir, role);
  const stderr = openLogFile(stderrFile);
  const stderrStart = fstatSync(stderr).size;
  try {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', entry ?? entryPath(`../${role}`, import.meta)],
      {
        // No directory of the operator's is kept busy by it.
        cwd: '/',
        detached: true,
        env: { ...process.env, ...environment, [DATA_MARKER]: dataDir, [ROLE_MARKER]: role },
        // A file, not a pipe: a pipe would die with the keeper and take the role along.
        stdio: ['ignore', stderr, stderr],
      },
    );
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`));
    });
    child.unref();
    const pid = child.pid ?? 0;
    return {
      pid,
      startTime: processStartTime(pid) ?? '',
      exited,
      lastWords: () => [lastWords(logFile, logStart), lastWords(stderrFile, stderrStart)].filter(Boolean).join('\n'),
    };
  } finally {
    closeSync(stderr);
  }
}

/** Resolves once the role answers its probe as ready; undefined when it ends instead. */
export async function waitUntilReady(
  dataDir: string,
  role: RoleName,
  { pid, exited }: RoleProcess,
): Promise<RoleFacts | undefined> {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  while (!ended) {
    const facts = readRunFile<RoleFacts>(dataDir, role);
    if (facts?.pid === pid) {
      const health = await askHealth(facts.health_port, PROBE_LIMIT_MS);
      if (health?.pid === pid && health.ready) return facts;
    }
    await delay(LOOK_MS);
  }
  return undefined;
}

function lastWords(logFile: string, start: number): string {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  const from = Math.max(start, size - LAST_WORDS_BYTES);
  if (from >= size) return '';
  const descriptor = openSync(logFile, 'r');
  try {
    const buffer = Buffer.alloc(size - from);
    return buffer
      .subarray(0, readSync(descriptor, buffer, 0, buffer.length, from))
      .toString()
      .trim();
  } finally {
    closeSync(descriptor);
  }
}
