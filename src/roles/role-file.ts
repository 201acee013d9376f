// What each running part says about itself in <data>/run/<part>.json, for the keeper, `status` and the command line. Facts
// for finding a process; whether it is the one meant is judged by pid and start time.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSameProcess } from '../platform/process/facts.ts';

export const roleNames = ['api', 'engine', 'host'] as const;
export type RoleName = (typeof roleNames)[number];

export interface RoleFacts {
  readonly role: RoleName;
  readonly pid: number;
  /** As processStartTime says it: with the pid it names this process for ever. */
  readonly start_time: string;
  /** ISO 8601. */
  readonly started_at: string;
  /** Loopback port of the health probe. */
  readonly health_port: number;
  /** Where it serves others, when it does. */
  readonly port: number | null;
  readonly url: string | null;
}

/** In the environment of a role: the data directory it belongs to and which role it is, so that it is found without its file. */
export const DATA_MARKER = 'QUARTERDECK_ROLE_OF';
export const ROLE_MARKER = 'QUARTERDECK_ROLE';
/** In it too, when the database has been kept from everybody until this role started, which it did not see itself. */
export const AFTER_OUTAGE_MARKER = 'QUARTERDECK_AFTER_OUTAGE';

/** What a role logs. It writes and rotates the file itself. */
export function roleLogFile(dataDir: string, role: RoleName): string {
  return join(dataDir, 'logs', `${role}.log`);
}

/** What a role's process says beside its log: a crash of the runtime itself, a word of a library. */
export function roleStderrFile(dataDir: string, role: RoleName): string {
  return join(dataDir, 'logs', `${role}.stderr.log`);
}

export function runFile(dataDir: string, part: string): string {
  return join(dataDir, 'run', `${part}.json`);
}

/** Written whole or not at all, readable by the owner only. */
export function writeRunFile(dataDir: string, part: string, facts: object): void {
  const file = runFile(dataDir, part);
  mkdirSync(join(dataDir, 'run'), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(facts)}\n`, { mode: 0o600 });
  renameSync(`${file}.${process.pid}`, file);
}

/** Removes the file if it is still this process's own. */
export function removeRunFile(dataDir: string, part: string): void {
  const facts = readRunFile<{ pid: number }>(dataDir, part);
  if (facts?.pid === process.pid) rmSync(runFile(dataDir, part), { force: true });
}

/** Undefined when there is none or it cannot be read. */
export function readRunFile<T>(dataDir: string, part: string): T | undefined {
  try {
    return JSON.parse(readFileSync(runFile(dataDir, part), 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** The facts of a role that lives. */
export function findRole(dataDir: string, role: RoleName): RoleFacts | undefined {
  const facts = readRunFile<RoleFacts>(dataDir, role);
  return facts !== undefined && isSameProcess(facts.pid, facts.start_time) ? facts : undefined;
}
