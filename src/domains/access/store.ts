// All SQL of the access room.
import type { Tx } from '../../platform/db/database.ts';

export interface TenantRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly created_at: Date;
}

export interface AgentIdentity {
  readonly id: string;
  readonly tenant_id: string;
  readonly slug: string;
  readonly kind: 'process' | 'external' | 'llm';
  readonly created_at: Date;
}

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
const AGENT = 'id, tenant_id, slug, kind, created_at';

export async function findTenants(tx: Tx, filter: { slug?: string; ids?: readonly string[] }): Promise<TenantRow[]> {
  return tx.query<TenantRow>(
    `SELECT id, slug, name, created_at FROM access.tenants
     WHERE ($1::text IS NULL OR slug = $1) AND ($2::uuid[] IS NULL OR id = ANY ($2))`,
    [filter.slug ?? null, filter.ids ?? null],
  );
}

export async function listTenants(tx: Tx, after: string | undefined, limit: number): Promise<TenantRow[]> {
  return tx.query<TenantRow>(
    `SELECT id, slug, name, created_at FROM access.tenants WHERE slug > $1 ORDER BY slug LIMIT $2`,
    [after ?? '', limit],
  );
}

export async function insertTenant(tx: Tx, tenant: { id: string; slug: string; name: string }): Promise<TenantRow> {
  const [row] = await tx.query<TenantRow>(
    'INSERT INTO access.tenants (id, slug, name) VALUES ($1, $2, $3) RETURNING id, slug, name, created_at',
    [tenant.id, tenant.slug, tenant.name],
  );
  return row!;
}

/** The operator of this name, made when missing. */
export async function ensureOperator(tx: Tx, id: string, name: string): Promise<{ id: string; created: boolean }> {
  const [row] = await tx.query<{ id: string }>(
    'INSERT INTO access.operators (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING id',
    [id, name],
  );
  if (row !== undefined) return { id: row.id, created: true };
  const [existing] = await tx.query<{ id: string }>('SELECT id FROM access.operators WHERE name = $1', [name]);
  return { id: existing!.id, created: false };
}

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

export interface CredentialRow {
  readonly id: string;
  readonly kind: 'operator' | 'agent' | 'session';
  readonly tenant_id: string;
  readonly tenant: string;
  readonly of_id: string;
  readonly of_name: string;
  readonly abilities: string[];
  readonly expires_at: Date | null;
  readonly revoked: boolean;
  readonly expired: boolean;
  readonly stale: boolean;
}

export async function findToken(tx: Tx, hash: Buffer): Promise<CredentialRow | undefined> {
  const [row] = await tx.query<CredentialRow>(
    `SELECT t.id, t.kind, t.tenant_id, n.slug AS tenant, coalesce(t.operator_id, t.agent_id) AS of_id,
            coalesce(a.slug, o.name) AS of_name, t.abilities, t.expires_at,
            t.revoked_at IS NOT NULL OR a.removed_at IS NOT NULL AS revoked,
            coalesce(t.expires_at <= now(), false) AS expired,
            coalesce(t.last_used_at < now() - interval '1 minute', true) AS stale
     FROM access.tokens t JOIN access.tenants n ON n.id = t.tenant_id
     LEFT JOIN access.agents a ON a.id = t.agent_id LEFT JOIN access.operators o ON o.id = t.operator_id
     WHERE t.hash = $1`,
    [hash],
  );
  return row;
}

export async function findSession(tx: Tx, hash: Buffer): Promise<CredentialRow | undefined> {
  const [row] = await tx.query<CredentialRow>(
    `SELECT s.id, 'session' AS kind, n.id AS tenant_id, n.slug AS tenant, o.id AS of_id, o.name AS of_name,
            '{}'::text[] AS abilities, s.expires_at, false AS revoked, s.expires_at <= now() AS expired, false AS stale
     FROM access.sessions s JOIN access.operators o ON o.id = s.operator_id, access.tenants n
     WHERE s.hash = $1 AND n.id = platform.fleet_tenant()`,
    [hash],
  );
  return row;
}

