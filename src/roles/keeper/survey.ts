// What of an installation runs at this moment, as seen from outside: who holds the data directory, and every part with pid,
// age, port and whether it answers. Changes nothing.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { layoutOf } from '../../platform/db/embedded/layout.ts';
import { findRunningServer } from '../../platform/db/embedded/leftovers.ts';
import { pidFilePath, readPidFile } from '../../platform/db/embedded/pid-file.ts';
import { databaseAnswers } from '../../platform/db/probe.ts';
import { isSameProcess } from '../../platform/process/facts.ts';
import { askHealth } from '../health.ts';
import { findRole, type RoleFacts, type RoleName, readRunFile, roleNames } from '../role-file.ts';
import type { KeeperFacts } from './keeper.ts';
import { findOldRoles } from './leftovers.ts';

export interface PartStatus {
  readonly part: 'keeper' | 'database' | RoleName;
  readonly pid: number | null;
  /** ISO 8601; null when it is not known. */
  readonly since: string | null;
  readonly ready: boolean;
  readonly port: number | null;
  /** What it says of itself beyond that. */
  readonly note: string | null;
}

const PROBE_LIMIT_MS = 1_000;
const LOOPBACK = '127.0.0.1';
const POSTGRES_PORT = 5432;

/** The parts that run; none when nothing does. `dataDir` is a real path that exists. */
export async function survey(dataDir: string): Promise<PartStatus[]> {
  const keeper = findKeeper(dataDir);
  const [database, ...roles] = await Promise.all([
    databaseStatus(dataDir, keeper),
    ...roleNames.map((role) => roleStatus(dataDir, role)),
  ]);
  return [
    ...(keeper === undefined
      ? []
      : [part('keeper', { pid: keeper.pid, since: keeper.started_at, ready: true, port: null, note: null })]),
    ...database,
    ...roles.flat(),
  ];
}

/** The keeper that is ready and lives. */
export function findKeeper(dataDir: string): KeeperFacts | undefined {
  const facts = readRunFile<KeeperFacts>(dataDir, 'keeper');
  return facts !== undefined && isSameProcess(facts.pid, facts.start_time) ? facts : undefined;
}

async function databaseStatus(dataDir: string, keeper: KeeperFacts | undefined): Promise<PartStatus[]> {
  if (keeper?.database.kind === 'external') {
    const { host } = keeper.database;
    const { hostname, port } = new URL(`postgres://${host}`);
    // Reached by a UNIX socket, it has no address to ask at; then the roles say whether they reach it.
    const answers =
      hostname === '' ||
      (await databaseAnswers(hostname.replace(/^\[|\]$/g, ''), Number(port || POSTGRES_PORT), PROBE_LIMIT_MS));
    const note = databaseNote(`at ${host}`, answers);
    return [part('database', { pid: null, since: null, ready: answers, port: null, note })];
  }
  const layout = layoutOf(dataDir);
  const running = findRunningServer(layout);
  if (running === undefined) return [];
  const file = readPidFile(layout.cluster);
  const port = file?.status === 'ready' ? file.port : undefined;
  const answers = port !== undefined && (await databaseAnswers(LOOPBACK, port, PROBE_LIMIT_MS));
  const place = `embedded, log ${join('logs', 'postgres.log')}`;
  return [
    part('database', {
      pid: running.pid,
      // Written last when the server became ready.
      since: statSync(pidFilePath(layout.cluster), { throwIfNoEntry: false })?.mtime.toISOString() ?? null,
      ready: answers,
      port: file?.port ?? null,
      note: port === undefined ? place : databaseNote(place, answers),
    }),
  ];
}

function databaseNote(place: string, answers: boolean): string {
  return answers ? place : `does not answer; ${place}`;
}

async function roleStatus(dataDir: string, role: RoleName): Promise<PartStatus[]> {
  const facts: RoleFacts | undefined = findRole(dataDir, role);
  if (facts === undefined) {
    const starting = findOldRoles(dataDir).find((one) => one.role === role);
    if (starting === undefined) return [];
    return [part(role, { pid: starting.pid, since: null, ready: false, port: null, note: 'starting' })];
  }
  const health = await askHealth(facts.health_port, PROBE_LIMIT_MS);
  const answers = health?.pid === facts.pid;
  return [
    part(role, {
      pid: facts.pid,
      since: facts.started_at,
      ready: answers && health.ready,
      port: facts.port,
      note: !answers ? 'does not answer' : health.database === 'away' ? 'the database does not answer' : null,
    }),
  ];
}

function part(name: PartStatus['part'], facts: Omit<PartStatus, 'part'>): PartStatus {
  return { part: name, ...facts };
}
