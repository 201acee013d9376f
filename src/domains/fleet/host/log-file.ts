// The file that an agent's processes print into, and its older parts. The process holds it open in append mode for as long
// as it runs, so a part is closed in two ways: between two starts by renaming, which loses nothing, and under a running
// process by copying and emptying, which loses only what is printed in the microseconds between the last read and that, and of
// a flood what is printed faster than it can be copied.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const NAME = 'console.log';
/** The current file and this many older ones make five. */
const OLDER = 4;
const COPY_BYTES = 1024 * 1024;
/** What is printed during the copy is followed so far and no further. */
const MOST_CHASED_BYTES = 8 * 1024 * 1024;

export function openForAppend(dir: string): number {
  return openSync(join(dir, NAME), constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600);
}

/** Opens the current file (`part` 0) or an older one for reading; undefined when there is none. */
export function openPart(dir: string, part: number): number | undefined {
  try {
    return openSync(partFile(dir, part), 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function currentSize(dir: string): number {
  return statSync(join(dir, NAME), { throwIfNoEntry: false })?.size ?? 0;
}

/** Closes the current part while no process has it open; answers its size. */
export function rotateByRename(dir: string): number {
  const size = currentSize(dir);
  makeRoom(dir);
  renameSync(partFile(dir, 0), partFile(dir, 1));
  return size;
}

/**
 * Closes the current part under a running process, keeping its last `most` bytes: a flood writes faster than it could be
 * copied whole. Answers how many bytes the part had and at which of them the copy begins.
 */
export function rotateByCopy(dir: string, most: number): { size: number; skipped: number } {
  makeRoom(dir);
  const from = openSync(partFile(dir, 0), 'r+');
  const to = openSync(partFile(dir, 1), 'wx', 0o600);
  try {
    const seen = fstatSync(from).size;
    const skipped = Math.max(0, seen - most);
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    for (let at = skipped; at < seen + MOST_CHASED_BYTES; ) {
      const count = readSync(from, buffer, 0, buffer.length, at);
      if (count === 0) break;
      writeSync(to, buffer, 0, count);
      at += count;
    }
    const { size } = fstatSync(from);
    ftruncateSync(from, 0);
    return { size, skipped };
  } finally {
    closeSync(from);
    closeSync(to);
  }
}

function makeRoom(dir: string): void {
  rmSync(partFile(dir, OLDER), { force: true });
  for (let part = OLDER - 1; part >= 1; part--) {
    try {
      renameSync(partFile(dir, part), partFile(dir, part + 1));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

function partFile(dir: string, part: number): string {
  return join(dir, part === 0 ? NAME : `${NAME}.${part}`);
}
