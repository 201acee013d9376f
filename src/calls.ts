// Makes calls: puts together who asks, the scope the database judges it in, and the doors to the database.
import { type KeyedRequest, runOnce } from './domains/access/index.ts';
import type { BrowserSession, Call, Caller } from './platform/call.ts';
import { type Database, fleetScope, type Scope, type Tx } from './platform/db/database.ts';
import { randomBase62 } from './platform/ids.ts';
import { FLEET_TENANT } from './platform/tenants.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly requestId?: string;
  readonly correlationId?: string | undefined;
  /** As it came, not yet looked at. */
  readonly traceparent?: string | undefined;
  readonly browser?: BrowserSession | undefined;
  /** With the key of the request come the operation and its input, which the key must belong to. */
  readonly idempotency?: Omit<KeyedRequest, 'caller'> | undefined;
}

const never = new AbortController().signal;

export function makeCall(db: Database, caller: Caller, options: CallOptions = {}): Call {
  const scope = scopeOf(caller);
  const { idempotency } = options;
  return {
    caller,
    scope,
    requestId: options.requestId ?? newRequestId(),
    signal: options.signal ?? never,
    ...(options.correlationId === undefined ? {} : { correlationId: options.correlationId }),
    ...(options.traceparent === undefined ? {} : { traceparent: options.traceparent }),
    ...(options.browser === undefined ? {} : { browser: options.browser }),
    ...(idempotency === undefined ? {} : { idempotencyKey: idempotency.key }),
    read: (work) => db.read(scope, work),
    write: <T>(work: (tx: Tx) => Promise<T>) =>
      db.write(scope, (tx) =>
        idempotency === undefined ? work(tx) : runOnce(tx, { caller, ...idempotency }, () => work(tx)),
      ),
  };
}

// Unique over processes by its first part, within one by its count.
const processPart = randomBase62(12);
let requests = 0;

export function newRequestId(): string {
  return `req_${processPart}${(++requests).toString(36)}`;
}

// A credential of the fleet sees every tenant; every other sees its own, and the database holds it to that.
function scopeOf(caller: Caller): Scope {
  return caller.tenant.id === FLEET_TENANT ? fleetScope : { kind: 'tenant', tenantId: caller.tenant.id };
}
