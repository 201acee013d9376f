// What an operator tells an agent: pause, resume, stop, restart. Each order that changes something is one event.
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { NewEvent } from '../../platform/event-table.ts';
import { type Access, accessErrors } from '../access/index.ts';
import type { Log } from '../log/index.ts';
import { fleetErrors } from './errors.ts';
import { fleetEvents } from './events.ts';
import { agentItem, isSupervised } from './items.ts';
import type { AgentItem } from './operations.ts';
import * as store from './store.ts';

export interface OrdersOptions {
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly access: Access;
}

export class Orders {
  readonly #options: OrdersOptions;

  constructor(options: OrdersOptions) {
    this.#options = options;
  }

  /** Sets what is wanted; the same order again changes nothing. */
  async hold(call: Call, address: string, desired: 'pause' | 'stop', given: string | undefined): Promise<AgentItem> {
    const reason = given ?? null;
    return call.write(async (tx) => {
      const row = await lockAddressed(this.#options.access, tx, address);
      if (row.desired === desired && row.desired_reason === reason) return agentItem(row);
      await store.setDesired(tx, row.agent_id, { desired, by: call.caller.name, reason });
      const type = desired === 'pause' ? 'agent.paused' : 'agent.stop_ordered';
      return this.#ordered(tx, call, row, fleetEvents.make(type, { agent: row.slug, reason }, about(row)));
    });
  }

  /** Lets it work again; where its process had ended for good, that is started anew. */
  async resume(call: Call, address: string): Promise<AgentItem> {
    return call.write(async (tx) => {
      const row = await lockAddressed(this.#options.access, tx, address);
      const ended = row.phase === 'crashed' || row.phase === 'ended';
      if (row.desired === 'run' && !ended) return agentItem(row);
      await store.setDesired(tx, row.agent_id, { desired: 'run', by: call.caller.name, reason: null });
      if (ended) await store.orderRestart(tx, row.agent_id);
      return this.#ordered(tx, call, row, fleetEvents.make('agent.resumed', { agent: row.slug }, about(row)));
    });
  }

  /** Has the process ended and started anew, also one that was told to stop. */
  async restart(call: Call, address: string, reason: string | undefined): Promise<AgentItem> {
    return call.write(async (tx) => {
      const row = await lockAddressed(this.#options.access, tx, address);
      if (!isSupervised(row)) throw fleetErrors.not_supervised({ agent: address });
      await store.orderRestart(tx, row.agent_id);
      if (row.desired === 'stop') {
        await store.setDesired(tx, row.agent_id, { desired: 'run', by: call.caller.name, reason: null });
      }
      const payload = { agent: row.slug, reason: reason ?? null };
      return this.#ordered(tx, call, row, fleetEvents.make('agent.restart_ordered', payload, about(row)));
    });
  }

  /** Crashed agents of a host that an operator starts: whoever starts it may have mended them, so each gets a new try. */
  async retryCrashed(call: Call, hostId: string): Promise<string[]> {
    return call.write(async (tx) => {
      const rows = await store.retryCrashed(tx, hostId);
      const reason = 'Quarterdeck was started again';
      const events = rows.map(({ slug, tenant_id }) =>
        fleetEvents.make(
          'agent.restart_ordered',
          { agent: slug, reason },
          { subject: `agent:${slug}`, tenantId: tenant_id },
        ),
      );
      await this.#options.log.append(tx, call, events);
      if (rows.length > 0) tx.afterCommit(() => this.#options.wakeups.notify('fleet'));
      return rows.map(({ slug }) => slug);
    });
  }

  // Hosts act on it, and workers that wait for jobs ask again whether they are paused.
  async #ordered(tx: Tx, call: Call, row: store.AgentRow, event: NewEvent): Promise<AgentItem> {
    await this.#options.log.append(tx, call, [event]);
    tx.afterCommit(() => {
      this.#options.wakeups.notify('fleet');
      this.#options.wakeups.notify('work');
    });
    return agentItem((await store.findAgent(tx, row.agent_id))!);
  }
}

/** The agent that an address means. Throws `access.agent_not_found`, `access.agent_ambiguous`. */
export async function findAddressed(access: Access, tx: Tx, address: string): Promise<store.AgentRow> {
  const { id } = await access.agents.get(tx, address);
  return existing(await store.findAgent(tx, id), address);
}

/** As `findAddressed`; nobody else orders anything of it until this transaction ends. */
export async function lockAddressed(access: Access, tx: Tx, address: string): Promise<store.AgentRow> {
  const { id } = await access.agents.get(tx, address);
  return existing(await store.lockAgent(tx, id), address);
}

function existing(row: store.AgentRow | undefined, agent: string): store.AgentRow {
  if (row === undefined) throw accessErrors.agent_not_found({ agent });
  return row;
}

function about(row: store.AgentRow): { subject: string; tenantId: string } {
  return { subject: `agent:${row.slug}`, tenantId: row.tenant_id };
}
