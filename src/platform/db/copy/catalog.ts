// What is there to be copied: tables with their columns, partitions, foreign keys, triggers and sequences, as the
// catalogue of a database has them. Names come quoted, ready for a statement.
import type pg from 'pg';

export interface CatalogTable {
  /** `log.event_log`, quoted where it must be. */
  readonly name: string;
  /** Holds rows itself; a partitioned one has them in its partitions. */
  readonly isLeaf: boolean;
  /** The table that this one is a partition of. */
  readonly parent: string | null;
  /** `FOR VALUES FROM (…) TO (…)` */
  readonly bound: string | null;
  /** `RANGE (seq)`, for one that is partitioned itself. */
  readonly partitionKey: string | null;
  readonly secured: boolean;
  readonly forced: boolean;
  /** Those that hold something of their own, by name. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly bytes: number;
}

export interface ForeignKey {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
}

export interface Trigger {
  readonly table: string;
  readonly name: string;
  /** The whole statement that makes it. */
  readonly definition: string;
  /** Fires also under session_replication_role = replica. */
  readonly always: boolean;
}

/** The tables of these schemas, parents before their partitions. */
export async function readTables(client: pg.ClientBase, schemas: readonly string[]): Promise<CatalogTable[]> {
  const { rows } = await client.query<CatalogTable & { bytes: string | number }>(
    `WITH RECURSIVE found AS (
       SELECT c.oid, 0 AS depth FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       UNION ALL
       SELECT i.inhrelid, f.depth + 1 FROM found f JOIN pg_inherits i ON i.inhparent = f.oid
       JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relispartition
     )
     SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind = 'r' AS "isLeaf",
       (SELECT format('%I.%I', pn.nspname, p.relname) FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
        JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid AND c.relispartition) AS parent,
       pg_get_expr(c.relpartbound, c.oid) AS bound, pg_get_partkeydef(c.oid) AS "partitionKey",
       c.relrowsecurity AS secured, c.relforcerowsecurity AS forced,
       coalesce((SELECT json_agg(json_build_object('name', quote_ident(a.attname),
           'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attname)
         FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), '[]') AS columns,
       pg_total_relation_size(c.oid) AS bytes
     FROM found f JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace n ON n.oid = c.relnamespace
     ORDER BY f.depth, n.nspname, c.relname`,
    [schemas],
  );
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}

/** Those of tables themselves, not what partitions have of their parents. */
export async function readForeignKeys(client: pg.ClientBase, schemas: readonly string[]): Promise<ForeignKey[]> {
  const { rows } = await client.query<ForeignKey>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS table, quote_ident(k.conname) AS name,
       pg_get_constraintdef(k.oid) AS definition
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname = ANY ($1)
     ORDER BY 1, 2`,
    [schemas],
  );
  return rows;
}

/** Those of tables that fire; a partition's own copies go along with its parent's. */
export async function readTriggers(client: pg.ClientBase, schemas: readonly string[]): Promise<Trigger[]> {
  const { rows } = await client.query<Trigger>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS table, quote_ident(t.tgname) AS name,
       pg_get_triggerdef(t.oid) AS definition, t.tgenabled = 'A' AS always
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled IN ('O', 'A') AND c.relkind IN ('r', 'p') AND n.nspname = ANY ($1)
     ORDER BY 1, 2`,
    [schemas],
  );
  return rows;
}

export async function readSequences(client: pg.ClientBase, schemas: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'S' AND n.nspname = ANY ($1) ORDER BY 1`,
    [schemas],
  );
  return rows.map(({ name }) => name);
}
