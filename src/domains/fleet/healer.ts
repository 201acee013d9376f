// The healer: restarts supervised agents that give no sign of life, gives up after a few tries, and touches nobody when most
// of them went silent at once. Every act is an event with its reason, in the transaction that orders it.
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import type { Log } from '../log/index.ts';
import { fleetEvents } from './events.ts';
import { diagnose, HEALING_WINDOW_SECONDS, type Treatment, type Watched } from './healing.ts';
import { findWatched, forgetOldHealings, noteHealing, type WatchedRow } from './healing-store.ts';
import * as store from './store.ts';

export interface HealerOptions {
  readonly db: Database;
  readonly wakeups: Wakeups;
  readonly log: Log;
  /** Those of the agents that hold a valid lease: the work room knows. */
  readonly busyAgents: (tx: Tx, agentIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

const HEALINGS_KEPT_DAYS = 30;

export class Healer {
  readonly #options: HealerOptions;
  /** Told once per mass silence. */
  #withheld = false;

  constructor(options: HealerOptions) {
    this.#options = options;
  }

  /** One look at all agents that are watched. */
  async heal(call: Call): Promise<void> {
    const hearing = this.#hearingSeconds();
    if (hearing === undefined) return;
    const rows = await call.read((tx) => this.#watched(tx));
    const diagnosis = diagnose(
      rows.map(({ watched }) => watched),
      hearing,
    );
    if (diagnosis.kind === 'mass_silence') {
      if (!this.#withheld) {
        const { silent, watched } = diagnosis;
        const event = fleetEvents.make('healing.withheld', { silent, watched });
        await call.write((tx) => this.#options.log.append(tx, call, [event]));
      }
      this.#withheld = true;
      return;
    }
    this.#withheld = false;
    for (const { id } of diagnosis.treatments) await this.#treat(call, id, hearing);
  }

  async forgetOld(call: Call): Promise<void> {
    await call.write((tx) => forgetOldHealings(tx, HEALINGS_KEPT_DAYS));
  }

  // Judged once more under the agent's lock: it may have spoken since, or another engine was first.
  async #treat(call: Call, id: string, hearing: number): Promise<void> {
    await call.write(async (tx) => {
      await store.lockAgent(tx, id);
      const [found] = await this.#watched(tx, id);
      if (found === undefined) return;
      const diagnosis = diagnose([found.watched], hearing);
      const [treatment] = diagnosis.kind === 'treat' ? diagnosis.treatments : [];
      if (treatment !== undefined) await this.#carryOut(tx, call, found.row, treatment);
    });
  }

  async #carryOut(tx: Tx, call: Call, row: WatchedRow, { step, reason }: Treatment): Promise<void> {
    const { log, wakeups } = this.#options;
    const { agent_id: agentId, tenant_id: tenantId, slug: agent } = row;
    await noteHealing(tx, { agentId, tenantId, step, reason });
    if (step === 'restart') await store.orderRestart(tx, agentId);
    else await store.setDesired(tx, agentId, { desired: 'pause', by: call.caller.name, reason });
    const type = step === 'restart' ? 'agent.healing' : 'agent.given_up';
    await log.append(tx, call, [
      fleetEvents.make(type, { agent, reason, restarts: row.restarts }, { subject: `agent:${agent}`, tenantId }),
    ]);
    tx.afterCommit(() => {
      wakeups.notify('fleet');
      wakeups.notify('work');
    });
  }

  async #watched(tx: Tx, only?: string): Promise<{ row: WatchedRow; watched: Watched }[]> {
    const rows = await findWatched(tx, HEALING_WINDOW_SECONDS, only);
    const busy = await this.#options.busyAgents(
      tx,
      rows.map(({ agent_id }) => agent_id),
    );
    return rows.map((row) => ({
      row,
      watched: {
        id: row.agent_id,
        limitSeconds: row.limit_seconds,
        silentSeconds: row.silent_seconds,
        restarts: row.restarts,
        isBusy: busy.has(row.agent_id),
      },
    }));
  }

  #hearingSeconds(): number | undefined {
    const { answersSince } = this.#options.db.availability;
    return answersSince === undefined ? undefined : (performance.now() - answersSince) / 1_000;
  }
}
