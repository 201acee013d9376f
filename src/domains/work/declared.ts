// Makes channels and schedules what a file says, in one transaction with their events. What a file declares, the file
// decides; what it does not name and did not declare is left alone.
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { FLEET_SLUG, FLEET_TENANT, type TenantDirectory } from '../../platform/tenants.ts';
import * as channelStore from './channels/channel-store.ts';
import type { Channels } from './channels/channels.ts';
import type { DeclaredWork } from './manifest.ts';
import { declaredSchedules } from './schedules/schedule-store.ts';
import type { Schedules } from './schedules/schedules.ts';

export interface DeclaringParts {
  readonly tenants: TenantDirectory;
  readonly channels: Channels;
  readonly schedules: Schedules;
}

/** Throws `access.tenant_not_found` and what the operations that set channels and schedules refuse. */
export async function applyWork(
  { tenants, channels, schedules }: DeclaringParts,
  call: Call,
  declared: DeclaredWork,
  declarer: string,
): Promise<void> {
  const tenantId = async (slug: string) => (slug === FLEET_SLUG ? FLEET_TENANT : tenants.getId(call, slug));
  const wantedChannels = await withTenants(declared.channels, tenantId);
  const wantedSchedules = await withTenants(declared.schedules, tenantId);
  await call.write(async (tx) => {
    // Two starts with the same file meet here, the second finds nothing left to do.
    await tx.query("SELECT pg_advisory_xact_lock(hashtext('work.apply'))");
    for (const [name, id, { tenant, ...allows }] of wantedChannels) {
      await channels.put(tx, call, { name, home: { tenantId: id, slug: tenant }, declaredBy: declarer }, allows);
    }
    for (const row of await channelStore.declaredChannels(tx, declarer)) {
      if (!isNamed(wantedChannels, row)) await letGo(tx, call, channels, row);
    }
    for (const [name, id, { tenant: _, ...given }] of wantedSchedules) {
      await schedules.put(tx, call, { tenantId: id, name, declaredBy: declarer }, given);
    }
    for (const row of await declaredSchedules(tx, declarer)) {
      if (!isNamed(wantedSchedules, row)) await schedules.drop(tx, call, row);
    }
  });
}

// A channel that jobs still wait for stays, as one that was made by hand.
async function letGo(tx: Tx, call: Call, channels: Channels, row: channelStore.ChannelRow): Promise<void> {
  if (await channelStore.isInUse(tx, row.id)) await channelStore.setDeclarer(tx, row.id, null);
  else await channels.drop(tx, call, row);
}

type Placed<T> = readonly [name: string, tenantId: string, declared: T];

function withTenants<T extends { readonly tenant: string }>(
  section: Readonly<Record<string, T>>,
  tenantId: (slug: string) => Promise<string>,
): Promise<Placed<T>[]> {
  return Promise.all(
    Object.entries(section).map(async ([name, one]) => [name, await tenantId(one.tenant), one] as const),
  );
}

function isNamed(
  wanted: readonly Placed<unknown>[],
  row: { readonly name: string; readonly tenant_id: string },
): boolean {
  return wanted.some(([name, tenantId]) => name === row.name && tenantId === row.tenant_id);
}
