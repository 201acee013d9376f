// The record of one agent in memory and on disk, and the reports in it that the database does not have yet. Every change
// is on disk before anybody is told of it.

import { type AgentRecord, type Report, readRecord, removeFiles, removeRecord, writeRecord } from './record.ts';
import { freshHistory } from './restarts.ts';

export type NewReport = Partial<Omit<Report, 'number'>> & Pick<Report, 'phase'>;

export class Journal {
  /** True while nothing was on disk of this agent. */
  readonly isFresh: boolean;
  readonly #dir: string;
  #record: AgentRecord;

  constructor(dir: string, agent: { agentId: string; tenantId: string }) {
    const record = readRecord(dir);
    this.isFresh = record === undefined;
    this.#dir = dir;
    this.#record = { ...empty, ...agent, ...record };
  }

  get record(): AgentRecord {
    return this.#record;
  }

  save(change: Partial<AgentRecord>): void {
    this.#record = { ...this.#record, ...change };
    writeRecord(this.#dir, this.#record);
  }

  /** Whether its files go when it goes. */
  noteExample(ofExample: boolean): void {
    if (ofExample !== this.#record.ofExample) this.save({ ofExample });
  }

  /** Changes the phase and notes what the database and the log are to be told of it, in one. */
  note(report: NewReport): void {
    const number = this.#record.lastReport + 1;
    const full: Report = { ...silent, generation: this.#record.generation, ...report, number };
    this.save({ phase: report.phase, lastReport: number, reports: [...this.#record.reports, full] });
  }

  /** Tells all reports in order; one that could not be told stays, with those behind it. */
  async tell(one: (report: Report) => Promise<void>): Promise<void> {
    for (;;) {
      const [report] = this.#record.reports;
      if (report === undefined) return;
      await one(report);
      this.save({ reports: this.#record.reports.slice(1) });
    }
  }

  remove(): void {
    if (this.#record.ofExample) removeFiles(this.#dir);
    else removeRecord(this.#dir);
  }
}

const empty: Omit<AgentRecord, 'agentId' | 'tenantId'> = {
  phase: null,
  generation: 0,
  marker: null,
  process: null,
  history: freshHistory,
  nextStartAt: null,
  logBase: 0,
  lastReport: 0,
  ofExample: false,
  reports: [],
};

const silent = {
  pid: null,
  startedAt: null,
  exit: null,
  exitedAt: null,
  nextStartAt: null,
  started: false,
  release: false,
  events: [],
};
