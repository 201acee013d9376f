// What a job costs the server from when it is added to when it has ended: bytes of WAL, statements, transactions.
// Measured on a server with pg_stat_statements, which the timed rounds do without.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Installation } from '../installation.ts';
import type { Contender, Drain } from './contender.ts';
import { drainAll, enqueueMany } from './measures.ts';

export const COSTS_SETTINGS = { shared_preload_libraries: 'pg_stat_statements' };
// Sessions tell their transactions at most once a second.
const SESSIONS_TELL_MS = 1_500;

export interface Costs {
  readonly walBytes: number;
  readonly statements: number;
  readonly transactions: number;
}

export async function openCosts(installation: Installation) {
  const admin = new pg.Client({ connectionString: installation.adminUrl });
  await admin.connect();
  await admin.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  const read = async (database: string) => {
    const { rows } = await admin.query(
      `SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS wal, d.xact_commit AS transactions,
         (SELECT sum(s.calls) FROM pg_stat_statements s WHERE s.dbid = d.datid) AS statements
       FROM pg_stat_database d WHERE d.datname = $1`,
      [database],
    );
    return {
      wal: Number(rows[0].wal),
      transactions: Number(rows[0].transactions),
      statements: Number(rows[0].statements),
    };
  };
  return {
    /** Per job; what the program does besides in that time is in it. */
    async measure(contender: Contender, database: string, drain: Drain, count: number): Promise<Costs> {
      await sleep(SESSIONS_TELL_MS);
      const before = await read(database);
      await enqueueMany(contender, count);
      await drainAll(contender, drain, count);
      // WAL at once: what is written while the sessions tell is not the jobs'.
      const { wal } = await read(database);
      await sleep(SESSIONS_TELL_MS);
      const after = await read(database);
      return {
        walBytes: (wal - before.wal) / count,
        statements: (after.statements - before.statements) / count,
        transactions: (after.transactions - before.transactions) / count,
      };
    },
    close: () => admin.end(),
  };
}
