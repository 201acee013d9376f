// Sends what waits, by the SDK's outbox: it tries again, sets aside what the server never takes, and keeps the rest.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type HookEvent, Spool } from './spool.ts';
import { type Connection, digest, privateDir, writePrivate } from './state.ts';

// The part of the SDK that is needed. It is its own package beside this one, so it is found when this runs.
interface Outbox {
  readonly waiting: number;
  readonly problem: unknown;
  emit(type: string, payload: HookEvent['payload'], details: Omit<HookEvent, 'event_type' | 'payload'>): Promise<void>;
  flush(ms: number): Promise<boolean>;
  close(ms: number): Promise<void>;
}
type Client = new (options: { url: string; token: string; timeoutMs: number; retryForMs: number }) => object;

export interface Sent {
  /** Events that still wait. */
  readonly waiting: number;
  /** Why, when it is known. */
  readonly problem: string | null;
}

/** An outbox that has grown to this takes nothing more in; then the spool fills, and then events are dropped. */
const OUTBOX_BYTES = 8 * 1024 * 1024;
const ANSWER_LIMIT_MS = 10_000;

/** Answers what is left after `limitMs` at most; undefined when another process is sending already. */
export async function sendWaiting(box: string, connection: Connection, limitMs: number): Promise<Sent | undefined> {
  privateDir(box);
  const spool = new Spool(box);
  const { openOutbox, client } = await loadSdk(connection);
  const endsAt = performance.now() + limitMs;
  for (;;) {
    const outbox = await openOutbox(join(box, 'outbox'), client).catch((error: Error) => {
      if (/held by process/.test(error.message)) return undefined;
      throw error;
    });
    if (outbox === undefined) return undefined;
    const left = await drain(outbox, spool, box, endsAt);
    writePrivate(join(box, 'last.json'), JSON.stringify({ at: new Date().toISOString(), ...left }));
    // Who laid an event down while this one had the outbox has gone; so it is looked after once more, now that it is free.
    if (left.waiting > 0 || spool.waiting === 0 || performance.now() > endsAt) return left;
  }
}

/** How many events a box holds that are not sent, as far as that can be seen from outside. */
export function boxSize(box: string): { readonly spooled: number; readonly bytes: number; readonly dropped: number } {
  const spool = new Spool(box);
  return { spooled: spool.waiting, bytes: outboxBytes(box), dropped: spool.dropped };
}

async function drain(outbox: Outbox, spool: Spool, box: string, endsAt: number): Promise<Sent> {
  try {
    const isFull = outboxBytes(box) > OUTBOX_BYTES;
    if (!isFull) await spool.take(({ event_type, payload, ...details }) => outbox.emit(event_type, payload, details));
    const isSent = await outbox.flush(Math.max(0, endsAt - performance.now()));
    if (isSent && !isFull && spool.dropped > 0) {
      const payload = { dropped: spool.dropped };
      await outbox.emit('hook.events_dropped', payload, { id: `hook:${digest(box, String(Date.now())).slice(0, 40)}` });
      spool.forgetDropped();
      await outbox.flush(Math.max(0, endsAt - performance.now()));
    }
    return { waiting: outbox.waiting, problem: outbox.waiting === 0 ? null : reasonOf(outbox.problem) };
  } finally {
    await outbox.close(0);
  }
}

async function loadSdk({ url, token }: Connection) {
  const isSource = import.meta.url.endsWith('.ts');
  const place = new URL(`../../../sdk/${isSource ? 'src' : 'dist'}/`, import.meta.url).href;
  const ending = isSource ? '.ts' : '.js';
  const [{ openOutbox }, { Quarterdeck }] = (await Promise.all([
    import(`${place}outbox-node${ending}`),
    import(`${place}quarterdeck${ending}`),
  ])) as [{ openOutbox(path: string, client: object): Promise<Outbox> }, { Quarterdeck: Client }];
  return { openOutbox, client: new Quarterdeck({ url, token, timeoutMs: ANSWER_LIMIT_MS, retryForMs: 0 }) };
}

function reasonOf(problem: unknown): string | null {
  const { code, detail } = (problem ?? {}) as { code?: unknown; detail?: unknown };
  return typeof code === 'string' ? `${code}: ${String(detail).slice(0, 200)}` : null;
}

function outboxBytes(box: string): number {
  return statSync(join(box, 'outbox'), { throwIfNoEntry: false })?.size ?? 0;
}
