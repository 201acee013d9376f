// SQL of idempotency keys and the results kept under them.
import type { Tx } from '../../platform/db/database.ts';

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
