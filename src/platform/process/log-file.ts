// Log files that never grow without end. A writer of ours moves its own file aside when it is large or old and goes on in a
// new one; a file that another program holds open is copied and emptied in place. No line waits in memory.
import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

export interface LogLimits {
  /** A file beyond it is moved aside. */
  readonly bytes: number;
  /** A file that was begun longer ago is moved aside. */
  readonly ageMs: number;
  /** So many are kept aside, `.1` the newest. */
  readonly kept: number;
}

const DAY_MS = 24 * 3_600_000;
/** With them a part keeps 50 MB at most, and seven days in one file. */
export const LOG_LIMITS: LogLimits = { bytes: 10 * 1024 * 1024, ageMs: 7 * DAY_MS, kept: 4 };

/** Opens a log file to append to, its directory made, the file moved aside when it is large or old. */
export function openLogFile(file: string, limits = LOG_LIMITS): number {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  rotateLog(file, limits);
  return openSync(file, 'a+', 0o600);
}

/** Moves the file aside when it is large or old. Whoever holds it open goes on writing into what was moved. */
export function rotateLog(file: string, limits = LOG_LIMITS): void {
  const facts = statSync(file, { throwIfNoEntry: false });
  if (facts === undefined || facts.size === 0 || !isOver(facts, limits, 0)) return;
  makeRoom(file, limits.kept);
  renameSync(file, `${file}.1`);
}

/**
 * Keeps a file small that another program holds open to append to: its content is copied to `.1`, then it is emptied. What
 * is written while the copy is made is copied too; only a line written between the last look and the next system call
 * would be gone, so it is not for files whose every line counts.
 */
export function emptyLargeLog(file: string, limits = LOG_LIMITS): void {
  const facts = statSync(file, { throwIfNoEntry: false });
  if (facts === undefined || facts.size <= limits.bytes) return;
  makeRoom(file, limits.kept);
  // Under another name first: a kill in the middle leaves no half of a file that looks whole.
  const half = `${file}.copy`;
  copyFileSync(file, half);
  const from = openSync(file, 'r+');
  const to = openSync(half, 'a', 0o600);
  try {
    for (let copied = fstatSync(to).size; copyRest(from, to, copied) > 0; ) copied = fstatSync(to).size;
    ftruncateSync(from, 0);
  } finally {
    closeSync(to);
    closeSync(from);
  }
  renameSync(half, `${file}.1`);
}

function copyRest(from: number, to: number, start: number): number {
  const buffer = Buffer.alloc(64 * 1024);
  const length = readSync(from, buffer, 0, buffer.length, start);
  if (length > 0) writeSync(to, buffer, 0, length);
  return length;
}

// From the first free name downwards, each by one rename. A kill between two of them leaves a free name, which the next
// turn fills: nothing is written over but the oldest, and only when all names are taken.
function makeRoom(file: string, kept: number): void {
  let free = 1;
  while (free < kept && existsSync(`${file}.${free}`)) free++;
  rmSync(`${file}.${free}`, { force: true });
  for (let number = free - 1; number >= 1; number--) renameSync(`${file}.${number}`, `${file}.${number + 1}`);
}

function isOver(facts: { size: number; birthtimeMs: number }, limits: LogLimits, more: number): boolean {
  // Where the file system keeps no time of birth it is 0, and size alone decides.
  const isOld = facts.birthtimeMs > 0 && Date.now() - facts.birthtimeMs > limits.ageMs;
  return facts.size > 0 && (facts.size + more > limits.bytes || isOld);
}

/** The end of a log file that this process writes. A disk that is full costs lines, which are counted, never the process. */
export class LogWriter {
  readonly #path: string;
  readonly #limits: LogLimits;
  #descriptor: number | undefined;
  #lost = 0;

  constructor(path: string, limits = LOG_LIMITS) {
    this.#path = path;
    this.#limits = limits;
  }

  /** Writes whole lines, at once: they are with the kernel when this returns. */
  write(lines: string): void {
    try {
      const told = this.#lost === 0 ? lines : `${lostWords(this.#lost)}${lines}`;
      this.#put(Buffer.from(told));
      this.#lost = 0;
    } catch {
      this.#lost += 1;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #put(bytes: Buffer): void {
    this.#descriptor ??= openLogFile(this.#path, this.#limits);
    if (isOver(fstatSync(this.#descriptor), this.#limits, bytes.length)) this.#begin();
    let done = 0;
    while (done < bytes.length) done += writeSync(this.#descriptor, bytes, done);
  }

  #begin(): void {
    // Another process of this part may have moved it already; then only the new one is to be opened.
    const isOurs = statSync(this.#path, { throwIfNoEntry: false })?.ino === fstatSync(this.#descriptor!).ino;
    if (isOurs) {
      makeRoom(this.#path, this.#limits.kept);
      renameSync(this.#path, `${this.#path}.1`);
    }
    const next = openSync(this.#path, 'a+', 0o600);
    closeSync(this.#descriptor!);
    this.#descriptor = next;
  }
}

function lostWords(count: number): string {
  const time = new Date().toISOString();
  return `${JSON.stringify({ level: 'warn', time, msg: `${count} lines could not be written before this one` })}\n`;
}
