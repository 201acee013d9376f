// The lock that gives a data directory to one holder at a time, and the side file that says who it is. Nothing else in
// the data directory is made here; the database's own places are in ../db/embedded/layout.ts.
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { processStartTime } from './facts.ts';

/** Facts about the holder, for people and for whoever ends it. The lock itself is what decides, never these facts. */
export interface Holder {
  pid: number;
  /** Names its process for ever, with the pid; written by the lock. Nobody may signal the bare pid, which is used again. */
  start_time?: string;
  /** ISO 8601. */
  started_at: string;
  command: string;
  /** Name of the machine: a data directory may lie on a shared volume. */
  host?: string;
}

export interface DataLock {
  release(): void;
}

/** Another process holds the data directory. */
export class DataLockHeld extends Error {
  readonly code = 'data_dir_held';
  readonly dataDir: string;
  /** Undefined when the holder left no readable facts. */
  readonly holder: Holder | undefined;

  constructor(dataDir: string, holder: Holder | undefined) {
    const who = holder
      ? `process ${holder.pid}${holder.host ? ` on ${holder.host}` : ''} since ${holder.started_at} (${holder.command})`
      : 'another process';
    super(`the data directory ${dataDir} is held by ${who}`);
    this.name = 'DataLockHeld';
    this.dataDir = dataDir;
    this.holder = holder;
  }
}

/** The data directory cannot serve as one: not a directory, not writable, open to everybody. */
export class DataDirUnusable extends Error {
  readonly code = 'data_dir_unusable';
  readonly dataDir: string;

  constructor(dataDir: string, reason: string, cause?: unknown) {
    super(`the data directory ${dataDir} cannot be used: ${reason}`, { cause });
    this.name = 'DataDirUnusable';
    this.dataDir = dataDir;
  }
}

// Two starts at the same moment get into each other's way while SQLite goes from its shared to its exclusive lock;
// waiting this long lets exactly one of them win, and gives the winner time to write its side file.
const CONTENTION_MS = 500;

// A connection that nothing refers to is closed by the garbage collector, and the lock goes with it (seen within
// 50 ms): a holder that drops what it got back would lose the directory without a word.
const held = new Set<DatabaseSync>();

/**
 * Takes the data directory, creating it (0700) where it does not exist. The kernel frees the lock with the process,
 * kill -9 included: it is a POSIX lock of SQLite, because Node has no flock and pid files race.
 */
export function acquireDataLock(dataDir: string, holder: Holder): DataLock {
  const dir = resolve(dataDir);
  createDataDir(dir);
  const database = openLockFile(dir);
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) throw new DataLockHeld(dir, readHolder(dir));
    throw new DataDirUnusable(dir, `lock.sqlite: ${reasonOf(error)}`, error);
  }
  held.add(database);
  const startTime = processStartTime(holder.pid);
  writeHolder(dir, { ...holder, ...(startTime !== undefined && { start_time: startTime }), host: hostname() });

  return {
    release() {
      if (!held.delete(database)) return;
      // The facts go first: after the lock is free they may already be the next holder's.
      rmSync(holderFile(dir), { force: true });
      database.close();
    },
  };
}

/** Makes the data directory (0700) where it does not exist. Throws DataDirUnusable. */
export function createDataDir(dir: string): void {
  try {
    // Parents get ordinary modes: as root the database's user has to pass through them.
    mkdirSync(dirname(dir), { recursive: true, mode: 0o755 });
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new DataDirUnusable(dir, reasonOf(error), error);
  }
  const facts = statSync(dir, { throwIfNoEntry: false });
  if (!facts?.isDirectory()) throw new DataDirUnusable(dir, 'it is not a directory');
  if (facts.mode & 0o002) throw new DataDirUnusable(dir, 'every user of this machine may write in it');
}

function openLockFile(dir: string): DatabaseSync {
  const file = join(dir, 'lock.sqlite');
  try {
    // Only a new file is opened here: closing any descriptor of a file drops all POSIX locks that this process has on
    // it, so opening an existing one would free a lock held elsewhere in this very process.
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new DataDirUnusable(dir, reasonOf(error), error);
  }
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: CONTENTION_MS });
    // The transaction never writes; this makes sure that no journal file ever lies beside the lock either.
    database.exec('PRAGMA journal_mode = MEMORY');
    return database;
  } catch (error) {
    database?.close();
    if (isBusy(error)) throw new DataLockHeld(dir, readHolder(dir));
    throw new DataDirUnusable(dir, `lock.sqlite: ${reasonOf(error)}`, error);
  }
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY;
}

function holderFile(dir: string): string {
  return join(dir, 'lock.json');
}

function writeHolder(dir: string, holder: Holder): void {
  const file = holderFile(dir);
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch {
    // The lock holds without its facts. A start must not fail here when the disk is full: the database's start frees
    // its reserve, and a wrong name is worse than none.
    rmSync(file, { force: true });
  }
}

function readHolder(dir: string): Holder | undefined {
  try {
    const facts = JSON.parse(readFileSync(holderFile(dir), 'utf8')) as Partial<Holder>;
    if (typeof facts.pid !== 'number' || typeof facts.started_at !== 'string') return undefined;
    return {
      pid: facts.pid,
      ...(typeof facts.start_time === 'string' && { start_time: facts.start_time }),
      started_at: facts.started_at,
      command: String(facts.command ?? ''),
      ...(typeof facts.host === 'string' && { host: facts.host }),
    };
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
