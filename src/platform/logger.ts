// Log lines of the program itself: JSON, one a line, on stderr or a file descriptor; secrets are cut out before they
// are written. Events that matter go to the event log, not here.
import pino from 'pino';

export type Logger = pino.Logger;

// Every secret of ours has this form (access/secrets.ts); it is removed wherever it stands in a line.
const SECRET = /qd_(?:operator|agent|job|session|link)_[0-9A-Za-z]{30,52}_[0-9a-z]{7}/g;
// Bounded, so that a long line without an address takes no longer than its length.
const URL_PASSWORD = /(\w{1,20}:\/\/[^\s:/@"]{1,256}:)[^\s@"]{1,1024}@/g;

/** Removes our own secrets and passwords in URLs from text that is about to leave the process. */
export function redact(text: string): string {
  return text.replace(SECRET, 'qd_[redacted]').replace(URL_PASSWORD, '$1[redacted]@');
}

/** `write` takes finished lines; without it they go to stderr. */
export function createLogger(
  name: string,
  level: string = process.env['QUARTERDECK_LOG_LEVEL'] ?? 'info',
  write: (line: string) => void = toStderr(),
): Logger {
  return pino(
    {
      name,
      level,
      base: { name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ['authorization', 'cookie', 'token', 'password', '*.authorization', '*.cookie', '*.token', '*.password'],
        censor: '[redacted]',
      },
    },
    { write: (line: string) => write(redact(line)) },
  );
}

function toStderr(): (line: string) => void {
  const stderr = pino.destination({ dest: 2, sync: true });
  return (line) => stderr.write(line);
}
