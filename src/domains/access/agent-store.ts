// SQL of the identities of agents; how an agent runs is the fleet room’s.
import type { Tx } from '../../platform/db/database.ts';
import { accessErrors } from './errors.ts';

export interface AgentIdentity {
  readonly id: string;
  readonly tenant_id: string;
  readonly slug: string;
  readonly kind: 'process' | 'external' | 'llm';
  readonly created_at: Date;
}

const AGENT = 'id, tenant_id, slug, kind, created_at';

export async function findAgents(
  tx: Tx,
  filter: { slug?: string; tenant?: string | undefined; ids?: readonly string[] },
): Promise<(AgentIdentity & { readonly tenant: string })[]> {
  return tx.query(
    `SELECT a.id, a.tenant_id, a.slug, a.kind, a.created_at, t.slug AS tenant
     FROM access.agents a JOIN access.tenants t ON t.id = a.tenant_id
     WHERE a.removed_at IS NULL AND ($1::text IS NULL OR a.slug = $1) AND ($2::text IS NULL OR t.slug = $2)
       AND ($3::uuid[] IS NULL OR a.id = ANY ($3))
     ORDER BY t.slug LIMIT 20`,
    [filter.slug ?? null, filter.tenant ?? null, filter.ids ?? null],
  );
}

/** The agent that a caller means by `name` or `name@tenant`. Throws `access.agent_not_found`, `access.agent_ambiguous`. */
export async function getAddressed(tx: Tx, address: string): Promise<AgentIdentity & { readonly tenant: string }> {
  const [slug, tenant] = address.split('@') as [string, string | undefined];
  const found = await findAgents(tx, { slug, tenant });
  if (found.length > 1) {
    const candidates = found.map((agent) => `${agent.slug}@${agent.tenant}`).join(', ');
    throw accessErrors.agent_ambiguous({ agent: address, candidates });
  }
  if (found[0] === undefined) throw accessErrors.agent_not_found({ agent: address });
  return found[0];
}

/** Holds an agent as it is until the end of the transaction; false when it has been removed. */
export async function lockAgent(tx: Tx, id: string): Promise<boolean> {
  const rows = await tx.query('SELECT FROM access.agents WHERE id = $1 AND removed_at IS NULL FOR UPDATE', [id]);
  return rows.length > 0;
}

export async function insertAgent(
  tx: Tx,
  agent: { id: string; tenantId: string; slug: string; kind: string },
): Promise<AgentIdentity> {
  const [row] = await tx.query<AgentIdentity>(
    `INSERT INTO access.agents (id, tenant_id, slug, kind) VALUES ($1, $2, $3, $4) RETURNING ${AGENT}`,
    [agent.id, agent.tenantId, agent.slug, agent.kind],
  );
  return row!;
}

export async function removeAgent(tx: Tx, id: string): Promise<void> {
  await tx.query('UPDATE access.agents SET removed_at = now() WHERE id = $1 AND removed_at IS NULL', [id]);
}

export async function setAgentKind(tx: Tx, id: string, kind: AgentIdentity['kind']): Promise<void> {
  await tx.query('UPDATE access.agents SET kind = $2 WHERE id = $1', [id, kind]);
}
