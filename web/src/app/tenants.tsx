// Whose things a page shows, as a choice; and whether the operator may change something of a tenant.
import { useQuery } from '@tanstack/react-query';
import { meQuery, tenantsQuery } from '../api/queries.ts';
import { words } from '../ui/words.ts';

/** Only who sees the whole fleet has a choice. */
export function TenantFilter({
  tenant,
  onChange,
}: {
  tenant: string | undefined;
  onChange: (tenant: string | undefined) => void;
}) {
  const names = useTenantNames();
  if (names === undefined) return null;
  const shown = tenant === undefined || names.includes(tenant) ? names : [...names, tenant];
  return (
    <select
      aria-label={words.tenant}
      value={tenant ?? ''}
      onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.value)}
      className="h-7 max-w-48 min-w-0 rounded-control border border-control bg-panel px-1.5 phone:h-11"
    >
      <option value="">{words.allTenants}</option>
      {shown.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Undefined for who acts for one tenant only. */
export function useTenantNames(): readonly string[] | undefined {
  const me = useQuery(meQuery).data;
  const isFleet = me?.tenant === 'fleet';
  const tenants = useQuery({ ...tenantsQuery, enabled: isFleet }).data?.items ?? [];
  if (!isFleet) return undefined;
  return tenants.map((one) => one.tenant).filter((name) => name !== 'fleet');
}

/** Whether channels, schedules and pauses of a tenant can be changed from here. */
export function useMayWrite(): (tenant: string) => boolean {
  const me = useQuery(meQuery).data;
  const mayWrite = me?.abilities.includes('work:write') ?? false;
  return (tenant) => mayWrite && (me?.tenant === 'fleet' || me?.tenant === tenant);
}
