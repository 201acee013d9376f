// Waiting that a signal ends.

/** What the work answers, or the signal's reason when that comes first. */
export function orEnded<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  return Promise.race([work, ended.promise]).finally(() => signal.removeEventListener('abort', end));
}
