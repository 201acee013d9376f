// The host: runs the agents of this machine. It reads what the database wants, hands it to one SupervisedAgent each, keeps
// the claims alive and feeds the consoles. While the database is away nothing is started, stopped or given up.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Wakeups } from '../../../platform/bus/wakeups.ts';
import type { Call } from '../../../platform/call.ts';
import type { Database } from '../../../platform/db/database.ts';
import { isAppError } from '../../../platform/errors.ts';
import type { Logger } from '../../../platform/logger.ts';
import { Loop } from '../../../platform/loop.ts';
import { acquireDataLock, type DataLock, DataLockHeld } from '../../../platform/process/data-lock.ts';
import type { Access } from '../../access/index.ts';
import type { Log } from '../../log/index.ts';
import { fleetEvents } from '../events.ts';
import { feedConsole } from './console-feed.ts';
import type { AgentName, HostDoor } from './host-door.ts';
import { hostIdOf } from './host-id.ts';
import { findRecords, type Report } from './record.ts';
import * as store from './store.ts';
import { SupervisedAgent } from './supervised-agent.ts';

/** What the host needs of the application. */
export interface HostParts {
  readonly db: Database;
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly access: Access;
  systemCall(): Call;
}

export interface HostOptions {
  readonly app: HostParts;
  readonly dataDir: string;
  /** Name of this machine, shown and used by `host` of the manifest. */
  readonly hostName: string;
  readonly logger: Logger;
  /** Where agents find the API. */
  readonly apiUrl: string;
  readonly relayUrl?: string | undefined;
}

export interface Host {
  start(): void;
  /** Resolves when what the database wants was read and is being brought about; rejects when the host cannot start. */
  readonly ready: Promise<void>;
  /** `agents`: ends them too; otherwise they go on and the next host adopts them. */
  stop(options: { readonly agents: boolean }): Promise<void>;
}

const RECONCILE_MS = 1_000;
const CONFIRM_MS = 5_000;
const CONSOLE_MS = 100;
const LOCK_RETRY_MS = 250;
/** Name of the token that a process gets for its life. */
const PROCESS_TOKEN = 'its process';

export function createHost(options: HostOptions): Host {
  return new FleetHost(options);
}

class FleetHost implements Host {
  readonly ready: Promise<void>;
  readonly #options: HostOptions;
  readonly #root: string;
  readonly #agents = new Map<string, SupervisedAgent>();
  readonly #becomeReady: () => void;
  readonly #cannotStart: (error: unknown) => void;
  readonly #loops: Loop[] = [];
  #identity: store.HostIdentity | undefined;
  #lock: DataLock | undefined;
  #starting: Promise<void> | undefined;
  #stopped = false;
  #forgetWake = () => {};

  constructor(options: HostOptions) {
    this.#options = options;
    this.#root = join(options.dataDir, 'agents');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#becomeReady = resolve;
    this.#cannotStart = reject;
  }

  start(): void {
    this.#starting ??= this.#start().catch(this.#cannotStart);
  }

