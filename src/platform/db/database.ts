// The one door to PostgreSQL: transactions under a scope, pipelined, with the errors translated. What a transaction may
// see is decided here by the database role and the tenant that it sets, never by the statements themselves.
import { createHash } from 'node:crypto';
import pg from 'pg';
import { platformErrors } from '../platform-errors.ts';
import { announce } from '../signals.ts';
import { Availability } from './availability.ts';
import { isConnectionLoss, isTransient, translate, wasNeverSent } from './database-errors.ts';

/**
 * `tenant`: role qd_app, row policies of that tenant. `fleet`: role qd_system, every tenant. `owner`: the role that
 * connected; only migrations and upkeep of partitions.
 */
export type Scope =
  | { readonly kind: 'tenant'; readonly tenantId: string }
  | { readonly kind: 'fleet' }
  | { readonly kind: 'owner' };

export const fleetScope: Scope = { kind: 'fleet' };
export const ownerScope: Scope = { kind: 'owner' };

export interface Tx {
  /** Runs one statement; values go as parameters only. */
  query<R>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /**
   * Runs at the end of the transaction, as its last part: for what must be locked after all else. What it throws fails
   * the transaction. It may ask for more of the same.
   */
  beforeCommit(action: () => Promise<void>): void;
  /** Runs after the commit has been confirmed, never when the transaction fails. */
  afterCommit(action: () => void): void;
}

export interface DatabaseOptions {
  readonly url: string;
  /** Connections of this process; all roles together keep to about 25. */
  readonly connections: number;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  /** A statement that takes longer is ended, by the server and here. */
  readonly statementLimitMs?: number;
  /** Told of each transaction that came to its end: what it was, and its time with the wait for a connection. */
  readonly ended?: (transaction: EndedTransaction) => void;
}

export interface EndedTransaction {
  readonly kind: 'read' | 'write';
  /** On the clock of performance.now. */
  readonly begunAt: number;
  readonly failed: boolean;
}

/** Connections of this process. */
export interface PoolUse {
  readonly used: number;
  readonly idle: number;
  /** Transactions that wait for one. */
  readonly waiting: number;
  readonly most: number;
}

// Said each time: reading the log without gaps needs a new snapshot for each statement, whatever the server's default.
const BEGIN_READ = 'BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY';
const BEGIN_WRITE = 'BEGIN ISOLATION LEVEL READ COMMITTED';

const CONNECT_LIMIT_MS = 2_000;
const STATEMENT_LIMIT_MS = 10_000;
const TRANSIENT_TRIES = 4;

