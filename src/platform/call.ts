// A call: one use of one operation by one caller. It carries who asks, in which scope the database is to judge it, and
// the two doors to the database. Services receive it; interfaces make it.
import type { Scope, Tx } from './db/database.ts';

export interface Caller {
  readonly kind: 'operator' | 'agent' | 'job' | 'system' | 'anonymous';
  /** Id of the operator or agent, or of the part of the system. */
  readonly id: string;
  /** Name that is written as `source_agent` of the events it causes: `operator:ada`, `pricer`, `system:engine`. */
  readonly name: string;
  readonly tenant: { readonly id: string; readonly slug: string };
  readonly abilities: ReadonlySet<string>;
  /** The credential used, so that its end ends streams too; undefined for the system itself. */
  readonly credential?: { readonly id: string; readonly kind: string };
  /** Set when the credential is a job's: the job and the agent that holds its lease. */
  readonly job?: { readonly id: string; readonly agentId: string };
}

export interface Call {
  readonly caller: Caller;
  readonly scope: Scope;
  /** Shown in errors and logs; also the correlation id of the events the call causes unless it brings one. */
  readonly requestId: string;
  readonly correlationId?: string;
  /** Ends when the caller is gone or the process stops. */
  readonly signal: AbortSignal;
  readonly idempotencyKey?: string;
  /** The trace it belongs to, as the header `traceparent` says it; set only while traces are recorded or one was brought. */
  readonly traceparent?: string;
  /** Set when a browser asks: how its session cookie is given and taken. */
  readonly browser?: BrowserSession;
  /** Runs statements that only read, in one transaction under the caller's scope. */
  read<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Runs a change in one transaction. With an idempotency key, a repeat gets the first result and nothing is changed:
   * so an operation calls it once, and what `work` answers is JSON.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

export interface BrowserSession {
  readonly facts: { readonly userAgent?: string; readonly address?: string };
  setSession(secret: string, expires: Date): void;
  clearSession(): void;
}
