// How far a move is, as told while it goes on and left in a run file for whoever asked and for those who look later.
import { readRunFile, writeRunFile } from '../../role-file.ts';
import type { MovePlan } from './plan.ts';

/** In this order; the switch is what decides. */
export type Phase =
  | 'checking'
  | 'preparing'
  | 'stopping'
  | 'copying'
  | 'verifying'
  | 'committing'
  | 'closing'
  | 'switching'
  | 'starting';

export interface Progress {
  readonly phase: Phase;
  readonly table?: string;
  readonly done?: number;
  readonly of?: number;
  readonly bytes?: number;
}

export type TellProgress = (progress: Progress) => void;

export interface MoveOutcome {
  readonly from: string;
  readonly to: string;
  readonly tables: readonly { readonly table: string; readonly rows: number }[];
  readonly rows: number;
  readonly sequences: number;
  readonly seconds: number;
  /** Agents whose database role for plain SQL has to be made anew there. */
  readonly sql_roles: readonly string[];
  /** How long the roles were stopped. */
  readonly stopped_seconds: number;
}

export interface MoveReport {
  readonly id: string;
  /** Of the process that moves. */
  readonly pid: number;
  readonly state: 'running' | 'planned' | 'done' | 'failed';
  readonly progress: Progress;
  readonly plan: MovePlan | null;
  readonly outcome: MoveOutcome | null;
  readonly problem: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
}

const PART = 'move';

export function readReport(dataDir: string): MoveReport | undefined {
  return readRunFile<MoveReport>(dataDir, PART);
}

const SAY_EVERY_MS = 200;

/** Keeps the run file up to date. A disk that is full refuses the file, which must not stop the move. */
export class Reporter {
  readonly #dataDir: string;
  #report: MoveReport;
  #saidAt = 0;

  constructor(dataDir: string, id: string) {
    this.#dataDir = dataDir;
    this.#report = {
      id,
      pid: process.pid,
      state: 'running',
      progress: { phase: 'checking' },
      plan: null,
      outcome: null,
      problem: null,
    };
    this.#write();
  }

  tell(progress: Progress): void {
    const isNew = progress.phase !== this.#report.progress.phase;
    this.#report = { ...this.#report, progress };
    if (isNew || performance.now() - this.#saidAt > SAY_EVERY_MS) this.#write();
  }

  put(facts: Partial<Omit<MoveReport, 'id' | 'pid' | 'progress'>>): void {
    this.#report = { ...this.#report, ...facts };
    this.#write();
  }

  #write(): void {
    this.#saidAt = performance.now();
    try {
      writeRunFile(this.#dataDir, PART, this.#report);
    } catch {
      // Whoever asked sees the next one.
    }
  }
}
