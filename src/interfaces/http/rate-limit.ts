// Counts uses per key in the last minute, in this process. For guessing and floods, not for business limits: those are
// judged by the database.
import { platformErrors } from '../../platform/platform-errors.ts';

const WINDOW_MS = 60_000;
const MOST_KEYS = 50_000;

interface Count {
  windowStart: number;
  current: number;
  previous: number;
}

export class RateLimit {
  readonly #counts = new Map<string, Count>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Counts one use. Throws `rate_limited` above `perMinute`, and then does not count. */
  use(key: string, perMinute: number): void {
    const count = this.#count(key);
    const elapsed = (this.#now() - count.windowStart) / WINDOW_MS;
    // The part of the previous window that still lies within the last minute counts too.
    if (count.current + count.previous * (1 - elapsed) >= perMinute) {
      throw platformErrors.rate_limited({ retry_after: Math.max(1, Math.ceil((1 - elapsed) * 60)) });
    }
    count.current++;
  }

  #count(key: string): Count {
    const now = this.#now();
    let count = this.#counts.get(key);
    if (count === undefined || now - count.windowStart >= 2 * WINDOW_MS) {
      if (this.#counts.size >= MOST_KEYS) this.#counts.clear();
      count = { windowStart: now, current: 0, previous: 0 };
      this.#counts.set(key, count);
    } else if (now - count.windowStart >= WINDOW_MS) {
      count.windowStart += WINDOW_MS;
      count.previous = count.current;
      count.current = 0;
    }
    return count;
  }
}
