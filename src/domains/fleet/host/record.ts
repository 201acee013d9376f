// What a host remembers of each agent on disk, one file an agent, so that the next host adopts the process instead of
// starting a second one, and so that nothing it saw is lost while the database is away.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Phase } from '../states.ts';
import type { RestartHistory } from './restarts.ts';

export interface ProcessFacts {
  /** The shim, leader of the process group. */
  readonly pid: number;
  /** As processStartTime answers: with the pid it names one process for ever. */
  readonly startTime: string;
  /** The program itself. */
  readonly agentPid: number;
  readonly marker: string;
  readonly startedAt: string;
  /** The restart_generation it was started for. */
  readonly generation: number;
  /** Where it was told to find the API; absent in records of before this was kept. */
  readonly apiUrl?: string;
}

/** Something the database and the log are to be told, in order; `number` makes telling it twice harmless. */
export interface Report {
  readonly number: number;
  readonly phase: Phase;
  readonly generation: number;
  readonly pid: number | null;
  readonly startedAt: string | null;
  readonly exit: string | null;
  readonly exitedAt: string | null;
  readonly nextStartAt: string | null;
  /** Counts one more restart when the agent had run before. */
  readonly started: boolean;
  /** Gives the claim up: another host may run it. */
  readonly release: boolean;
  readonly events: readonly { readonly type: ReportedEvent; readonly payload: Readonly<Record<string, unknown>> }[];
}

export type ReportedEvent = 'process.started' | 'process.adopted' | 'process.ended' | 'agent.crashed';

export interface AgentRecord {
  readonly agentId: string;
  readonly tenantId: string;
  readonly phase: Phase | null;
  readonly generation: number;
  /** Of the last start, also of one that was not finished. */
  readonly marker: string | null;
  readonly process: ProcessFacts | null;
  readonly history: RestartHistory;
  /** Milliseconds since 1970. */
  readonly nextStartAt: number | null;
  /** Console offset of the first byte of the log file. */
  readonly logBase: number;
  readonly lastReport: number;
  /** Declared by an example: when that is gone, its files go too. */
  readonly ofExample: boolean;
  readonly reports: readonly Report[];
}

const FILE = 'process.json';

export function readRecord(dir: string): AgentRecord | undefined {
  let text: string;
  try {
    text = readFileSync(join(dir, FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return parse(text);
}

// A file that lost its content in a power cut counts as none: no process outlived the cut, what is wanted stands in the
// database, and one damaged file must not keep the host from all its other agents.
function parse(text: string): AgentRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<AgentRecord> | null;
    return typeof record?.agentId === 'string' ? (record as AgentRecord) : undefined;
  } catch {
    return undefined;
  }
}

// Renamed into place, so that a kill in the middle leaves the old one; on the disk before that, else a power cut
// could leave the name without its content, and the reports in it would be lost.
export function writeRecord(dir: string, record: AgentRecord): void {
  const file = join(dir, FILE);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}

/** The agent is gone; its log files stay, for the operator to look at. */
export function removeRecord(dir: string): void {
  rmSync(join(dir, FILE), { force: true });
}

/** The agent is gone with everything that was kept of it. */
export function removeFiles(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  try {
    rmdirSync(dirname(dir));
  } catch {
    // Its tenant has other agents.
  }
}

/** Every directory below `root` (`<root>/<tenant>/<agent>`) that holds a record. */
export function findRecords(root: string): { tenant: string; slug: string; dir: string; record: AgentRecord }[] {
  return directories(root).flatMap((tenant) =>
    directories(join(root, tenant)).flatMap((slug) => {
      const dir = join(root, tenant, slug);
      const record = readRecord(dir);
      return record === undefined ? [] : [{ tenant, slug, dir, record }];
    }),
  );
}

function directories(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}
