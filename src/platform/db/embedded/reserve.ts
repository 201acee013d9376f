// The reserve: a file of real blocks beside the cluster. When the disk is so full that the server cannot even recover its
// write-ahead log, giving the reserve back lets it start, so that reads go on and people can make room.
import { randomFillSync } from 'node:crypto';
import { renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { freeBytes } from './free-bytes.ts';

const WAL_SEGMENT = 16 * 1024 * 1024;
/** Three segments of write-ahead log: recovery, its checkpoint, and some to live on. */
const RESERVE_BYTES = 3 * WAL_SEGMENT;
// The reserve is only taken from a disk that has plenty: it must not be what fills it.
const ROOM_FOR_RESERVE = 3 * RESERVE_BYTES;

export function hasReserve(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.size === RESERVE_BYTES;
}

/** Lays the reserve by when there is room; true when it is there. */
async function layReserve(file: string): Promise<boolean> {
  if (hasReserve(file)) return true;
  const temporary = `${file}.new`;
  try {
    if (freeBytes(dirname(file)) < ROOM_FOR_RESERVE) return false;
    await fill(temporary);
    renameSync(temporary, file);
    return true;
  } catch {
    // Somebody else filled the disk meanwhile: going without is better than failing. It is tried again later.
    rmSync(temporary, { force: true });
    return false;
  }
}

const TRY_AGAIN_MS = 30_000;

/** Lays the reserve now or, on a full disk, as soon as there is room. `end` resolves when nothing more is written. */
export function keepReserve(file: string): { end(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;
  let current = attempt();
  async function attempt(): Promise<void> {
    if ((await layReserve(file)) || isEnded) return;
    timer = setTimeout(() => {
      current = attempt();
    }, TRY_AGAIN_MS);
    timer.unref();
  }
  return {
    async end() {
      isEnded = true;
      clearTimeout(timer);
      await current;
    },
  };
}

/** Gives the room back; false when there was no reserve. */
export function releaseReserve(file: string): boolean {
  const wasThere = hasReserve(file);
  rmSync(file, { force: true });
  rmSync(`${file}.new`, { force: true });
  return wasThere;
}

/** Whether not even one more segment of write-ahead log fits. */
export function isDiskFull(directory: string): boolean {
  return freeBytes(directory) < WAL_SEGMENT;
}

// Random bytes, because zeros take no blocks on a file system with holes or compression.
async function fill(file: string): Promise<void> {
  const block = randomFillSync(Buffer.allocUnsafe(1024 * 1024));
  const handle = await open(file, 'w', 0o600);
  try {
    for (let written = 0; written < RESERVE_BYTES; written += block.length) await handle.write(block);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
