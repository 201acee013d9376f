// Upkeep of plain SQL, by every engine: what was removed is dropped, who holds the database up is ended, and who follows
// the log hears of what was appended.
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import { type Database, fleetScope } from '../../platform/db/database.ts';
import { announce } from '../../platform/signals.ts';
import type { Log } from '../log/index.ts';
import { accessEvents } from './events.ts';
import * as store from './sql-role-store.ts';

export interface SqlSessionsOptions {
  readonly db: Database;
  readonly log: Log;
  readonly wakeups: Wakeups;
}

/** Twice the statement limit of such a role, which it may lift itself. */
const LONGEST_TRANSACTION_SECONDS = 60;

export class SqlSessions {
  readonly #options: SqlSessionsOptions;
  #hasRoles = false;
  #horizon = 0;

  constructor(options: SqlSessionsOptions) {
    this.#options = options;
  }

  /** Drops what was removed and ends sessions whose transaction is older than `longestSeconds` or locks what it may not. */
  async tidy(call: Call, longestSeconds = LONGEST_TRANSACTION_SECONDS): Promise<void> {
    const { db, log } = this.#options;
    for (const name of await store.findRemoved(db)) await store.dropDatabaseRole(db, name);
    const holders = new Map((await store.findHolders(db)).map((holder) => [holder.role_name, holder]));
    this.#hasRoles = holders.size > 0;
    if (!this.#hasRoles) return;
    for (const session of await store.findOverdue(db, [...holders.keys()], longestSeconds)) {
      await store.endSession(db, session);
      const { agent, tenant_id: tenantId } = holders.get(session.role)!;
      const payload = { agent, role: session.role, reason: REASONS[session.reason] };
      await db.write(fleetScope, (tx) =>
        log.append(tx, call, [
          accessEvents.make('sql_session.ended', payload, { subject: `agent:${agent}`, tenantId }),
        ]),
      );
    }
  }

  /**
   * Plain SQL cannot say after its commit that there is something new, and a NOTIFY within it would slow every writer
   * down. So while there are such roles, the end of the readable log is looked at often, and readers are woken when it
   * has moved.
   */
  async wakeReaders(): Promise<void> {
    if (!this.#hasRoles) return;
    const { db, wakeups } = this.#options;
    const horizon = await store.readableUpTo(db);
    if (horizon === this.#horizon) return;
    this.#horizon = horizon;
    wakeups.notify('log');
    announce('access.sql_woken', horizon);
  }
}

const REASONS = {
  transaction: 'its transaction lasted too long',
  lock: 'it held a lock that no statement of its own takes',
} as const;
