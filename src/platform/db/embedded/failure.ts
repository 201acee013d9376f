// The one error of the embedded server, and how PostgreSQL's own last words are read into it. What PostgreSQL says is for
// its log; what the operator sees is said here.

export type FailureCode =
  | 'disk_full'
  | 'port_taken'
  | 'stray_backends'
  | 'wrong_major'
  | 'engine_missing'
  | 'data_dir_refused'
  | 'data_dir_unreachable'
  | 'foreign_owner'
  | 'no_account'
  | 'secret_missing'
  | 'copy_refused'
  | 'copy_no_room'
  | 'copy_damaged'
  | 'copy_not_found'
  | 'still_running'
  | 'start_failed';

export interface FailureFacts {
  /** What the operator does next. */
  hint?: string;
  /** Whether the same start may succeed later without anybody changing the settings. */
  retryable?: boolean;
  cause?: unknown;
}

/** The embedded server cannot start or cannot go on. */
export class EmbeddedFailure extends Error {
  readonly code: FailureCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;

  constructor(code: FailureCode, message: string, facts: FailureFacts = {}) {
    super(message, { cause: facts.cause });
    this.name = 'EmbeddedFailure';
    this.code = code;
    this.hint = facts.hint;
    this.retryable = facts.retryable ?? false;
  }
}

export function diskFull(place: string, cause?: unknown): EmbeddedFailure {
  return new EmbeddedFailure('disk_full', `disk full: the database in ${place} has no room to start`, {
    hint: 'Free some space on that file system; nothing that was acknowledged is lost, and the next start succeeds.',
    retryable: true,
    cause,
  });
}

/** Whether a call into the file system failed for want of room. */
export function isOutOfSpace(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

const LAST_WORDS: [FailureCode, RegExp][] = [
  ['disk_full', /No space left on device|Disk quota exceeded/],
  ['port_taken', /could not create any TCP\/IP sockets|could not bind IPv4 address/],
  ['stray_backends', /pre-existing shared memory block .* is still in use|lock file ".*" (already exists|is empty)/],
  ['wrong_major', /database files are incompatible with server/],
  ['no_account', /could not look up effective user ID/],
];

/** What PostgreSQL's words before its end mean, undefined when they are none of the known ones. */
export function readLastWords(words: string): FailureCode | undefined {
  return LAST_WORDS.find(([, pattern]) => pattern.test(words))?.[0];
}
