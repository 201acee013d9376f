// A worker: claims jobs for its free places, gives each to its handler, keeps the leases, reports the outcomes, and leaves
// politely.
import type { Desired } from './beats.ts';
import { onLeaving } from './environment.ts';
import { type ClaimedJob, HeldJobs, LeaseLost } from './held-jobs.ts';
import { type Ending, endingOf, failureOf, GiveUp, type Handler, jobInHand, Leaving } from './job.ts';
import { type OutcomeStore, Outcomes } from './outcomes.ts';
import { Quarterdeck } from './quarterdeck.ts';
import { pause } from './retry.ts';

export interface WorkerOptions {
  /** Default: made from the environment. */
  readonly qd?: Quarterdeck | undefined;
  /** Default: the kinds that have a handler; a job's queue is its kind unless it says otherwise. */
  readonly queues?: readonly string[] | undefined;
  /** Jobs worked on at once, at most 500; default 1. */
  readonly concurrency?: number | undefined;
  readonly leaseSeconds?: number | undefined;
  /**
   * How long a job is kept whose handler gives no sign (`keep`, `emit`); default 900. With 0 nothing is renewed but by `keep`.
   */
  readonly stallSeconds?: number | undefined;
  /** How long jobs may go on once the worker was told to stop, before their signals fire; default 4. Draining has no end. */
  readonly stopSeconds?: number | undefined;
  /** Where outcomes wait until they are heard: `await openOutcomes('outcomes.ndjson')`. Default: in memory. Closed with the work. */
  readonly outbox?: OutcomeStore | undefined;
  /** Ends the work like SIGTERM does; given one, the signals of the process are left alone. */
  readonly signal?: AbortSignal | undefined;
  /** Where lines about the work go; default: the console. */
  readonly log?: ((line: string) => void) | undefined;
}

const CLAIM_WAIT_SECONDS = 20;
/** The server's bound on the jobs of one renewal. */
const MOST_HELD = 500;
const LOOP_MS = 1_000;
/** How long outcomes are still tried once everything else is over. */
const LAST_TRIES_MS = 10_000;
/** Takes the kinds that no other handler takes. */
const ANY = '*';

export class Worker {
  readonly #options: WorkerOptions;
  readonly #handlers = new Map<string, Handler>();

  constructor(options: WorkerOptions = {}) {
    this.#options = options;
  }

  /** Works on the jobs of a kind by this handler; `*` takes the kinds that no other handler takes. */
  on(kind: string, handler: Handler): this {
    this.#handlers.set(kind, handler);
    return this;
  }

  /**
   * Works until it is told to leave: by SIGTERM, by the signal, or by the operator. What is in hand is finished first. Throws
   * QuarterdeckError when the server refuses to give work.
   */
  async run(): Promise<void> {
    const { outbox } = this.#options;
    try {
      const queues = this.#options.queues ?? [...this.#handlers.keys()].filter((kind) => kind !== ANY);
      if (queues.length === 0) throw new TypeError('work on what? Give `queues`, or a handler by `on(kind, …)`');
      const concurrency = this.#options.concurrency ?? 1;
      if (!(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= MOST_HELD))
        throw new TypeError(`concurrency must be between 1 and ${MOST_HELD}`);
      const handlerOf = (kind: string) => this.#handlers.get(kind) ?? this.#handlers.get(ANY);
      await new Run(this.#options, queues, concurrency, handlerOf).toItsEnd();
    } finally {
      await outbox?.close();
    }
  }
}

/** A worker on these queues in one call. `handler` is one for all kinds, or has one for each. */
export function work(
  queues: readonly string[],
  handler: Handler | Readonly<Record<string, Handler>>,
  options: Omit<WorkerOptions, 'queues'> = {},
): Promise<void> {
  const worker = new Worker({ ...options, queues });
  for (const [kind, each] of Object.entries(typeof handler === 'function' ? { [ANY]: handler } : handler))
    worker.on(kind, each);
  return worker.run();
}

class Run {
  readonly #qd: Quarterdeck;
  readonly #queues: readonly string[];
  readonly #concurrency: number;
  readonly #handlerOf: (kind: string) => Handler | undefined;
  readonly #leaseSeconds: number;
  readonly #stopMs: number;
  readonly #keepsOutcomes: boolean;
  readonly #outer: AbortSignal | undefined;
  readonly #log: (line: string) => void;
  readonly #held: HeldJobs;
  readonly #outcomes: Outcomes;
  readonly #running = new Map<string, Promise<void>>();
  /** No more claims. */
  readonly #leaving = new AbortController();
  /** Nothing more at all. */
  readonly #over = new AbortController();
  #stopTimer: ReturnType<typeof setTimeout> | undefined;
  /** Wakes who waits for a free place. */
  #changed: () => void = () => undefined;
  #fatal: { readonly error: unknown } | undefined;

