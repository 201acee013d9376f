// Keeps the log files small that others hold open and cannot move aside themselves: PostgreSQL's, and what the processes of
// the roles say beside their logs.
import { join } from 'node:path';
import type { Logger } from '../../platform/logger.ts';
import { emptyLargeLog, type LogLimits } from '../../platform/process/log-file.ts';
import { roleNames, roleStderrFile } from '../role-file.ts';

const LOOK_MS = 60_000;

/** Looks once a minute until it is ended; the timer alone keeps no process alive. */
export function watchLargeLogs(dataDir: string, logger: Logger): { end(): void } {
  const timer = setInterval(() => emptyLargeLogs(dataDir, logger), LOOK_MS);
  timer.unref();
  return { end: () => clearInterval(timer) };
}

export function emptyLargeLogs(dataDir: string, logger: Logger, limits?: LogLimits): void {
  const files = [join(dataDir, 'logs', 'postgres.log'), ...roleNames.map((role) => roleStderrFile(dataDir, role))];
  for (const file of files) {
    try {
      emptyLargeLog(file, limits);
    } catch (error) {
      // Most likely there is no room for the copy. The next look is in a minute.
      logger.warn({ err: error, file }, 'a large log file could not be moved aside');
    }
  }
}
