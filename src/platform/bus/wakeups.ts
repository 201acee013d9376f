// Wake-ups between processes: an empty notification says "look again", never what happened. Losing one costs latency
// only, because every reader polls behind it. NOTIFY inside a writing transaction was measured 7 times slower, so it is
// sent after the commit, at once and then at most every DEBOUNCE_MS.
import pg from 'pg';
import type { Database } from '../db/database.ts';
import { announce } from '../signals.ts';

const DEBOUNCE_MS = 20;
const RECONNECT_MS = 1_000;
const GOODBYE_MS = 500;
const SELF_TEST_MS = 30_000;

/** What readers wait for. */
export type Topic = 'log' | 'work' | 'fleet' | 'console';

export class Wakeups {
  readonly #db: Database;
  readonly #url: string;
  readonly #listeners = new Map<Topic, Set<() => void>>();
  readonly #pending = new Set<Topic>();
  #timer: NodeJS.Timeout | undefined;
  #client: pg.Client | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #selfTest: NodeJS.Timeout | undefined;
  #stopped = true;
  #isListening = false;

  /** `url` must reach the server directly: a pooler in transaction mode delivers no notification. */
  constructor(db: Database, url: string) {
    this.#db = db;
    this.#url = url;
  }

  /** Starts to listen; until then and while disconnected only this process's own wake-ups arrive. */
  start(): void {
    this.#stopped = false;
    void this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#reconnect);
    clearInterval(this.#selfTest);
    // A server that hangs never answers the goodbye.
    const goodbye = this.#client?.end().catch(() => undefined);
    await Promise.race([goodbye, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())]);
  }

  /** False while wake-ups of other processes do not come, and their news are found by polling. */
  get isListening(): boolean {
    return this.#isListening;
  }

  on(topic: Topic, wake: () => void): () => void {
    const set = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, set);
    set.add(wake);
    return () => set.delete(wake);
  }

  /** Wakes this process at once and the others by a debounced notification. Call it after the commit. */
  notify(topic: Topic): void {
    this.#wake(topic);
    this.#pending.add(topic);
    if (this.#timer !== undefined) return;
    void this.#send();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#pending.size > 0 && !this.#stopped) void this.#send();
    }, DEBOUNCE_MS);
  }

  async #send(): Promise<void> {
    const topics = [...this.#pending];
    this.#pending.clear();
    // One statement without a transaction around it: under load this is sent 50 times a second. A lost notification is
    // made good by the readers' polling.
    await this.#db.outsideTransaction(topics.map((topic) => `NOTIFY qd_${topic}`).join('; ')).catch(() => undefined);
  }

  #wake(topic: Topic): void {
    for (const wake of this.#listeners.get(topic) ?? []) wake();
  }

  async #connect(): Promise<void> {
    if (this.#stopped) return;
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'quarterdeck wake-ups',
      connectionTimeoutMillis: 2_000,
      query_timeout: 2_500,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
    });
    this.#client = client;
    client.on('error', () => undefined);
    client.on('end', () => {
      this.#isListening = false;
      this.#connectLater();
    });
    client.on('notification', ({ channel }) => this.#wake(channel.slice('qd_'.length) as Topic));
    try {
      await client.connect();
      await client.query('LISTEN qd_log; LISTEN qd_work; LISTEN qd_fleet; LISTEN qd_console');
      this.#isListening = true;
      announce('wakeups.listening');
      // What was notified while nobody listened never comes: look once.
      for (const topic of this.#listeners.keys()) this.#wake(topic);
      clearInterval(this.#selfTest);
      // A half-open connection says nothing for minutes; a query with a limit finds it.
      this.#selfTest = setInterval(() => void this.#probe(client), SELF_TEST_MS);
    } catch {
      await client.end().catch(() => undefined);
      this.#connectLater();
    }
  }

  async #probe(client: pg.Client): Promise<void> {
    await client.query('SELECT 1').catch(() => client.end().catch(() => undefined));
  }

  #connectLater(): void {
    clearInterval(this.#selfTest);
    if (this.#stopped || this.#reconnect !== undefined) return;
    this.#reconnect = setTimeout(() => {
      this.#reconnect = undefined;
      void this.#connect();
    }, RECONNECT_MS);
  }
}
