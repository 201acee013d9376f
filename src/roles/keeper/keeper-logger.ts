// The keeper's own lines: all of them into <data>/logs/keeper.log, and to stderr what the one who started it wants to see.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import { createLogger, type Logger } from '../../platform/logger.ts';
import { LogWriter } from '../../platform/process/log-file.ts';

/** In the environment of a keeper that was started apart from a terminal: its stderr is the log file already. */
export const DETACHED_MARKER = 'QUARTERDECK_DETACHED';

/** `json`: every line to stderr too. `plain`: warnings and errors, for people. */
export function keeperLogger(config: Config, form: 'json' | 'plain'): Logger {
  const isDetached = process.env[DETACHED_MARKER] !== undefined;
  // It opens the file at the first line, which comes after the data directory was locked.
  const file = new LogWriter(join(config.dataDir, 'logs', 'keeper.log'));
  return createLogger('keeper', config.logLevel, (line) => {
    file.write(line);
    if (isDetached) return;
    if (form === 'json') say(line);
    else if (SERIOUS.test(line)) say(`  ${plain(line)}\n`);
  });
}

const SERIOUS = /"level":"(warn|error|fatal)"/;

function plain(line: string): string {
  const { time, level, msg } = JSON.parse(line) as { time: string; level: string; msg?: string };
  return `${time.slice(11, 19)} ${level}  ${msg ?? ''}`;
}

// A closed terminal must not end the keeper.
function say(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // Nobody listens any more; the file has the line.
  }
}
