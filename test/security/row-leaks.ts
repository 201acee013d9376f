// What the database itself would let one tenant see or write of another's rows, table by table: found by trying, in
// transactions that are rolled back.
import type pg from 'pg';
import { ownSchemas } from './footprint.ts';

export interface TenantTable {
  readonly name: string;
  readonly insertable: readonly string[];
  readonly readable: boolean;
  readonly deletable: boolean;
}

/** Tables with a tenant_id on which a tenant's requests have any right. */
export async function tenantTables(admin: pg.Client): Promise<TenantTable[]> {
  const { rows } = await admin.query<TenantTable>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name,
            has_column_privilege('qd_app', c.oid, 'tenant_id', 'SELECT') AS readable,
            has_table_privilege('qd_app', c.oid, 'DELETE') AS deletable,
            coalesce(array_agg(quote_ident(a.attname) ORDER BY a.attnum)
              FILTER (WHERE has_column_privilege('qd_app', c.oid, a.attnum, 'INSERT')), '{}')::text[] AS insertable
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND ${ownSchemas} AND EXISTS (
       SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
     GROUP BY c.oid, n.nspname, c.relname ORDER BY 1`,
  );
  return rows;
}

/** What tenant `seeker` gets at of the rows of `owner` in one table. Runs inside a transaction of the caller. */
export async function rowLeaks(admin: pg.Client, table: TenantTable, owner: string, seeker: string): Promise<string[]> {
  const { name } = table;
  const { rows: ids } = await admin.query<{ slug: string; id: string }>(
    'SELECT slug, id FROM access.tenants WHERE slug = ANY ($1)',
    [[owner, seeker]],
  );
  const idOf = (slug: string) => ids.find((row) => row.slug === slug)!.id;
  await admin.query('DROP TABLE IF EXISTS pg_temp.planted');
  const planted = await admin.query(
    `CREATE TEMP TABLE planted AS SELECT * FROM ${name} WHERE tenant_id = '${idOf(owner)}' LIMIT 1`,
  );
  if (planted.rowCount === 0) return [`${name} holds no row of ${owner}: nothing is proven`];
  await admin.query('GRANT SELECT ON pg_temp.planted TO qd_app');
  const leaks: string[] = [];
  await admin.query(`SELECT set_config('role', 'qd_app', true), set_config('qd.tenant', $1, true)`, [idOf(seeker)]);
  if (table.readable) {
    const { rows } = await admin.query(`SELECT count(*)::int AS seen FROM ${name} WHERE tenant_id <> $1`, [
      idOf(seeker),
    ]);
    if (rows[0].seen > 0) leaks.push(`${name}: ${seeker} sees ${rows[0].seen} rows of others`);
  }
  if (table.deletable) {
    const { rowCount } = await admin.query(`DELETE FROM ${name} WHERE tenant_id <> $1`, [idOf(seeker)]);
    if (rowCount !== 0) leaks.push(`${name}: ${seeker} deletes ${rowCount} rows of others`);
  }
  if (table.insertable.includes('tenant_id')) {
    const columns = table.insertable.join(', ');
    const refusal = await codeOf(admin, `INSERT INTO ${name} (${columns}) SELECT ${columns} FROM pg_temp.planted`);
    // Anything but the policy's refusal means that the row got past the policy.
    if (refusal !== '42501') leaks.push(`${name}: ${seeker} writes a row of ${owner} (${refusal})`);
  }
  await admin.query(`SELECT set_config('role', 'none', true)`);
  return leaks;
}

async function codeOf(admin: pg.Client, statement: string): Promise<string> {
  await admin.query('SAVEPOINT attempt');
  try {
    await admin.query(statement);
    return 'accepted';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    await admin.query('ROLLBACK TO SAVEPOINT attempt');
  }
}