// PostgreSQL's bigint arrives as text; ours stay far below 2^53 (a sequence at 10^6 a second reaches it in 285 years).
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export class Database {
  readonly availability: Availability;
  readonly #pool: pg.Pool;
  readonly #ended: DatabaseOptions['ended'];

  constructor(options: DatabaseOptions) {
    this.#ended = options.ended;
    const limit = options.statementLimitMs ?? STATEMENT_LIMIT_MS;
    this.#pool = new pg.Pool({
      connectionString: options.url,
      max: options.connections,
      application_name: `quarterdeck ${options.name}`,
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      query_timeout: limit + 2_000,
      statement_timeout: limit,
      lock_timeout: Math.min(limit, 5_000),
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
      idleTimeoutMillis: 30_000,
      pipeline: true,
    });
    // An idle connection that ends must not end the process; the next use opens another.
    this.#pool.on('error', () => announce('database.connection_lost'));
    this.#pool.on('connect', (client) => client.on('error', () => announce('database.connection_lost')));
    this.availability = new Availability(options.url);
  }

  get pool(): PoolUse {
    const { totalCount, idleCount, waitingCount, options } = this.#pool;
    return { used: totalCount - idleCount, idle: idleCount, waiting: waitingCount, most: options.max };
  }

  /** Statements that only read, in one transaction and one snapshot a statement. */
  async read<T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#run(scope, work, BEGIN_READ);
  }

  /** A change. Repeated here on deadlock or serialization failure, so `work` must have no effect outside the database. */
  async write<T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#run(scope, work, BEGIN_WRITE);
  }

  /**
   * A change of one statement: BEGIN, scope, statement and COMMIT leave together, one round trip in all. Only for one: of
   * several, the driver may refuse one by itself, and a COMMIT that is on its way would keep the others.
   */
  async writeOne<R>(scope: Scope, text: string, values: readonly unknown[]): Promise<R[]> {
    return this.#run(scope, (tx) => tx.query<R>(text, values), BEGIN_WRITE, true);
  }

  /** A statement that needs or bears no transaction of ours, as owner. The text must hold nothing from outside. */
  async outsideTransaction(text: string): Promise<void> {
    this.availability.check();
    try {
      await this.#pool.query(text);
    } catch (error) {
      throw translate(error);
    }
  }

  async close(): Promise<void> {
    this.availability.stop();
    await this.#pool.end();
  }

  async #run<T>(scope: Scope, work: (tx: Tx) => Promise<T>, begin: string, isOne = false): Promise<T> {
    const begunAt = performance.now();
    let failed = true;
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          const result = await this.#transaction(scope, work, begin, isOne);
          failed = false;
          return result;
        } catch (error) {
          if (attempt < TRANSIENT_TRIES && isTransient(error)) continue;
          throw translate(error);
        }
      }
    } finally {
      this.#ended?.({ kind: begin === BEGIN_READ ? 'read' : 'write', begunAt, failed });
    }
  }

  async #transaction<T>(scope: Scope, work: (tx: Tx) => Promise<T>, begin: string, isOne: boolean): Promise<T> {
    this.availability.check();
    const client = await this.#pool.connect();
    const away = this.availability.whenAway();
    const actions: (() => void)[] = [];
    const last: (() => Promise<void>)[] = [];
    let isOver = false;
    let isCommitting = false;
    let end: 'committed' | 'failed' | 'lost' = 'failed';
    try {
      // BEGIN, the scope and the first statement of `work` leave in one round trip; a failure of the first two is
      // thrown in place of the "transaction is aborted" that the statements answer then.
      const opening = open(client, scope, begin);
      const tx: Tx = {
        query: async <R>(text: string, values: readonly unknown[] = []) => {
          // `work` cannot be stopped where it is, and by now the connection may carry a transaction of another tenant.
          if (isOver) throw new Error('the transaction is over: a statement came after its end');
          return (await client.query(statement(text, values))).rows as R[];
        },
        beforeCommit: (action) => last.push(action),
        afterCommit: (action) => actions.push(action),
      };
      const withEnd = async () => {
        const result = await work(tx);
        for (let action = last.shift(); action !== undefined; action = last.shift()) await action();
        return result;
      };
      const working = withEnd().catch(async (error: unknown) => {
        await opening;
        throw error;
      });
      isCommitting = isOne;
      const committing = isOne ? client.query('COMMIT') : undefined;
      // Awaited below; until then a failure of the statement comes first.
      committing?.catch(() => undefined);
      const result = await Promise.race([away.promise, working]);
      await Promise.race([away.promise, opening]);
      isCommitting = begin === BEGIN_WRITE;
      const answer = await Promise.race([away.promise, committing ?? client.query('COMMIT')]);
      // After a failed statement COMMIT "succeeds" as ROLLBACK.
      if (answer.command !== 'COMMIT') throw new Error('the transaction was rolled back: a statement in it had failed');
      end = 'committed';
      for (const action of actions) action();
      return result;
    } catch (error) {
      if (isConnectionLoss(error) || endsServer(error)) end = 'lost';
      if (isCommitting && end === 'lost' && !wasNeverSent(error)) throw platformErrors.outcome_unknown({}, error);
      throw error;
    } finally {
      isOver = true;
      away.dispose();
      if (end === 'committed') client.release();
      // Whoever asked is told at once when the server is gone, instead of after the limit of a ROLLBACK.
      else if (end === 'lost') void rollBack(client);
      else await rollBack(client);
    }
  }
}

function open(client: pg.PoolClient, scope: Scope, begin: string): Promise<unknown> {
  const sent: Promise<unknown>[] = [client.query(begin)];
  if (scope.kind !== 'owner') {
    const role = scope.kind === 'tenant' ? 'qd_app' : 'qd_system';
    const tenant = scope.kind === 'tenant' ? scope.tenantId : '';
    sent.push(
      client.query(statement("SELECT set_config('role', $1, true), set_config('qd.tenant', $2, true)", [role, tenant])),
    );
  }
  const opening = Promise.all(sent);
  // Whoever awaits it sees the failure. When nobody does, because `work` or the database failed first, it is no bug.
  opening.catch(() => undefined);
  return opening;
}

// Only an ERROR of the server says for sure that nothing was committed: a PANIC may come after the commit was written.
function endsServer(error: unknown): boolean {
  const { severity } = error as { severity?: string };
  return severity === 'FATAL' || severity === 'PANIC';
}

// A connection whose transaction failed is reused only after a confirmed ROLLBACK; otherwise it is closed.
async function rollBack(client: pg.PoolClient): Promise<void> {
  try {
    await Promise.race([
      client.query('ROLLBACK'),
      new Promise((_, reject) => setTimeout(() => reject(new Error('no answer to ROLLBACK')), 500).unref()),
    ]);
    client.release();
  } catch {
    client.release(true);
  }
}

function statement(text: string, values: readonly unknown[]): pg.QueryConfig {
  return { name: nameOf(text), text, values: values as unknown[] };
}

const names = new Map<string, string>();

// Prepared once per connection. The name is a hash, so that two texts never share one.
function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `q_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    names.set(text, name);
  }
  return name;
}
