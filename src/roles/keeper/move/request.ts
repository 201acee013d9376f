// How the command line asks a running keeper to move: one file with what is asked, its owner's only because it may hold a
// password, taken away by the keeper as it begins. The signal only says that there is something to look at.
import { closeSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MoveRequest } from './move.ts';
import { readSecretJson } from './place.ts';
import { MoveRefused } from './refused.ts';

/** One that nobody took within this time was left by a command that was killed, for a keeper that died. */
const STALE_MS = 60_000;

function requestFile(dataDir: string): string {
  return join(dataDir, 'secrets', 'database.request.json');
}

/** Throws MoveRefused when another one waits to be taken. */
export function placeRequest(dataDir: string, request: MoveRequest): void {
  const file = requestFile(dataDir);
  const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (written !== undefined && Date.now() - written > STALE_MS) rmSync(file, { force: true });
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new MoveRefused('move_under_way', 'another move has just been asked for', 'Wait for its end.');
  }
  try {
    writeSync(descriptor, JSON.stringify(request));
  } finally {
    closeSync(descriptor);
  }
}

/** Takes back what nobody took. */
export function withdrawRequest(dataDir: string): void {
  rmSync(requestFile(dataDir), { force: true });
}

/** What is asked for, once; undefined when nothing is. */
export function takeRequest(dataDir: string): MoveRequest | undefined {
  try {
    return readSecretJson<MoveRequest>(requestFile(dataDir));
  } catch {
    // Half written by a command that was killed.
    return undefined;
  } finally {
    withdrawRequest(dataDir);
  }
}
