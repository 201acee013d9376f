// Exit codes of the CLI, the same for every command.

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  conflict: 5,
  rateLimited: 6,
  unreachable: 7,
  timedOut: 8,
  waitedForFailed: 9,
  dataDirHeld: 73,
  interrupted: 130,
} as const;

/** The exit code that stands for an HTTP status. */
export function exitCodeOf(status: number): number {
  if (status === 401 || status === 403) return exitCodes.denied;
  if (status === 404 || status === 410) return exitCodes.notFound;
  if (status === 409) return exitCodes.conflict;
  if (status === 429) return exitCodes.rateLimited;
  if (status === 408 || status === 504) return exitCodes.timedOut;
  if (status === 400 || status === 413 || status === 422) return exitCodes.usage;
  return status >= 400 ? exitCodes.failed : exitCodes.ok;
}
