// The server's own note about itself, postmaster.pid: read only. Whether it is true is judged in leftovers.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PidFile {
  pid: number;
  port: number | undefined;
  /** 'starting', 'ready', 'stopping' or 'standby'; undefined before the server has written it. */
  status: string | undefined;
}

/** Reads the text of a pid file; undefined when it is empty or no pid file. */
export function parsePidFile(text: string): PidFile | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  // A negative pid is that of a single-user server.
  const pid = Math.abs(Number(lines[0]));
  if (!Number.isInteger(pid) || pid === 0) return undefined;
  const port = Number(lines[3]);
  return { pid, port: Number.isInteger(port) && port > 0 ? port : undefined, status: lines[7] || undefined };
}

export function pidFilePath(cluster: string): string {
  return join(cluster, 'postmaster.pid');
}

/** Undefined when there is no file, or none that can be read as one. */
export function readPidFile(cluster: string): PidFile | undefined {
  try {
    return parsePidFile(readFileSync(pidFilePath(cluster), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
