// The verbs of agents' identities, for the fleet room: what an agent is called, where it belongs and of which kind it is.
// How it runs and how it is, is the fleet's.
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { newUuid } from '../../platform/ids.ts';
import type { Log } from '../log/index.ts';
import * as store from './agent-store.ts';
import { accessErrors } from './errors.ts';
import { accessEvents } from './events.ts';
import type { TokenAgent, Tokens } from './tokens.ts';

export interface AgentIdentitiesOptions {
  readonly log: Log;
  readonly tokens: Tokens;
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
    const [slug, tenant] = address.split('@') as [string, string | undefined];
    const found = await store.findAgents(tx, { slug, tenant });
    if (found.length > 1) {
      const candidates = found.map((agent) => `${agent.slug}@${agent.tenant}`).join(', ');
      throw accessErrors.agent_ambiguous({ agent: address, candidates });
    }
    if (found[0] === undefined) throw accessErrors.agent_not_found({ agent: address });
    return found[0];
  }

  /** An agent that the manifest takes over becomes one that a host starts. */
  async setKind(tx: Tx, agentId: string, kind: store.AgentIdentity['kind']): Promise<void> {
    await store.setAgentKind(tx, agentId, kind);
  }

  /** Takes the name back and ends every token of the agent. */
  async remove(tx: Tx, call: Call, agent: TokenAgent): Promise<void> {
    await store.removeAgent(tx, agent.id);
    await this.#options.tokens.revokeOfAgent(tx, call, agent, { reason: 'the agent was removed' });
    await this.#options.log.append(tx, call, [
      accessEvents.make(
        'agent.removed',
        { agent: agent.slug },
        { subject: `agent:${agent.slug}`, tenantId: agent.tenant_id },
      ),
    ]);
  }
}
