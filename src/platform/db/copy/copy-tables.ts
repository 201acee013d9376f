// Copies every row of our schemas from one database into another that has the same schema, and proves it: afterwards
// the number of rows and a hash over all of them are equal for every table, or nothing is kept. Both sides are transactions
// of the caller's, who commits; killed at any moment, neither database has changed.
import type pg from 'pg';
import {
  type CatalogTable,
  type ForeignKey,
  readForeignKeys,
  readSequences,
  readTriggers,
  type Trigger,
} from './catalog.ts';
import { digestTable } from './digest.ts';
import { CopyRefused, type HeldTables, holdTables } from './hold.ts';
import { streamTable } from './stream.ts';

export interface CopyOptions {
  /** A connection of its own, as the owner of the tables, in no transaction and not in pipeline mode. */
  readonly source: pg.ClientBase;
  /** The same, to a database with the same schema. What its tables hold is replaced. */
  readonly target: pg.ClientBase;
  readonly schemas: readonly string[];
  /** How long to wait for others to let go of the tables; half a minute unless stated. */
  readonly lockWaitMs?: number;
  readonly onProgress?: (progress: CopyProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface CopyProgress {
  readonly step: 'copy' | 'verify';
  readonly table: string;
  /** Tables done, of how many. */
  readonly done: number;
  readonly of: number;
  /** Of this table, while it is copied. */
  readonly bytes: number;
}

export interface CopiedTable {
  readonly table: string;
  readonly rows: number;
  /** The same on both sides. */
  readonly sum: string;
}

export interface CopyOutcome {
  readonly tables: readonly CopiedTable[];
  readonly rows: number;
  readonly sequences: number;
  /** The side that was copied from: its policies are to be restored before a commit, a rollback needs nothing. */
  readonly source: HeldTables;
}

/**
 * Begins a transaction on both sides and leaves both open: the target's holds the proven copy, the source's keeps
 * everybody from writing until the caller has decided. Throws CopyRefused, with the tables named. When it rejects, end
 * both connections.
 */
export async function copyTables(options: CopyOptions): Promise<CopyOutcome> {
  const { source, target, schemas, lockWaitMs } = options;
  const from = await holdTables(source, schemas, lockWaitMs);
  const into = await holdTables(target, schemas, lockWaitMs);
  refuseDifferent(from.tables, into.tables);
  await makePartitionsAlike(target, from.tables, into.tables);

  const foreignKeys = await readForeignKeys(target, schemas);
  const triggers = await readTriggers(target, schemas);
  await takeOff(target, foreignKeys, triggers);
  const roots = from.tables.filter(({ parent }) => parent === null);
  if (roots.length > 0) await target.query(`TRUNCATE ${roots.map(({ name }) => name).join(', ')}`);
  const leaves = from.tables.filter(({ isLeaf }) => isLeaf);
  await copyRows(options, leaves);
  const sequences = await copySequences(source, target, schemas);
  await putBack(target, foreignKeys, triggers);
  const tables = await verify(options, leaves);
  await forcePolicies(target, from.tables);
  return { tables, rows: tables.reduce((sum, { rows }) => sum + rows, 0), sequences, source: from };
}

/** A table of the same name must be the same: both sides were made by the same migrations. */
function refuseDifferent(from: readonly CatalogTable[], into: readonly CatalogTable[]): void {
  const roots = (tables: readonly CatalogTable[]) => tables.filter(({ parent }) => parent === null);
  const there = new Map(roots(into).map((table) => [table.name, table]));
  const problems: string[] = [];
  for (const table of roots(from)) {
    const other = there.get(table.name);
    there.delete(table.name);
    if (other === undefined) problems.push(`${table.name} is not Quarterdeck's; move it out of this schema`);
    else if (JSON.stringify([table.columns, table.isLeaf]) !== JSON.stringify([other.columns, other.isLeaf])) {
      problems.push(`${table.name} has other columns here and there`);
    }
  }
  problems.push(...[...there.keys()].map((name) => `${name} is missing in what is copied`));
  if (problems.length > 0) throw new CopyRefused('tables_differ', `the tables differ: ${problems.join('; ')}`);
}

async function makePartitionsAlike(
  target: pg.ClientBase,
  from: readonly CatalogTable[],
  into: readonly CatalogTable[],
): Promise<void> {
  const made = new Map(into.map((table) => [table.name, table]));
  const isSame = (a: CatalogTable, b: CatalogTable | undefined) =>
    b !== undefined && a.parent === b.parent && a.bound === b.bound && a.partitionKey === b.partitionKey;
  const wanted = new Map(from.map((table) => [table.name, table]));
  const unwanted = into.filter((table) => table.parent !== null && !isSame(table, wanted.get(table.name)));
  // With what hangs below it, which then is made anew as well.
  for (const { name } of unwanted) await target.query(`DROP TABLE IF EXISTS ${name}`);
  const gone = new Set(unwanted.map(({ name }) => name));
  for (const table of from) {
    if (table.parent === null || (isSame(table, made.get(table.name)) && !gone.has(table.parent))) continue;
    const divided = table.partitionKey === null ? '' : ` PARTITION BY ${table.partitionKey}`;
    await target.query(`CREATE TABLE ${table.name} PARTITION OF ${table.parent} ${table.bound}${divided}`);
    gone.add(table.name);
    if (table.secured) await target.query(`ALTER TABLE ${table.name} ENABLE ROW LEVEL SECURITY`);
  }
}

// Every row comes anyway: keys between tables are put back, and thereby checked, when all are there, and a trigger must not
// do a second time what it did when the row was written. Dropped and made again, because only a superuser may disable a
// key, and PostgreSQL 15 disables no trigger of a partitioned table.
async function takeOff(
  target: pg.ClientBase,
  keys: readonly ForeignKey[],
  triggers: readonly Trigger[],
): Promise<void> {
  for (const { table, name } of keys) await target.query(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`);
  for (const { table, name } of triggers) await target.query(`DROP TRIGGER ${name} ON ${table}`);
}

async function putBack(
  target: pg.ClientBase,
  keys: readonly ForeignKey[],
  triggers: readonly Trigger[],
): Promise<void> {
  for (const { table, name, definition } of keys) {
    await target.query(`ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`);
  }
  for (const { table, name, definition, always } of triggers) {
    await target.query(definition);
    if (always) await target.query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${name}`);
  }
}

async function copyRows(options: CopyOptions, leaves: readonly CatalogTable[]): Promise<void> {
  const { source, target, signal, onProgress } = options;
  for (const [done, { name, columns }] of leaves.entries()) {
    const list = columns.map((column) => column.name).join(', ');
    const tell = (bytes: number) => onProgress?.({ step: 'copy', table: name, done, of: leaves.length, bytes });
    tell(0);
    await streamTable({
      source,
      out: `COPY ${name} (${list}) TO STDOUT`,
      target,
      in: `COPY ${name} (${list}) FROM STDIN`,
      onBytes: tell,
      signal,
    });
  }
}

async function copySequences(
  source: pg.ClientBase,
  target: pg.ClientBase,
  schemas: readonly string[],
): Promise<number> {
  const names = await readSequences(source, schemas);
  for (const name of names) {
    const state = `SELECT last_value::text AS last, is_called AS called FROM ${name}`;
    const { rows } = await source.query<{ last: string; called: boolean }>(state);
    const { last, called } = rows[0]!;
    await target.query('SELECT setval($1::regclass, $2::bigint, $3)', [name, last, called]);
  }
  return names.length;
}

async function verify(options: CopyOptions, leaves: readonly CatalogTable[]): Promise<CopiedTable[]> {
  const { source, target, signal, onProgress } = options;
  const copied: CopiedTable[] = [];
  const different: string[] = [];
  for (const [done, table] of leaves.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ step: 'verify', table: table.name, done, of: leaves.length, bytes: 0 });
    const [was, is] = await Promise.all([digestTable(source, table), digestTable(target, table)]);
    if (was.rows !== is.rows) different.push(`${table.name} (${was.rows} rows became ${is.rows})`);
    else if (was.sum !== is.sum) different.push(`${table.name} (rows differ)`);
    copied.push({ table: table.name, ...is });
  }
  if (different.length > 0) {
    throw new CopyRefused('rows_differ', `what arrived is not what was sent: ${different.join(', ')}`);
  }
  return copied;
}

// As the source has them, because partitions were made and dropped.
async function forcePolicies(target: pg.ClientBase, from: readonly CatalogTable[]): Promise<void> {
  for (const { name, forced } of from) if (forced) await target.query(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
}
