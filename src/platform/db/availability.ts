// Knows within two seconds that the database is away, so that requests are refused at once instead of queueing for a
// connection, and that it is back. Off until `start`, so that short-lived users of a Database need no ping.
import pg from 'pg';
import { platformErrors } from '../platform-errors.ts';
import { announce } from '../signals.ts';

const PING_EVERY_MS = 1_000;
const PING_LIMIT_MS = 1_500;

export type AvailabilityChange = { readonly is: 'away' } | { readonly is: 'back'; readonly awayMs: number };

export class Availability {
  readonly #url: string;
  readonly #waiting = new Set<(error: Error) => void>();
  readonly #listeners = new Set<(change: AvailabilityChange) => void>();
  #awaySince: number | undefined;
  #backSince: number | undefined;
  #answersSince: number | undefined;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = true;

  constructor(url: string) {
    this.#url = url;
  }

  /** Milliseconds since 1970 at which the database went away; undefined while it answers. */
  get awaySince(): number | undefined {
    return this.#awaySince;
  }

  /** When the database was last found back after it had been away, on the clock of performance.now. */
  get backSince(): number | undefined {
    return this.#backSince;
  }

  /** Since when this process has found it to answer without a break, on the same clock; undefined unless it watches. */
  get answersSince(): number | undefined {
    return this.#answersSince;
  }

  /** Another process saw an outage, which ends now: who grants a grace after one, grants it here too. */
  noteOutageUntilNow(): void {
    this.#backSince = performance.now();
  }

  onChange(listener: (change: AvailabilityChange) => void): void {
    this.#listeners.add(listener);
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    void this.#turn();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#drop();
  }

  /** Throws `unavailable` while the database is away. */
  check(): void {
    if (this.#awaySince !== undefined) throw platformErrors.unavailable();
  }

  /** A promise that rejects when the database goes away, for transactions in flight; dispose it at their end. */
  whenAway(): { readonly promise: Promise<never>; dispose(): void } {
    let reject: (error: Error) => void = () => undefined;
    const promise = new Promise<never>((_, fail) => {
      reject = fail;
    });
    promise.catch(() => undefined);
    this.#waiting.add(reject);
    return { promise, dispose: () => this.#waiting.delete(reject) };
  }

  async #turn(): Promise<void> {
    const answered = await this.#ping();
    if (this.#stopped) return;
    if (answered) this.#noteAnswer();
    else {
      this.#noteSilence();
      const lost = Object.assign(new Error('the database does not answer'), { code: 'QD_AWAY' });
      for (const reject of this.#waiting) reject(lost);
    }
    this.#timer = setTimeout(() => void this.#turn(), PING_EVERY_MS);
  }

  #noteAnswer(): void {
    this.#answersSince ??= performance.now();
    announce('database.answers');
    if (this.#awaySince === undefined) return;
    const awayMs = Date.now() - this.#awaySince;
    this.#awaySince = undefined;
    this.#backSince = performance.now();
    announce('database.back');
    this.#tell({ is: 'back', awayMs });
  }

  #noteSilence(): void {
    this.#answersSince = undefined;
    if (this.#awaySince !== undefined) return;
    this.#awaySince = Date.now();
    announce('database.away');
    this.#tell({ is: 'away' });
  }

  #tell(change: AvailabilityChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  async #ping(): Promise<boolean> {
    try {
      if (this.#client === undefined) {
        const client = new pg.Client({
          connectionString: this.#url,
          application_name: 'quarterdeck ping',
          connectionTimeoutMillis: PING_LIMIT_MS,
          query_timeout: PING_LIMIT_MS,
        });
        client.on('error', () => this.#drop());
        this.#client = client;
        await client.connect();
      }
      await this.#client.query('SELECT 1');
      return true;
    } catch {
      this.#drop();
      return false;
    }
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    // A server that hangs never answers the goodbye; nobody waits for it.
    client?.end().catch(() => undefined);
  }
}
