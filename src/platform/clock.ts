// Time as the process sees it. Leases, limits and `at` columns use the database's clock instead; this one is for
// back-off, display and what tests want to steer.

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds that never jump. */
  monotonic(): number;
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
