// How rooms turn a tenant's name into its id and back without importing the access room, which keeps the tenants.
import type { Call } from './call.ts';

export const FLEET_TENANT = '00000000-0000-0000-0000-000000000000';
export const FLEET_SLUG = 'fleet';
/** The tenant of work that names none. */
export const DEFAULT_SLUG = 'default';

export interface TenantDirectory {
  /** The id of a tenant that the caller may name; throws `access.tenant_not_found`, the same for hidden and missing. */
  getId(call: Call, slug: string): Promise<string>;
  /** Names of these ids. Names never change, so answers are remembered for good. */
  slugs(ids: Iterable<string>): Promise<ReadonlyMap<string, string>>;
}
