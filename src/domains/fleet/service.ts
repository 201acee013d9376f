// The verbs of the fleet: register agents, hear them, tell them what is wanted, say how they are.
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { UniqueViolation } from '../../platform/db/database-errors.ts';
import { findUuid, wireId } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import type { TenantDirectory } from '../../platform/tenants.ts';
import { type Access, type AgentIdentity, accessErrors, agentAbilities } from '../access/index.ts';
import { waitForConsole } from './console-reader.ts';
import { type ApplyOptions, applyAgents, type PlanStep, remove } from './declared.ts';
import { fleetErrors } from './errors.ts';
import { fleetEvents } from './events.ts';
import { Healer, type HealerOptions } from './healer.ts';
import { agentItem, isSupervised, stateOf } from './items.ts';
import type { AgentsSection } from './manifest.ts';
import type {
  AgentItem,
  addAgent,
  beat,
  issueAgentToken,
  listAgents,
  readConsole,
  showAgent,
  status,
} from './operations.ts';
import { findAddressed, lockAddressed, Orders } from './orders.ts';
import { type DescribeServer, type ServerFacts, serverFor } from './server.ts';
import { Signs } from './signs.ts';
import { HOST_LIMIT_SECONDS } from './states.ts';
import { countStates, type DeadJob, needsOf } from './status.ts';
import * as store from './store.ts';

export interface FleetOptions extends HealerOptions {
  readonly access: Access;
  readonly tenants: TenantDirectory;
  /** Jobs given up within the last hour, newest first: the work room knows them. */
  readonly deadJobs: (call: Call, tenantId: string | undefined) => Promise<DeadJob[]>;
  /** What the process that answers knows of its server. */
  readonly describeServer: DescribeServer;
}

const AGENT_TOKEN = 'given by hand';
/** How long the database has to answer without a break before a silence is an agent's own. */
const HEARING_MS = HOST_LIMIT_SECONDS * 1_000;

