// What every queue of the comparison can do. Each job carries a number, by which the run sees that each was done, once.

export interface Drain {
  /** Jobs fetched at once, or how else the worker is set. */
  readonly how: string;
  /** One job a round trip: given fewer jobs, so that the run ends in time. */
  readonly singly: boolean;
  /**
   * Does all jobs that wait; `done` is told of each when its handler ends. Resolves when everything is over; answers
   * how long it took, from the first fetch (ours) or first handler (peers) to the last report (ours) or handler (peers).
   */
  run(count: number, done: (n: number) => void): Promise<number>;
}

export interface Contender {
  readonly name: string;
  /** Its database, for the statistics of the server; undefined when it has none in PostgreSQL. */
  readonly database: string | undefined;
  readonly drains: readonly Drain[];
  add(n: number): Promise<unknown>;
  /** In one call. */
  addMany(numbers: readonly number[]): Promise<unknown>;
  /** Starts one idle worker; resolves when it waits for work. */
  serve(started: (n: number) => void): Promise<{ stop(): Promise<void> }>;
  /** How many jobs wait or run. */
  left(): Promise<number>;
  /** Takes out all jobs and what they left in the pages. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Of a worker that only tells when a handler ran: resolves with the time from the first to the last of `count`. */
export function stopwatch(count: number, done: (n: number) => void) {
  const { promise, resolve } = Promise.withResolvers<number>();
  let first: number | undefined;
  let seen = 0;
  return {
    handled(n: number): void {
      first ??= performance.now();
      done(n);
      if (++seen === count) resolve(performance.now() - first);
    },
    elapsed: promise,
  };
}
