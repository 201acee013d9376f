// The verbs of channels, of pauses of whole tenants, and of their shares.
import { isDeepStrictEqual } from 'node:util';
import type { Wakeups } from '../../../platform/bus/wakeups.ts';
import type { Call } from '../../../platform/call.ts';
import { type Database, fleetScope, type Tx } from '../../../platform/db/database.ts';
import type { NewEvent } from '../../../platform/event-table.ts';
import type { OutputOf, ParsedInput } from '../../../platform/operation.ts';
import { platformErrors } from '../../../platform/platform-errors.ts';
import { FLEET_SLUG, FLEET_TENANT, type TenantDirectory } from '../../../platform/tenants.ts';
import { type Access, accessErrors } from '../../access/index.ts';
import type { Log } from '../../log/index.ts';
import { workErrors } from '../errors.ts';
import { workEvents } from '../events.ts';
import type {
  ChannelItem,
  listChannels,
  pauseChannel,
  pauseWork,
  removeChannel,
  resumeWork,
  setChannel,
  setShare,
} from './channel-operations.ts';
import * as store from './channel-store.ts';

export interface ChannelsOptions {
  readonly db: Database;
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly access: Access;
  readonly tenants: TenantDirectory;
}

/** Whose channel or pause it is. */
export interface Home {
  readonly tenantId: string;
  readonly slug: string;
}

interface Address {
  readonly channel: string;
  readonly tenant?: string | undefined;
}

export class Channels {
  readonly #options: ChannelsOptions;

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  async set(call: Call, input: ParsedInput<typeof setChannel>): Promise<OutputOf<typeof setChannel>> {
    const home = await this.#home(call, input.tenant);
    const { channel: name, tenant: _, ...allows } = input;
    await call.write(async (tx) => {
      refuseDeclared(await store.lockChannel(tx, name, home.tenantId));
      await this.put(tx, call, { name, home, declaredBy: null }, allows);
    });
    return this.#item(call, name, [home.tenantId]);
  }

