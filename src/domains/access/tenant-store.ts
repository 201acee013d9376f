// SQL of tenants.
import type { Tx } from '../../platform/db/database.ts';

export interface TenantRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly created_at: Date;
}

export async function findTenants(tx: Tx, filter: { slug?: string; ids?: readonly string[] }): Promise<TenantRow[]> {
  return tx.query<TenantRow>(
    `SELECT id, slug, name, created_at FROM access.tenants
     WHERE ($1::text IS NULL OR slug = $1) AND ($2::uuid[] IS NULL OR id = ANY ($2))`,
    [filter.slug ?? null, filter.ids ?? null],
  );
}

export async function listTenants(tx: Tx, after: string | undefined, limit: number): Promise<TenantRow[]> {
  return tx.query<TenantRow>(
    `SELECT id, slug, name, created_at FROM access.tenants WHERE slug > $1 ORDER BY slug LIMIT $2`,
    [after ?? '', limit],
  );
}

export async function insertTenant(tx: Tx, tenant: { id: string; slug: string; name: string }): Promise<TenantRow> {
  const [row] = await tx.query<TenantRow>(
    'INSERT INTO access.tenants (id, slug, name) VALUES ($1, $2, $3) RETURNING id, slug, name, created_at',
    [tenant.id, tenant.slug, tenant.name],
  );
  return row!;
}
