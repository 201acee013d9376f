// SQL of tokens, as somebody who looks after them sees them; from a secret to its caller is credential-store.ts.
import type { Tx } from '../../platform/db/database.ts';

export interface TokenRow {
  readonly id: string;
  readonly kind: 'operator' | 'agent';
  readonly tenant_id: string;
  readonly of_id: string;
  readonly of_name: string;
  readonly name: string;
  readonly display: string;
  readonly abilities: string[];
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
}

const TOKEN = `t.id, t.kind, t.tenant_id, coalesce(t.operator_id, t.agent_id) AS of_id, t.name, t.display, t.abilities,
  t.created_at, t.expires_at, t.last_used_at, t.revoked_at`;

export interface NewToken {
  readonly id: string;
  readonly kind: 'operator' | 'agent';
  readonly tenantId: string;
  readonly operatorId?: string;
  readonly agentId?: string;
  readonly name: string;
  readonly hash: Buffer;
  readonly display: string;
  readonly abilities: readonly string[];
  readonly createdBy: string;
  readonly expiresAt: Date | undefined;
}

export async function insertToken(tx: Tx, token: NewToken): Promise<Omit<TokenRow, 'of_name'>> {
  const [row] = await tx.query<TokenRow>(
    `INSERT INTO access.tokens AS t
       (id, kind, tenant_id, operator_id, agent_id, name, hash, display, abilities, created_by, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING ${TOKEN}`,
    [
      token.id,
      token.kind,
      token.tenantId,
      token.operatorId ?? null,
      token.agentId ?? null,
      token.name,
      token.hash,
      token.display,
      token.abilities,
      token.createdBy,
      token.expiresAt ?? null,
    ],
  );
  return row!;
}

// Under a tenant's scope operators are invisible: their tokens for this tenant show as "operator".
const OF_NAME = `coalesce(a.slug, o.name, 'operator') AS of_name`;

export async function listTokens(
  tx: Tx,
  filter: { before: string | undefined; limit: number; tenantId: string | undefined },
  fleetWide: boolean,
): Promise<TokenRow[]> {
  const join = fleetWide ? 'LEFT JOIN access.operators o ON o.id = t.operator_id' : '';
  return tx.query<TokenRow>(
    `SELECT ${TOKEN}, ${fleetWide ? OF_NAME : `coalesce(a.slug, 'operator') AS of_name`} FROM access.tokens t
     LEFT JOIN access.agents a ON a.id = t.agent_id ${join}
     WHERE ($1::uuid IS NULL OR t.id < $1) AND ($2::uuid IS NULL OR t.tenant_id = $2)
     ORDER BY t.id DESC LIMIT $3`,
    [filter.before ?? null, filter.tenantId ?? null, filter.limit],
  );
}

/** Ends a token that is still valid; answers it, or undefined when there is none. */
export async function revokeToken(
  tx: Tx,
  id: string,
): Promise<{ revoked_at: Date; tenant_id: string; changed: boolean; of_id: string } | undefined> {
  const [row] = await tx.query<{ revoked_at: Date; tenant_id: string; of_id: string }>(
    `UPDATE access.tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL
     RETURNING revoked_at, tenant_id, coalesce(operator_id, agent_id) AS of_id`,
    [id],
  );
  if (row !== undefined) return { ...row, changed: true };
  const [ended] = await tx.query<{ revoked_at: Date; tenant_id: string; of_id: string }>(
    'SELECT revoked_at, tenant_id, coalesce(operator_id, agent_id) AS of_id FROM access.tokens WHERE id = $1',
    [id],
  );
  return ended === undefined ? undefined : { ...ended, changed: false };
}

export async function revokeAgentTokens(tx: Tx, agentId: string, name: string | undefined): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `UPDATE access.tokens SET revoked_at = now()
     WHERE agent_id = $1 AND revoked_at IS NULL AND ($2::text IS NULL OR name = $2) RETURNING id`,
    [agentId, name ?? null],
  );
  return rows.map((row) => row.id);
}

/** Removes tokens of agents that ended 90 days ago and before; answers how many. What happened to them is in the log. */
export async function forgetEndedTokens(tx: Tx): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM access.tokens WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM access.tokens
       WHERE kind = 'agent' AND least(revoked_at, expires_at) < clock_timestamp() - interval '90 days' LIMIT 10000))
     RETURNING 1`,
  );
  return rows.length;
}
