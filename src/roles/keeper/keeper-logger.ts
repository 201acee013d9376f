// The keeper's own lines: all of them into <data>/logs/keeper.log, and to stderr what the one who started it wants to see.
import { mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../config.ts';
import { rotateLog } from '../../platform/db/embedded/postmaster.ts';
import { createLogger, type Logger } from '../../platform/logger.ts';

/** In the environment of a keeper that was started apart from a terminal: its stderr is the log file already. */
export const DETACHED_MARKER = 'QUARTERDECK_DETACHED';

/** Opens a log file to append to, its directory made, the file moved aside when it is large. */
export function openLogFile(file: string): number {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  rotateLog(file);
  return openSync(file, 'a+', 0o600);
}

/** `json`: every line to stderr too. `plain`: warnings and errors, for people. */
export function keeperLogger(config: Config, form: 'json' | 'plain'): Logger {
  const isDetached = process.env[DETACHED_MARKER] !== undefined;
  let file: number | undefined;
  return createLogger('keeper', config.logLevel, (line) => {
    // Opened at the first line, which comes after the data directory was locked.
    file ??= tryTo(() => openLogFile(join(config.dataDir, 'logs', 'keeper.log')));
    if (file !== undefined) write(file, line);
    if (isDetached) return;
    if (form === 'json') write(2, line);
    else if (SERIOUS.test(line)) write(2, `  ${plain(line)}\n`);
  });
}

const SERIOUS = /"level":"(warn|error|fatal)"/;

function plain(line: string): string {
  const { time, level, msg } = JSON.parse(line) as { time: string; level: string; msg?: string };
  return `${time.slice(11, 19)} ${level}  ${msg ?? ''}`;
}

// A full disk or a closed terminal must not end the keeper.
function write(descriptor: number, line: string): void {
  tryTo(() => writeSync(descriptor, line));
}

function tryTo<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
