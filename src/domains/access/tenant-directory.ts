// Names and ids of tenants, remembered for good: a tenant is never renamed.
import type { Call } from '../../platform/call.ts';
import { type Database, fleetScope } from '../../platform/db/database.ts';
import type { TenantDirectory } from '../../platform/tenants.ts';
import { accessErrors } from './errors.ts';
import { findTenants } from './tenant-store.ts';

export function tenantDirectory(db: Database): TenantDirectory {
  const slugById = new Map<string, string>();
  const idBySlug = new Map<string, string>();
  const remember = (rows: readonly { id: string; slug: string }[]) => {
    for (const row of rows) {
      slugById.set(row.id, row.slug);
      idBySlug.set(row.slug, row.id);
    }
  };
  return {
    async getId(call: Call, slug: string): Promise<string> {
      if (!idBySlug.has(slug)) remember(await db.read(fleetScope, (tx) => findTenants(tx, { slug })));
      const id = idBySlug.get(slug);
      // A tenant's credential may name itself only; others look to it as if they did not exist.
      const hidden = call.scope.kind === 'tenant' && call.scope.tenantId !== id;
      if (id === undefined || hidden) throw accessErrors.tenant_not_found({ tenant: slug });
      return id;
    },
    async slugs(ids: Iterable<string>): Promise<ReadonlyMap<string, string>> {
      const missing = [...new Set(ids)].filter((id) => !slugById.has(id));
      if (missing.length > 0) remember(await db.read(fleetScope, (tx) => findTenants(tx, { ids: missing })));
      return slugById;
    },
  };
}