  /** Makes or changes a channel; what is so already is left alone. Throws `work.window_twice`, `work.limit_below_cost`. */
  async put(
    tx: Tx,
    call: Call,
    { name, home, declaredBy }: { name: string; home: Home; declaredBy: string | null },
    allows: Pick<ParsedInput<typeof setChannel>, 'concurrency' | 'limits'>,
  ): Promise<void> {
    refuseWindowTwice(allows.limits ?? []);
    const made = await store.ensureChannel(tx, name, home.tenantId);
    const row = (await store.lockChannel(tx, name, home.tenantId))!;
    // 0 stands for any number. What a file does not name, it does not limit.
    const kept = declaredBy === null ? row : { concurrency: null, limits: [] };
    const concurrency = allows.concurrency === undefined ? kept.concurrency : allows.concurrency || null;
    const limits = [...(allows.limits ?? kept.limits)];
    const smallest = Math.min(...limits.map(({ limit }) => limit));
    // Such a job could never start, and would stop all behind it.
    if ((await store.largestCost(tx, row.id)) > smallest) throw workErrors.limit_below_cost({ limit: smallest });
    if (row.declared_by !== declaredBy) await store.setDeclarer(tx, row.id, declaredBy);
    if (!made && concurrency === row.concurrency && isDeepStrictEqual(limits, row.limits)) return;
    await store.updateLimits(tx, row.id, concurrency, limits);
    await this.#tell(tx, call, workEvents.make('channel.set', { channel: name, concurrency, limits }), home);
    tx.afterCommit(() => this.#options.wakeups.notify('work'));
  }

  async list(call: Call, input: ParsedInput<typeof listChannels>): Promise<OutputOf<typeof listChannels>> {
    const { tenants, log } = this.#options;
    const tenantIds = input.tenant === undefined ? undefined : [await tenants.getId(call, input.tenant)];
    const after = input.after === undefined ? undefined : Number(input.after);
    if (after !== undefined && !Number.isSafeInteger(after)) {
      throw platformErrors.invalid_input({
        problem: '`after` is not what an earlier answer gave',
        errors: [{ field: 'after', message: 'give next_cursor of the page before' }],
      });
    }
    const as_of = await log.asOf(call);
    const rows = await call.read((tx) => store.listChannels(tx, { after, tenantIds, limit: input.limit }));
    return {
      items: await this.#items(call, rows),
      next_cursor: rows.length === input.limit ? String(rows.at(-1)!.id) : null,
      as_of,
    };
  }

  /** Throws `work.channel_not_found`. */
  async show(call: Call, address: Address): Promise<ChannelItem> {
    const { tenantId } = await this.#home(call, address.tenant);
    // A tenant may look at the fleet's channels, since its jobs may use them.
    return this.#item(call, address.channel, address.tenant === undefined ? [tenantId, FLEET_TENANT] : [tenantId]);
  }

  /** Throws `work.channel_not_found`, `work.channel_in_use`. */
  async remove(call: Call, address: Address): Promise<OutputOf<typeof removeChannel>> {
    await this.#change(call, address, async (tx, row) => {
      refuseDeclared(row);
      if (await store.isInUse(tx, row.id)) throw workErrors.channel_in_use({ channel: row.name });
      await store.removeChannel(tx, row.id);
      return workEvents.make('channel.removed', { channel: row.name });
    });
    return { channel: address.channel, removed: true };
  }

  /** Removes a channel that nothing uses. */
  async drop(tx: Tx, call: Call, row: store.ChannelRow): Promise<void> {
    await store.removeChannel(tx, row.id);
    const home = { tenantId: row.tenant_id, slug: '' };
    await this.#tell(tx, call, workEvents.make('channel.removed', { channel: row.name }), home);
  }

  async pause(call: Call, input: ParsedInput<typeof pauseChannel>): Promise<ChannelItem> {
    const { reason } = input;
    const until = input.until === undefined ? undefined : new Date(input.until);
    const { tenantId } = await this.#change(call, input, async (tx, row) => {
      await store.pauseChannel(tx, row.id, { until, by: call.caller.name, reason });
      return workEvents.make('channel.paused', { channel: row.name, reason, until: until?.toISOString() });
    });
    return this.#item(call, input.channel, [tenantId]);
  }

  async resume(call: Call, address: Address): Promise<ChannelItem> {
    const { tenantId } = await this.#change(call, address, async (tx, row) => {
      if (row.paused_at === null) return undefined;
      await store.resumeChannel(tx, row.id);
      return workEvents.make('channel.resumed', { channel: row.name });
    });
    return this.#item(call, address.channel, [tenantId]);
  }

  async pauseWork(call: Call, input: ParsedInput<typeof pauseWork>): Promise<OutputOf<typeof pauseWork>> {
    const home = await this.#home(call, input.tenant);
    return call.write(async (tx) => {
      const { pause, isNew } = await store.pauseTenant(tx, home.tenantId, call.caller.name, input.reason);
      if (isNew) {
        await this.#tell(tx, call, workEvents.make('tenant.paused', { tenant: home.slug, reason: input.reason }), home);
      }
      return pauseItem(pause, home.slug);
    });
  }

  /** Whose jobs are not handed out; of one tenant, what holds for it: its own pause and that of everything. */
  async listPauses(call: Call, tenantId?: string): Promise<OutputOf<typeof pauseWork>[]> {
    const of = tenantId === undefined ? undefined : [tenantId, FLEET_TENANT];
    const rows = await call.read((tx) => store.listPauses(tx, of));
    const slugs = await this.#options.tenants.slugs(rows.map((row) => row.tenant_id));
    return rows.map((row) => pauseItem(row, slugOf(row.tenant_id, slugs)));
  }

  async resumeWork(call: Call, input: ParsedInput<typeof resumeWork>): Promise<OutputOf<typeof resumeWork>> {
    const home = await this.#home(call, input.tenant);
    return call.write(async (tx) => {
      const resumed = await store.resumeTenant(tx, home.tenantId);
      if (resumed) await this.#tell(tx, call, workEvents.make('tenant.resumed', { tenant: home.slug }), home);
      tx.afterCommit(() => this.#options.wakeups.notify('work'));
      return { tenant: home.slug, resumed };
    });
  }

  /** Throws `access.fleet_only`: a tenant does not say how much of the fleet it gets. */
  async setShare(call: Call, input: ParsedInput<typeof setShare>): Promise<OutputOf<typeof setShare>> {
    const home = await this.#home(call, input.tenant);
    if (call.scope.kind !== 'fleet') throw accessErrors.fleet_only();
    return call.write(async (tx) => {
      await store.setWeight(tx, home.tenantId, input.weight);
      await this.#tell(tx, call, workEvents.make('share.set', input), home);
      return input;
    });
  }

  async #home(call: Call, tenant: string | undefined): Promise<Home> {
    const { access, tenants } = this.#options;
    const tenantId =
      tenant === FLEET_SLUG && call.scope.kind === 'fleet'
        ? FLEET_TENANT
        : await access.tenants.home(call, tenant, 'fleet');
    return { tenantId, slug: slugOf(tenantId, await tenants.slugs([tenantId])) };
  }

  async #change(
    call: Call,
    address: Address,
    change: (tx: Tx, row: store.ChannelRow) => Promise<NewEvent | undefined>,
  ): Promise<Home> {
    const home = await this.#home(call, address.tenant);
    await call.write(async (tx) => {
      const row = await store.lockChannel(tx, address.channel, home.tenantId);
      if (row === undefined) throw workErrors.channel_not_found({ channel: address.channel });
      const event = await change(tx, row);
      if (event !== undefined) await this.#tell(tx, call, event, home);
      tx.afterCommit(() => this.#options.wakeups.notify('work'));
    });
    return home;
  }

  async #tell(tx: Tx, call: Call, event: NewEvent, { tenantId, slug }: Home): Promise<void> {
    const { channel } = event.payload;
    const subject = channel === undefined ? `tenant:${slug}` : `channel:${channel}`;
    await this.#options.log.append(tx, call, [{ ...event, subject, tenantId }]);
  }

  async #item(call: Call, name: string, tenantIds: readonly string[]): Promise<ChannelItem> {
    const row = await call.read(async (tx) => (await store.findChannels(tx, [name], tenantIds)).get(name));
    if (row === undefined) throw workErrors.channel_not_found({ channel: name });
    return (await this.#items(call, [row]))[0]!;
  }

  // What is used of a channel of the fleet is used by all tenants: numbers only, so every one of them may know.
  async #items(call: Call, rows: readonly store.ChannelRow[]): Promise<ChannelItem[]> {
    if (rows.length === 0) return [];
    const { db, tenants } = this.#options;
    const ids = rows.map(({ id }) => id);
    const usage = await db.read(fleetScope, (tx) => store.readUsage(tx, ids));
    const slugs = await tenants.slugs(rows.map((row) => row.tenant_id));
    // A tenant learns that a channel of the fleet is paused, not which agent of whom did it.
    const shown = (row: store.ChannelRow) =>
      call.scope.kind === 'tenant' && row.tenant_id === FLEET_TENANT ? { ...row, paused_by: FLEET_SLUG } : row;
    return rows.map((row) => channelItem(shown(row), usage.get(row.id), slugOf(row.tenant_id, slugs)));
  }
}