  constructor(
    options: WorkerOptions,
    queues: readonly string[],
    concurrency: number,
    handlerOf: (kind: string) => Handler | undefined,
  ) {
    this.#qd = options.qd ?? new Quarterdeck();
    this.#queues = queues;
    this.#concurrency = concurrency;
    this.#handlerOf = handlerOf;
    this.#leaseSeconds = options.leaseSeconds ?? 60;
    this.#stopMs = (options.stopSeconds ?? 4) * 1000;
    this.#keepsOutcomes = options.outbox !== undefined;
    this.#outer = options.signal;
    this.#log = options.log ?? consoleLog;
    this.#held = new HeldJobs({
      operations: this.#qd.job,
      leaseSeconds: this.#leaseSeconds,
      stallSeconds: options.stallSeconds ?? 900,
      log: this.#log,
    });
    this.#outcomes = new Outcomes({
      operations: this.#qd.job,
      store: options.outbox,
      log: this.#log,
      heard: (outcome) => {
        this.#held.forget(outcome);
        this.#changed();
      },
      failed: (error) => this.#fail(error),
    });
  }

  async toItsEnd(): Promise<void> {
    const stop = () => this.#leave('stop');
    if (this.#outer?.aborted) stop();
    this.#outer?.addEventListener('abort', stop, { once: true });
    const stopListening = this.#outer === undefined ? onLeaving(stop) : () => undefined;
    this.#log(`works on ${this.#queues.join(', ')}`);
    // Before the first claim: who shall not work takes nothing.
    await this.#attempt(() => this.#beat());
    const loops = [this.#repeat(() => this.#held.tick()), this.#repeat(() => this.#beat())];
    try {
      await this.#claimUntilLeaving();
      await Promise.all(this.#running.values());
      await this.#reportTheRest();
    } finally {
      this.#over.abort();
      clearTimeout(this.#stopTimer);
      await Promise.all(loops);
      stopListening();
      this.#outer?.removeEventListener('abort', stop);
    }
    this.#log('leaves');
  }

  #leave(how: 'drain' | 'stop'): void {
    this.#leaving.abort();
    this.#changed();
    if (how === 'stop')
      this.#stopTimer ??= setTimeout(() => this.#held.abortAll(new Leaving('the worker left')), this.#stopMs);
  }

  // Nothing can be done without the server's leave: everybody stops.
  #fail(error: unknown): void {
    this.#fatal ??= { error };
    this.#leaving.abort();
    this.#changed();
    this.#held.abortAll(new Leaving('the server refuses this worker'));
  }

  /** The loops of the worker are the work's own: when a handler blocks the process, they stand still, and it is seen. */
  async #repeat(step: () => Promise<void>): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#attempt(step);
      await pause(LOOP_MS, this.#over.signal).catch(() => undefined);
    }
  }

  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #beat(): Promise<void> {
    if (this.#held.allStalled) return;
    const kinds =
      this.#running.size === 0 ? 'waiting for work' : `${this.#running.size} of ${this.#concurrency} at work`;
    this.#heed(await this.#qd.beat(kinds, this.#running.keys().next().value));
  }

  #heed(desired: Desired): void {
    if (desired === 'drain' || desired === 'stop') this.#leave(desired);
  }

  async #claimUntilLeaving(): Promise<void> {
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      const free = Math.min(this.#concurrency - this.#running.size, MOST_HELD - this.#held.size);
      if (free <= 0) {
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
        continue;
      }
      const claimedAt = performance.now();
      for (const job of await this.#claim(free)) this.#start(job, claimedAt);
    }
  }

  async #claim(limit: number): Promise<readonly ClaimedJob[]> {
    const { signal } = this.#leaving;
    try {
      const wanted = { queues: this.#queues, limit, wait: CLAIM_WAIT_SECONDS, lease_seconds: this.#leaseSeconds };
      return (await this.#qd.job.claim(wanted, { signal, retryForMs: Number.POSITIVE_INFINITY })).jobs;
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
      return [];
    }
  }

  #start(job: ClaimedJob, claimedAt: number): void {
    const signal = this.#held.add(job, claimedAt);
    const done = this.#workOn(job, signal).finally(() => {
      this.#running.delete(job.id);
      this.#changed();
    });
    this.#running.set(job.id, done);
  }

  async #workOn(job: ClaimedJob, signal: AbortSignal): Promise<void> {
    const ending = await this.#endingOf(job, signal);
    if (ending === undefined) {
      this.#held.forget(job);
      return;
    }
    this.#held.finished(job);
    await this.#outcomes.report({ id: job.id, lease: job.lease, ...ending });
  }

  async #endingOf(job: ClaimedJob, signal: AbortSignal): Promise<Ending | undefined> {
    try {
      const handler = this.#handlerOf(job.kind);
      if (handler === undefined) throw new GiveUp(`this agent knows no kind "${job.kind}"`);
      const working: Promise<unknown> = handler(jobInHand(this.#qd, job, this.#held, signal));
      return endingOf(await working);
    } catch (error) {
      const ending = failureOf(error, signal);
      if (ending === undefined) {
        const lost = error instanceof LeaseLost ? error : (signal.reason as LeaseLost);
        this.#log(`${job.id} was lost: ${lost.message}`);
      } else if (ending.outcome === 'ask') this.#log(`${job.id} (${job.kind}) asks: ${ending.approval?.summary}`);
      else this.#log(`${job.id} (${job.kind}) failed: ${ending.error}`);
      return ending;
    }
  }

  async #reportTheRest(): Promise<void> {
    const unheard = await this.#outcomes.close(this.#fatal === undefined ? LAST_TRIES_MS : 0);
    if (this.#fatal !== undefined) throw this.#fatal.error;
    if (unheard === 0) return;
    if (!this.#keepsOutcomes) throw new Error(`told to leave while the server is away: ${unheard} outcomes are lost`);
    this.#log(`${unheard} outcomes wait in the outbox for the next start`);
  }
}

function consoleLog(line: string): void {
  // biome-ignore lint/suspicious/noConsole: what an agent prints is its console in the control center
  console.log(line);
}
