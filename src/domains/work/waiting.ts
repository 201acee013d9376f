// Claims that found nothing and wait. All of one process share one look at the database: it is taken when work is
// announced, and by a poll that backs off in case an announcement is lost. As many are woken as there are jobs.
import { setTimeout as sleep } from 'node:timers/promises';
import { isAppError } from '../../platform/errors.ts';
import type { ReadyLane } from './read-store.ts';

const FIRST_POLL_MS = 1_000;
const LONGEST_POLL_MS = 10_000;

export interface Want {
  readonly queues: readonly string[];
  /** Undefined: jobs of every tenant. */
  readonly tenantId: string | undefined;
  readonly limit: number;
}

/** What may be handed out of these queues now, counted up to `most` a lane; and in how many milliseconds a channel that is used up allows more. */
type FindReady = (
  queues: readonly string[],
  most: number,
) => Promise<{ readonly lanes: readonly ReadyLane[]; readonly inMs: number | undefined }>;

interface Waiter extends Want {
  wake(): void;
  fail(error: unknown): void;
}

export class WaitingClaims {
  readonly #find: FindReady;
  // In the order in which they came: who waits longest is woken first.
  readonly #waiters = new Set<Waiter>();
  readonly #closed = new AbortController();
  #looking = false;
  #lookAgain = false;
  #pollMs = FIRST_POLL_MS;
  #poll: { readonly timer: NodeJS.Timeout; readonly at: number } | undefined;

  constructor(find: FindReady) {
    this.#find = find;
  }

  /**
   * Resolves when a job may be there, when `limitMs` have passed, or when the signal ends. `vain` counts how often this
   * claim was woken for nothing: the first wait looks at once, because a job may have come since the claim looked; a
   * later one leaves that to the poll, lest a job that this agent may not have keeps it spinning.
   */
  async wait(want: Want, limitMs: number, signal: AbortSignal, vain: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { ...want, wake: resolve, fail: reject };
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    if (ended.aborted) return;
    const timer = setTimeout(resolve, limitMs);
    // Taken off again below: a joined signal with a listener lives as long as its sources, and one of them is the process's.
    const leave = () => resolve();
    ended.addEventListener('abort', leave, { once: true });
    this.#waiters.add(waiter);
    if (vain === 0) this.#look();
    else this.#pollMs = FIRST_POLL_MS;
    this.#pollWithin(this.#pollMs);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      ended.removeEventListener('abort', leave);
      this.#waiters.delete(waiter);
      if (this.#waiters.size === 0) this.#stopPolling();
    }
  }

  /** A pause that ends early when the caller is gone. */
  async rest(ms: number, signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    await sleep(ms, undefined, { signal: ended }).catch(() => undefined);
  }

  get closed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Work was announced. */
  wake(): void {
    if (this.#waiters.size === 0) return;
    this.#pollMs = FIRST_POLL_MS;
    this.#pollWithin(FIRST_POLL_MS);
    this.#look();
  }

  close(): void {
    this.#closed.abort();
    this.#stopPolling();
  }

  // A poll that is to come sooner stays, so that a stream of new waiters does not put it off for ever.
  #pollWithin(ms: number): void {
    const at = performance.now() + ms;
    if (this.closed || (this.#poll !== undefined && this.#poll.at <= at)) return;
    this.#stopPolling();
    const timer = setTimeout(() => {
      this.#poll = undefined;
      if (this.#waiters.size === 0) return;
      this.#pollMs = Math.min(LONGEST_POLL_MS, this.#pollMs * 2);
      this.#pollWithin(this.#pollMs);
      this.#look();
    }, ms);
    this.#poll = { timer, at };
  }

  #stopPolling(): void {
    clearTimeout(this.#poll?.timer);
    this.#poll = undefined;
  }

  #look(): void {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    void this.#lookNow();
  }

  async #lookNow(): Promise<void> {
    this.#looking = true;
    do {
      this.#lookAgain = false;
      const waiters = [...this.#waiters];
      const queues = new Set(waiters.flatMap((waiter) => waiter.queues));
      // More than all of them want need not be counted, however long the backlog behind a full channel is.
      const most = waiters.reduce((sum, { limit }) => sum + limit, 0);
      if (queues.size === 0) break;
      try {
        const { lanes, inMs } = await this.#find([...queues], most);
        this.#wakeFor(lanes);
        if (inMs !== undefined && this.#waiters.size > 0) this.#pollWithin(Math.ceil(inMs) + 1);
      } catch (error) {
        // While the database is away or overloaded claims go on waiting, and the next poll looks again.
        if (!isAppError(error) || !error.retryable) for (const waiter of this.#waiters) waiter.fail(error);
      }
    } while (this.#lookAgain);
    this.#looking = false;
  }

  #wakeFor(ready: readonly ReadyLane[]): void {
    const lanes = ready.map((lane) => ({ ...lane, left: lane.jobs }));
    for (const waiter of this.#waiters) {
      const lane = lanes.find(
        ({ queue, tenant_id, left }) =>
          left > 0 && waiter.queues.includes(queue) && (waiter.tenantId ?? tenant_id) === tenant_id,
      );
      if (lane === undefined) continue;
      lane.left -= waiter.limit;
      this.#waiters.delete(waiter);
      waiter.wake();
    }
  }
}