export class Fleet {
  readonly healer: Healer;
  readonly #options: FleetOptions;
  readonly #signs: Signs;
  readonly #orders: Orders;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#signs = new Signs(options.db);
    this.#orders = new Orders(options);
    this.healer = new Healer(options);
  }

  // Registration

  async add(call: Call, input: ParsedInput<typeof addAgent>): Promise<OutputOf<typeof addAgent>> {
    mayIssueAgentToken(call);
    const tenantId = await this.#options.access.tenants.home(call, input.tenant, 'fleet');
    try {
      return await call.write(async (tx) => {
        const identity = await this.register(tx, call, {
          slug: input.agent,
          tenantId,
          kind: input.kind,
          silenceLimitSeconds: input.silence_limit_seconds ?? null,
          queues: input.queues ?? [],
        });
        const { token } = await this.#options.access.tokens.issueForAgent(tx, call, identity, AGENT_TOKEN);
        return { ...agentItem((await store.findAgent(tx, identity.id))!), token };
      });
    } catch (error) {
      if (error instanceof UniqueViolation) throw accessErrors.agent_exists({ agent: input.agent });
      throw error;
    }
  }

  /** Makes the identity of an agent that no host starts, and its place in the fleet. */
  async register(
    tx: Tx,
    call: Call,
    agent: {
      slug: string;
      tenantId: string;
      kind: AgentIdentity['kind'];
      silenceLimitSeconds?: number | null;
      queues?: readonly string[];
    },
  ): Promise<AgentIdentity> {
    const { slug, tenantId, kind, silenceLimitSeconds = null, queues = [] } = agent;
    const identity = await this.#options.access.agents.create(tx, call, { slug, tenantId, kind });
    await store.insertAgent(tx, { id: identity.id, tenantId, slug, silenceLimitSeconds, queues });
    this.#wakeHosts(tx);
    return identity;
  }

  async remove(call: Call, address: string): Promise<{ agent: string; removed: boolean }> {
    return call.write(async (tx) => {
      const row = await lockAddressed(this.#options.access, tx, address);
      if (row.declared) throw fleetErrors.agent_declared({ agent: address });
      await remove(this.#options, tx, call, row);
      this.#wakeHosts(tx);
      return { agent: row.slug, removed: true };
    });
  }

  async issueToken(call: Call, address: string): Promise<OutputOf<typeof issueAgentToken>> {
    mayIssueAgentToken(call);
    const { access } = this.#options;
    return call.write(async (tx) => {
      const identity = await access.agents.get(tx, address);
      const { token, tokenId } = await access.tokens.issueForAgent(tx, call, identity, AGENT_TOKEN);
      return { agent: identity.slug, token, token_id: tokenId };
    });
  }

  /** Everybody who declared an agent that is there, for `applyAgents`. */
  async declarers(call: Call): Promise<string[]> {
    return call.read((tx) => store.findDeclarers(tx));
  }

  /** Makes the fleet equal to the `agents` section of a file. */
  async applyAgents(call: Call, section: AgentsSection, options: ApplyOptions): Promise<PlanStep[]> {
    const plan = await applyAgents(this.#options, call, section, options);
    if (plan.length > 0 && options.dryRun !== true) this.#options.wakeups.notify('fleet');
    return plan;
  }

  // Looking

  async list(call: Call, input: ParsedInput<typeof listAgents>): Promise<OutputOf<typeof listAgents>> {
    const { log, tenants } = this.#options;
    const tenantId = input.tenant === undefined ? undefined : await tenants.getId(call, input.tenant);
    let after = input.after === undefined ? undefined : parsePlace(input.after);
    const as_of = await log.asOf(call);
    const items: AgentItem[] = [];
    // The state is derived here, so pages are read until enough agents of the state asked for were met.
    for (;;) {
      const rows = await call.read((tx) => store.findAgents(tx, { tenantId, after, limit: input.limit }));
      for (const row of rows) {
        const item = agentItem(row);
        after = { slug: row.slug, id: row.agent_id };
        if (input.state === undefined || item.state === input.state) items.push(item);
        if (items.length === input.limit) return { items, next_cursor: formatPlace(after), as_of };
      }
      if (rows.length < input.limit) return { items, next_cursor: null, as_of };
    }
  }

  async show(call: Call, address: string): Promise<OutputOf<typeof showAgent>> {
    const row = await call.read((tx) => findAddressed(this.#options.access, tx, address));
    return {
      ...agentItem(row),
      command: row.command,
      cwd: row.cwd,
      restart: isSupervised(row) ? row.restart : null,
    };
  }

  async status(call: Call, input: ParsedInput<typeof status>): Promise<OutputOf<typeof status>> {
    const { log, tenants, deadJobs } = this.#options;
    const tenantId = input.tenant === undefined ? undefined : await tenants.getId(call, input.tenant);
    const as_of = await log.asOf(call);
    const [rows, dead, events_per_second] = await Promise.all([
      call.read((tx) => store.findAgents(tx, { tenantId })),
      deadJobs(call, tenantId),
      log.eventsPerSecond(call),
    ]);
    return { agents: countStates(rows), needs: needsOf(rows, dead), events_per_second, as_of };
  }

  showServer(call: Call): Promise<ServerFacts> {
    return serverFor(call, this.#options.describeServer);
  }

  async readConsole(call: Call, input: ParsedInput<typeof readConsole>): Promise<OutputOf<typeof readConsole>> {
    const { access, wakeups } = this.#options;
    const { agent_id } = await call.read((tx) => findAddressed(access, tx, input.agent));
    const { after, bytes: most, wait: waitSeconds } = input;
    return waitForConsole(call, wakeups, agent_id, { after, most, waitSeconds });
  }

  // Signs of life

  async beat(call: Call, input: ParsedInput<typeof beat>): Promise<OutputOf<typeof beat>> {
    const { caller } = call;
    const [slug, tenant] = input.agent.split('@');
    const isSelf = slug === caller.name && (tenant === undefined || tenant === caller.tenant.slug);
    if (caller.kind !== 'agent' || !isSelf) {
      // Missing and hidden agents are answered as such first.
      await call.read((tx) => findAddressed(this.#options.access, tx, input.agent));
      throw fleetErrors.not_your_agent({ agent: input.agent });
    }
    const answer = await this.#signs.beat({
      agentId: caller.id,
      status: input.status,
      job: input.job,
      version: input.version,
      usage: input.usage,
    });
    if (answer === undefined) throw accessErrors.agent_not_found({ agent: input.agent });
    return { desired: answer.desired, time: answer.time.toISOString() };
  }

  /** Notes that an agent gave a sign of life, by whatever it asked for. Costs nothing worth counting. */
  seen(agentId: string): void {
    this.#signs.seen(agentId);
  }

  /** Whether an agent is to get no jobs: paused or told to stop. */
  async isPaused(tx: Tx, agentId: string): Promise<boolean> {
    return store.isPaused(tx, agentId);
  }

  /** Tells the log of agents that went silent and of those heard again. */
  async tellSilences(call: Call): Promise<void> {
    // What was silent may have been the database, or nobody listened: agents and hosts get the time to say so.
    const { answersSince } = this.#options.db.availability;
    if (answersSince !== undefined && performance.now() - answersSince < HEARING_MS) return;
    const rows = await call.read((tx) => store.findAgents(tx, {}));
    for (const row of rows) {
      const { state, attention, reason, since } = stateOf(row);
      const silent = attention !== 'none' && (state === 'late' || state === 'silent');
      if (silent === row.told_silent) continue;
      const silent_seconds = since === null ? 0 : Math.round((row.now.getTime() - since.getTime()) / 1000);
      const extra = { subject: `agent:${row.slug}`, tenantId: row.tenant_id };
      const event = silent
        ? fleetEvents.make('agent.silent', { agent: row.slug, silent_seconds, reason }, extra)
        : fleetEvents.make('agent.heard', { agent: row.slug }, extra);
      await call.write(async (tx) => {
        if (await store.tellSilence(tx, row.agent_id, silent)) await this.#options.log.append(tx, call, [event]);
      });
    }
  }

  // Orders

  pause(call: Call, address: string, reason: string | undefined): Promise<AgentItem> {
    return this.#orders.hold(call, address, 'pause', reason);
  }

  stop(call: Call, address: string, reason: string | undefined): Promise<AgentItem> {
    return this.#orders.hold(call, address, 'stop', reason);
  }

  resume(call: Call, address: string): Promise<AgentItem> {
    return this.#orders.resume(call, address);
  }

  restart(call: Call, address: string, reason: string | undefined): Promise<AgentItem> {
    return this.#orders.restart(call, address, reason);
  }

  /** Gives crashed agents of this host a new try; answers their names. */
  retryCrashed(call: Call, hostId: string): Promise<string[]> {
    return this.#orders.retryCrashed(call, hostId);
  }

  /** Ends what waits in memory. */
  end(): void {
    this.#signs.stop();
  }

  #wakeHosts(tx: Tx): void {
    tx.afterCommit(() => this.#options.wakeups.notify('fleet'));
  }
}

// A place in the list: name, then id, because names are unique per tenant only.
function formatPlace(place: { slug: string; id: string }): string {
  return `${place.slug}@${wireId('agt', place.id)}`;
}

function parsePlace(after: string): { slug: string; id: string } {
  const at = after.lastIndexOf('@');
  const id = findUuid('agt', after.slice(at + 1));
  if (at < 1 || id === undefined) {
    throw platformErrors.invalid_input({
      problem: 'after is not a cursor of this list',
      errors: [{ field: 'after', message: 'give next_cursor of an earlier answer' }],
    });
  }
  return { slug: after.slice(0, at), id };
}

// An agent's token has all abilities of agents: whoever hands one out must have them, or it would reach beyond itself.
function mayIssueAgentToken({ caller }: Call): void {
  const beyond = agentAbilities.find((ability) => !caller.abilities.has(ability));
  if (beyond !== undefined) throw accessErrors.ability_beyond_creator({ ability: beyond });
}
