// When the next try comes. Pure: the clock and chance are given.

const FIRST_MS = 250;
const LONGEST_MS = 30_000;

/**
 * Milliseconds before the next try, `tries` having failed. It doubles up to half a minute; half of it is chance, so that
 * a whole fleet does not come back in the same moment. `toldMs` is what Retry-After said, and is never undercut.
 */
export function pauseMs(tries: number, toldMs: number, chance: number): number {
  const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries, 16));
  return toldMs + most * (0.5 + chance / 2);
}

/** Retry-After in either of its forms (RFC 9110 §10.2.3); 0 when there is none or it says nothing. */
export function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0;
  const seconds = Number(header);
  const ms = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1000;
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