function slugOf(tenantId: string, slugs: ReadonlyMap<string, string>): string {
  return tenantId === FLEET_TENANT ? FLEET_SLUG : (slugs.get(tenantId) ?? tenantId);
}

// Throws `work.channel_declared`: the next start would undo it.
function refuseDeclared(row: store.ChannelRow | undefined): void {
  if (row === undefined || row.declared_by === null) return;
  throw workErrors.channel_declared({ channel: row.name, file: row.declared_by });
}

function refuseWindowTwice(limits: readonly store.Limit[]): void {
  const windows = new Set<number>();
  for (const { window_seconds } of limits) {
    if (windows.has(window_seconds)) throw workErrors.window_twice({ window_seconds });
    windows.add(window_seconds);
  }
}

function pauseItem(row: store.PauseRow, tenant: string): OutputOf<typeof pauseWork> {
  return { tenant, since: row.paused_at.toISOString(), by: row.paused_by, reason: row.reason };
}

function channelItem(row: store.ChannelRow, usage: store.UsageRow | undefined, tenant: string): ChannelItem {
  return {
    channel: row.name,
    tenant,
    concurrency: row.concurrency,
    limits: row.limits.map(({ limit, window_seconds }, place) => ({
      limit,
      window_seconds,
      used: usage?.used[place] ?? 0,
    })),
    running: usage?.running ?? 0,
    queued: usage?.queued ?? 0,
    paused:
      row.paused_at === null
        ? null
        : {
            since: row.paused_at.toISOString(),
            until: row.paused_until?.toISOString() ?? null,
            by: row.paused_by ?? '',
            reason: row.paused_reason,
          },
    next_at: row.next_at?.toISOString() ?? null,
    declared_by: row.declared_by,
    version: row.version,
  };
}
