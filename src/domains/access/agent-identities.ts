// The verbs of agents' identities, for the fleet room: what an agent is called, where it belongs and of which kind it is.
// How it runs and how it is, is the fleet's.
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { newUuid } from '../../platform/ids.ts';
import type { Log } from '../log/index.ts';
import * as store from './agent-store.ts';
import { accessErrors } from './errors.ts';
import { accessEvents } from './events.ts';
import type { SqlRoles } from './sql-roles.ts';
import type { TokenAgent, Tokens } from './tokens.ts';

export interface AgentIdentitiesOptions {
  readonly log: Log;
  readonly tokens: Tokens;
  readonly sqlRoles: SqlRoles;
}

export class AgentIdentities {
  readonly #options: AgentIdentitiesOptions;

  constructor(options: AgentIdentitiesOptions) {
    this.#options = options;
  }

  /** Makes the identity of an agent. Throws `access.agent_exists`. */
  async create(
    tx: Tx,
    call: Call,
    agent: { slug: string; tenantId: string; kind: store.AgentIdentity['kind'] },
  ): Promise<store.AgentIdentity> {
    const existing = await store.findAgents(tx, { slug: agent.slug });
    if (existing.some((row) => row.tenant_id === agent.tenantId)) {
      throw accessErrors.agent_exists({ agent: agent.slug });
    }
    const row = await store.insertAgent(tx, { id: newUuid(), ...agent });
    await this.#options.log.append(tx, call, [
      accessEvents.make(
        'agent.created',
        { agent: agent.slug, kind: agent.kind },
        { subject: `agent:${agent.slug}`, tenantId: agent.tenantId },
      ),
    ]);
    return row;
  }

  /** The agent that a caller means by `name` or `name@tenant`. Throws `access.agent_not_found`, `access.agent_ambiguous`. */
  async get(tx: Tx, address: string): Promise<store.AgentIdentity & { readonly tenant: string }> {
    return store.getAddressed(tx, address);
  }

  /** An agent that the manifest takes over becomes one that a host starts. */
  async setKind(tx: Tx, agentId: string, kind: store.AgentIdentity['kind']): Promise<void> {
    await store.setAgentKind(tx, agentId, kind);
  }

  /** Takes the name back and ends every token of the agent and its database role. */
  async remove(tx: Tx, call: Call, agent: TokenAgent): Promise<void> {
    await store.removeAgent(tx, agent.id);
    await this.#options.tokens.revokeOfAgent(tx, call, agent, { reason: 'the agent was removed' });
    await this.#options.sqlRoles.removeOfAgent(tx, call, agent);
    await this.#options.log.append(tx, call, [
      accessEvents.make(
        'agent.removed',
        { agent: agent.slug },
        { subject: `agent:${agent.slug}`, tenantId: agent.tenant_id },
      ),
    ]);
  }
}
