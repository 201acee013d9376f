// Idempotency-Key: the key is taken in the transaction of the change itself, so the first result and the change exist
// both or not at all, and two requests with one key at the same time make one change.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Caller } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import * as store from './idempotency-store.ts';

export interface KeyedRequest {
  readonly caller: Caller;
  readonly key: string;
  readonly operation: string;
  readonly input: unknown;
  /** The result shows a secret: no copy of it is kept, so a repeat is told so instead of getting it again. */
  readonly showsSecret: boolean;
}

/**
 * Runs `change` once per caller and key; a repeat with the same input gets the first result, which must be JSON.
 * Throws `idempotency_key_reused` when the input differs, `idempotent_secret_not_kept` when the result showed a secret.
 */
export async function runOnce<T>(tx: Tx, request: KeyedRequest, change: () => Promise<T>): Promise<T> {
  const use: store.KeyUse = {
    tenantId: request.caller.tenant.id,
    callerId: request.caller.id,
    key: request.key,
    hash: createHash('sha256')
      .update(JSON.stringify([request.operation, request.input]))
      .digest(),
  };
  const stored = await store.takeKey(tx, use);
  if (stored !== undefined) {
    if (!timingSafeEqual(stored.hash, use.hash)) throw platformErrors.idempotency_key_reused();
    if (request.showsSecret) throw platformErrors.idempotent_secret_not_kept();
    return stored.result as T;
  }
  const result = await change();
  if (!request.showsSecret) await store.keepResult(tx, use, result);
  return result;
}
