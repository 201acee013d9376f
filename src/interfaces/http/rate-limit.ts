// Counts uses per key in the last minute, in this process and exactly: no 60 seconds hold more than the limit. For
// guessing and floods, not for business limits: those are judged by the database.
import { platformErrors } from '../../platform/platform-errors.ts';

const WINDOW_MS = 60_000;
const MOST_KEYS = 50_000;

export class RateLimit {
  /** Times of the uses of the last minute, oldest first: never more of them than the limit. */
  readonly #uses = new Map<string, number[]>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Counts one use. Throws `rate_limited` above `perMinute`, and then does not count. */
  use(key: string, perMinute: number): void {
    const now = this.#now();
    const uses = (this.#uses.get(key) ?? []).filter((at) => now - at < WINDOW_MS);
    const oldest = uses[0];
    if (oldest !== undefined && uses.length >= perMinute) {
      throw platformErrors.rate_limited({ retry_after: Math.ceil((oldest + WINDOW_MS - now) / 1000) });
    }
    if (!this.#uses.has(key) && this.#uses.size >= MOST_KEYS) this.#uses.clear();
    uses.push(now);
    this.#uses.set(key, uses);
  }
}