  async stop({ agents }: { readonly agents: boolean }): Promise<void> {
    this.#stopped = true;
    this.#forgetWake();
    await this.#starting;
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    await Promise.all(
      [...this.#agents.values()].map((agent) =>
        // What could not be told now stands in the record and is told by the next host.
        (agents ? agent.shutDown() : agent.leave()).catch((error: unknown) => this.#failed(agent, error)),
      ),
    );
    await this.#feedRest();
    for (const agent of this.#agents.values()) agent.console.close();
    this.#lock?.release();
  }

  // A host of the same directory that has not ended yet still watches the agents: this one waits for it.
  async #start(): Promise<void> {
    while (this.#lock === undefined && !this.#stopped) {
      this.#lock = this.#tryLock();
      if (this.#lock === undefined) await delay(LOCK_RETRY_MS);
    }
    if (this.#stopped) return;
    this.#identity = { id: hostIdOf(this.#options.dataDir), name: this.#options.hostName };
    const door = this.#door(this.#identity);
    for (const { slug, dir, record } of findRecords(this.#root)) {
      const { agentId, tenantId } = record;
      this.#agents.set(agentId, new SupervisedAgent(door, { agentId, tenantId, slug, dir }));
    }
    const reconcile = this.#loop('reconcile', RECONCILE_MS, () => this.#reconcile(door));
    this.#loop('confirm', CONFIRM_MS, () => this.#confirm());
    this.#loop('console', CONSOLE_MS, () => this.#feedConsole());
    this.#forgetWake = this.#options.app.wakeups.on('fleet', () => reconcile.wake());
    for (const loop of this.#loops) loop.start();
  }

  #tryLock(): DataLock | undefined {
    try {
      return acquireDataLock(this.#root, {
        pid: process.pid,
        started_at: new Date().toISOString(),
        command: 'quarterdeck host',
      });
    } catch (error) {
      if (error instanceof DataLockHeld) return undefined;
      throw error;
    }
  }

  // Loops pass over turns while the database is away, so that they need no back-off when it returns.
  #loop(name: string, everyMs: number, turn: () => Promise<unknown>): Loop {
    const loop = new Loop({
      name: `fleet.host.${name}`,
      everyMs,
      turn: async () => (this.#options.app.db.availability.awaySince === undefined ? turn() : undefined),
      failed: (loopName, error, failures) => {
        if (isPassing(error)) return;
        this.#options.logger.warn({ loop: loopName, failures, err: error }, 'a loop of the host failed');
      },
    });
    this.#loops.push(loop);
    return loop;
  }

  async #reconcile(door: HostDoor): Promise<void> {
    const { app } = this.#options;
    const rows = await app.systemCall().read((tx) => store.findWanted(tx, this.#identity!));
    const wanted = new Map(rows.map((row) => [row.agent_id, row]));
    for (const [id, agent] of this.#agents) {
      if (agent.isGone) this.#agents.delete(id);
      else agent.want(wanted.get(id));
    }
    const taken = new Set([...this.#agents.values()].map(({ dir }) => dir));
    for (const row of rows) {
      const dir = join(this.#root, row.tenant, row.slug);
      // An agent that was removed and added again waits until the old one has left the directory.
      if (this.#agents.has(row.agent_id) || taken.has(dir)) continue;
      const agent = new SupervisedAgent(door, { agentId: row.agent_id, tenantId: row.tenant_id, slug: row.slug, dir });
      this.#agents.set(row.agent_id, agent);
      agent.want(row);
    }
    this.#becomeReady();
  }

  async #confirm(): Promise<void> {
    const ids = [...this.#agents.keys()];
    if (ids.length === 0) return;
    await this.#options.app.systemCall().write((tx) => store.confirm(tx, this.#identity!, ids));
  }

  #feedConsole(): Promise<boolean> {
    const { app } = this.#options;
    return feedConsole([...this.#agents.values()], app.systemCall(), app.wakeups);
  }

  // The last lines of what was ended; without the database they stay in the files.
  async #feedRest(): Promise<void> {
    if (this.#options.app.db.availability.awaySince !== undefined) return;
    try {
      for (let round = 0; round < 20 && (await this.#feedConsole()); round++);
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'the last lines of the consoles were not written');
    }
  }

  #door(identity: store.HostIdentity): HostDoor {
    const { app, apiUrl, relayUrl, hostName } = this.#options;
    return {
      hostId: identity.id,
      hostName,
      apiUrl,
      relayUrl,
      own: process.env,
      beginStart: (wanted) => this.#beginStart(identity, wanted),
      claim: (agentId) => app.systemCall().write((tx) => store.claim(tx, identity, agentId)),
      report: (agent, report) => this.#report(identity, agent, report),
      failed: (agent, error) => this.#failed(agent, error),
    };
  }

  async #beginStart(
    identity: store.HostIdentity,
    wanted: store.Wanted,
  ): Promise<{ token: string; report: number } | undefined> {
    const { app } = this.#options;
    const call = app.systemCall();
    const agent = { ...wanted, id: wanted.agent_id };
    return call.write(async (tx) => {
      if (!(await store.claim(tx, identity, wanted.agent_id))) return undefined;
      const report = await store.beginStart(tx, wanted.agent_id, wanted.restart_generation);
      await app.access.tokens.revokeOfAgent(tx, call, agent, {
        name: PROCESS_TOKEN,
        reason: 'its process is started anew',
      });
      const { token } = await app.access.tokens.issueForAgent(tx, call, agent, PROCESS_TOKEN);
      return { token, report };
    });
  }

  async #report(identity: store.HostIdentity, agent: AgentName, report: Report): Promise<void> {
    const { app } = this.#options;
    const call = app.systemCall();
    const about = { subject: `agent:${agent.slug}`, tenantId: agent.tenantId };
    const { agentId: id, tenantId: tenant_id, slug } = agent;
    await call.write(async (tx) => {
      const outcome = await store.recordReport(tx, identity, id, report);
      if (outcome === 'stale') return;
      if (outcome === 'new' && report.events.some(({ type }) => type === 'process.ended')) {
        const why = { name: PROCESS_TOKEN, reason: 'its process ended' };
        await app.access.tokens.revokeOfAgent(tx, call, { id, tenant_id, slug }, why);
      }
      // The payloads were checked by the types that made them; the table checks them again.
      const events = report.events.map(({ type, payload }) => fleetEvents.make(type, payload as never, about));
      await app.log.append(tx, call, events);
      tx.afterCommit(() => app.wakeups.notify('fleet'));
    });
  }

  #failed(agent: AgentName, error: unknown): void {
    if (isPassing(error)) return;
    this.#options.logger.warn({ agent: agent.slug, err: error }, 'a step of an agent failed');
  }
}

// That the database is away is told by its own watch; what failed for it is tried again.
function isPassing(error: unknown): boolean {
  return isAppError(error) && error.retryable;
}
