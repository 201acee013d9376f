// One transaction in which all our tables belong to us alone: nobody writes, and the owner sees every row. Row policies bind
// the owner too (FORCE ROW LEVEL SECURITY), so for as long as the transaction lasts they do not; a rollback, also that of
// a killed process, leaves everything as it was. No superuser is needed.
import type pg from 'pg';
import { type CatalogTable, readTables } from './catalog.ts';

/** The tables cannot be had, or not be copied; the message says which and why. Nothing was changed. */
export class CopyRefused extends Error {
  override readonly name = 'CopyRefused';
  readonly code: 'tables_busy' | 'tables_differ' | 'rows_differ';
  constructor(code: CopyRefused['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface HeldTables {
  readonly tables: readonly CatalogTable[];
  /** Puts the row policies back as they were; before a commit. */
  restorePolicies(): Promise<void>;
}

// Values as text must look the same on both sides; with row_security off a statement that a policy would cut fails.
const SETTINGS = {
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  row_security: 'off',
  search_path: 'pg_catalog',
  client_encoding: 'UTF8',
  timezone: 'UTC',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  // A server of the operator's may have it off; what is decided here must be on disk.
  synchronous_commit: 'on',
};

const LOCK_WAIT_MS = 30_000;

/** Begins a transaction and takes all tables of these schemas. Throws CopyRefused when others do not let go of them. */
export async function holdTables(
  client: pg.ClientBase,
  schemas: readonly string[],
  lockWaitMs: number = LOCK_WAIT_MS,
): Promise<HeldTables> {
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE');
  for (const [name, value] of Object.entries(SETTINGS)) {
    await client.query('SELECT set_config($1, $2, true)', [name, value]);
  }
  await client.query(`SELECT set_config('lock_timeout', $1, true)`, [String(lockWaitMs)]);
  // Only 17 and newer have it.
  await client.query(`SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout'`);
  await lock(client, await readTables(client, schemas));
  // Partitions may have been made until then; nobody makes one now.
  const tables = await readTables(client, schemas);
  await lock(client, tables);
  const forced = tables.filter((table) => table.forced);
  for (const { name } of forced) await client.query(`ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY`);
  return {
    tables,
    async restorePolicies() {
      for (const { name } of forced) await client.query(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
    },
  };
}

async function lock(client: pg.ClientBase, tables: readonly CatalogTable[]): Promise<void> {
  if (tables.length === 0) return;
  try {
    await client.query(`LOCK TABLE ${tables.map(({ name }) => name).join(', ')} IN ACCESS EXCLUSIVE MODE`);
  } catch (cause) {
    if ((cause as { code?: string }).code !== '55P03') throw cause;
    throw new CopyRefused(
      'tables_busy',
      'another program has a transaction open on our tables: end it (pg_stat_activity shows it) and try again',
      { cause },
    );
  }
}