export async function touchToken(tx: Tx, id: string): Promise<void> {
  await tx.query('UPDATE access.tokens SET last_used_at = now() WHERE id = $1', [id]);
}

export async function insertLink(tx: Tx, hash: Buffer, operatorId: string, minutes: number): Promise<Date> {
  await tx.query('DELETE FROM access.sign_in_links WHERE expires_at < now()');
  const [row] = await tx.query<{ expires_at: Date }>(
    `INSERT INTO access.sign_in_links (hash, operator_id, expires_at)
     VALUES ($1, $2, now() + make_interval(mins => $3)) RETURNING expires_at`,
    [hash, operatorId, minutes],
  );
  return row!.expires_at;
}

/** Uses a link up; undefined when it is unknown, used or expired. */
export async function takeLink(tx: Tx, hash: Buffer): Promise<{ id: string; name: string } | undefined> {
  const [row] = await tx.query<{ id: string; name: string }>(
    `WITH taken AS (DELETE FROM access.sign_in_links WHERE hash = $1 AND expires_at > now() RETURNING operator_id)
     SELECT o.id, o.name FROM taken JOIN access.operators o ON o.id = taken.operator_id`,
    [hash],
  );
  return row;
}

export async function insertSession(
  tx: Tx,
  session: { id: string; hash: Buffer; operatorId: string; days: number; userAgent?: string; address?: string },
): Promise<Date> {
  const [row] = await tx.query<{ expires_at: Date }>(
    `INSERT INTO access.sessions (id, hash, operator_id, expires_at, user_agent, address)
     VALUES ($1, $2, $3, now() + make_interval(days => $4), $5, $6) RETURNING expires_at`,
    [
      session.id,
      session.hash,
      session.operatorId,
      session.days,
      session.userAgent?.slice(0, 300) ?? null,
      session.address ?? null,
    ],
  );
  return row!.expires_at;
}

export async function deleteSession(tx: Tx, id: string): Promise<boolean> {
  return (await tx.query('DELETE FROM access.sessions WHERE id = $1 RETURNING 1', [id])).length > 0;
}

export interface KeyUse {
  readonly tenantId: string;
  readonly callerId: string;
  readonly key: string;
  readonly hash: Buffer;
}

/** Takes the key; undefined when it is new, else what was stored under it. Waits for a transaction that holds it. */
export async function takeKey(tx: Tx, use: KeyUse): Promise<{ hash: Buffer; result: unknown } | undefined> {
  const taken = await tx.query(
    `INSERT INTO access.idempotency_keys (tenant_id, caller_id, key, hash) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING RETURNING 1`,
    [use.tenantId, use.callerId, use.key, use.hash],
  );
  if (taken.length > 0) return undefined;
  const [row] = await tx.query<{ hash: Buffer; result: unknown }>(
    'SELECT hash, result FROM access.idempotency_keys WHERE tenant_id = $1 AND caller_id = $2 AND key = $3',
    [use.tenantId, use.callerId, use.key],
  );
  return row;
}

export async function keepResult(tx: Tx, use: KeyUse, result: unknown): Promise<void> {
  await tx.query(
    'UPDATE access.idempotency_keys SET result = $4 WHERE tenant_id = $1 AND caller_id = $2 AND key = $3',
    [use.tenantId, use.callerId, use.key, JSON.stringify(result ?? null)],
  );
}

export async function forgetOldKeys(tx: Tx): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM access.idempotency_keys WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM access.idempotency_keys WHERE at < now() - interval '72 hours' LIMIT 10000)) RETURNING 1`,
  );
  return rows.length;
}

export async function forgetOldSessions(tx: Tx): Promise<void> {
  await tx.query("DELETE FROM access.sessions WHERE expires_at < now() - interval '1 day'");
}
