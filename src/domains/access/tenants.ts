// The verbs of tenants: list them, make one, and in which one a call makes something.
import type { Call } from '../../platform/call.ts';
import { UniqueViolation } from '../../platform/db/database-errors.ts';
import { newUuid } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import { DEFAULT_SLUG, FLEET_TENANT, type TenantDirectory } from '../../platform/tenants.ts';
import type { Log } from '../log/index.ts';
import { accessErrors } from './errors.ts';
import { accessEvents } from './events.ts';
import type { createTenant, listTenants } from './operations.ts';
import * as store from './tenant-store.ts';

export interface TenantsOptions {
  readonly log: Log;
  readonly directory: TenantDirectory;
}

export class Tenants {
  readonly #options: TenantsOptions;

  constructor(options: TenantsOptions) {
    this.#options = options;
  }

  async list(call: Call, input: ParsedInput<typeof listTenants>): Promise<OutputOf<typeof listTenants>> {
    const as_of = await this.#options.log.asOf(call);
    const rows = await call.read((tx) => store.listTenants(tx, input.after, input.limit));
    return {
      items: rows.filter((row) => row.id !== FLEET_TENANT).map(tenantItem),
      next_cursor: rows.length === input.limit ? rows.at(-1)!.slug : null,
      as_of,
    };
  }

  /** Throws `access.fleet_only`, `access.tenant_exists`. */
  async create(call: Call, input: ParsedInput<typeof createTenant>): Promise<OutputOf<typeof createTenant>> {
    if (call.scope.kind !== 'fleet') throw accessErrors.fleet_only();
    const name = input.name ?? input.tenant;
    try {
      return await call.write(async (tx) => {
        const row = await store.insertTenant(tx, { id: newUuid(), slug: input.tenant, name });
        await this.#options.log.append(tx, call, [
          accessEvents.make(
            'tenant.created',
            { tenant: row.slug, name },
            { subject: `tenant:${row.slug}`, tenantId: row.id },
          ),
        ]);
        return tenantItem(row);
      });
    } catch (error) {
      if (error instanceof UniqueViolation) throw accessErrors.tenant_exists({ tenant: input.tenant });
      throw error;
    }
  }

  /** The tenant in which a call makes something: the one it names, else its own; work of the fleet goes to `default`. */
  async home(call: Call, slug: string | undefined, fleetDefault: 'fleet' | 'default'): Promise<string> {
    if (slug !== undefined) return this.#options.directory.getId(call, slug);
    if (call.scope.kind === 'tenant') return call.scope.tenantId;
    return fleetDefault === 'fleet' ? FLEET_TENANT : this.#options.directory.getId(call, DEFAULT_SLUG);
  }
}

function tenantItem(row: store.TenantRow): OutputOf<typeof createTenant> {
  return { tenant: row.slug, name: row.name, created_at: row.created_at.toISOString() };
}
