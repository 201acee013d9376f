// SQL from the hash of a presented secret to whom it stands for.
import type { Tx } from '../../platform/db/database.ts';

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
