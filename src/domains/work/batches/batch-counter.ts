// The one place that counts children of batches. Whoever adds or ends jobs says so here; it is summed up and written once,
// at the end of the transaction: by then every lock on a job is taken, so the locks of batches come last for everybody
// and nobody waits crosswise. Who counts the last child sees that under the lock, and adds the job that comes after.
import { isDeepStrictEqual } from 'node:util';
import type { Call } from '../../../platform/call.ts';
import type { Tx } from '../../../platform/db/database.ts';
import { wireId } from '../../../platform/ids.ts';
import type { Log } from '../../log/index.ts';
import { workErrors } from '../errors.ts';
import { workEvents } from '../events.ts';
import type { AfterJob } from '../new-job.ts';
import { type BatchChange, changeBatch, countAsChild, hasEnded, NO_CHANGE } from './batch-rules.ts';
import * as store from './batch-store.ts';

export interface BatchCounterOptions {
  readonly log: Log;
  /** Adds the job that comes after a batch; answers its id. */
  readonly addAfter: (tx: Tx, call: Call, tenantId: string, job: AfterJob) => Promise<string>;
}

type Pending = Map<string, BatchChange>;

interface Written {
  /** By id, as they are now. */
  readonly rows: ReadonlyMap<string, store.BatchRow>;
  /** Those that ended just now. */
  readonly ended: readonly store.BatchRow[];
}

export class BatchCounter {
  readonly #options: BatchCounterOptions;
  readonly #pending = new WeakMap<Tx, Pending>();

  constructor(options: BatchCounterOptions) {
    this.#options = options;
  }

  /** Notes what happened to a batch in this transaction, of which the jobs are locked. */
  count(tx: Tx, call: Call, batchId: string | null | undefined, change: Partial<BatchChange>): void {
    if (batchId === null || batchId === undefined) return;
    let pending = this.#pending.get(tx);
    if (pending === undefined) {
      pending = new Map();
      this.#pending.set(tx, pending);
      tx.beforeCommit(async () => {
        await this.flush(tx, call);
      });
    }
    pending.set(batchId, sum(pending.get(batchId) ?? NO_CHANGE, change));
  }

  /**
   * Writes what was noted, now instead of at the end: for a verb that answers the batch, as its last step. Throws
   * `work.batch_not_found`, and `work.batch_closed` where children came to a batch that takes no more.
   */
  async flush(tx: Tx, call: Call): Promise<ReadonlyMap<string, store.BatchRow>> {
    const pending = this.#pending.get(tx);
    if (pending === undefined) return new Map();
    this.#pending.delete(tx);
    const within = await this.#write(tx, call, pending, true);
    for (const row of within.rows.values()) pending.delete(row.id);
    for (const row of within.ended) {
      const asChild = { [countAsChild(row.state)]: 1 };
      pending.set(row.parent_id!, sum(pending.get(row.parent_id!) ?? NO_CHANGE, asChild));
    }
    const own = await this.#write(tx, call, pending, false);
    for (const id of pending.keys()) {
      if (!own.rows.has(id)) throw workErrors.batch_not_found({ batch: wireId('bat', id) });
    }
    return new Map([...within.rows, ...own.rows]);
  }

  async #write(tx: Tx, call: Call, pending: Pending, within: boolean): Promise<Written> {
    if (pending.size === 0) return { rows: new Map(), ended: [] };
    const rows = await store.lockBatches(tx, [...pending.keys()], within);
    const changed: Parameters<typeof store.updateBatches>[1][number][] = [];
    for (const row of rows) {
      const change = pending.get(row.id)!;
      if (change.total > 0 && row.state !== 'open') throw workErrors.batch_closed({ batch: wireId('bat', row.id) });
      const now = changeBatch(row, change);
      if (isDeepStrictEqual(now, row)) continue;
      const endsNow = hasEnded(now) && !hasEnded(row);
      changed.push({
        ...now,
        id: row.id,
        cancelled_reason: row.cancelled_reason ?? change.cancel?.reason ?? null,
        on_done_job: endsNow ? await this.#addAfter(tx, call, row, now) : row.on_done_job,
        ended: hasEnded(now),
      });
    }
    const before = new Map(rows.map((row) => [row.id, row]));
    const after = changed.length === 0 ? [] : await store.updateBatches(tx, changed);
    await this.#options.log.append(
      tx,
      call,
      after.flatMap((row) => eventsOf(before.get(row.id)!, row)),
    );
    return {
      rows: new Map([...rows, ...after].map((row) => [row.id, row])),
      ended: after.filter((row) => hasEnded(row) && !hasEnded(before.get(row.id)!)),
    };
  }

  // Who cancels a batch as a whole does not want what was to come after.
  async #addAfter(tx: Tx, call: Call, row: store.BatchRow, now: ReturnType<typeof changeBatch>) {
    if (row.on_done === null || now.state === 'cancelled') return null;
    const { state, total, done, dead, cancelled } = now;
    const batch = { batch: wireId('bat', row.id), name: row.name, state, total, done, dead, cancelled };
    return this.#options.addAfter(tx, call, row.tenant_id, {
      ...row.on_done,
      payload: { ...row.on_done.payload, batch },
    });
  }
}

function sum(one: BatchChange, other: Partial<BatchChange>): BatchChange {
  const cancel = one.cancel ?? other.cancel;
  return {
    total: one.total + (other.total ?? 0),
    done: one.done + (other.done ?? 0),
    dead: one.dead + (other.dead ?? 0),
    cancelled: one.cancelled + (other.cancelled ?? 0),
    close: one.close === true || other.close === true,
    ...(cancel === undefined ? {} : { cancel }),
  };
}

function eventsOf(before: store.BatchRow, now: store.BatchRow) {
  if (before.state === now.state) return [];
  const batch = wireId('bat', now.id);
  const about = { subject: `batch:${batch}`, tenantId: now.tenant_id };
  const named = { batch, name: now.name ?? undefined };
  const { total, done, dead, cancelled } = now;
  const reason = now.cancelled_reason ?? undefined;
  const events = [];
  if (before.state === 'open' && now.state !== 'stopping' && now.cancelled_by === null) {
    events.push(workEvents.make('batch.closed', { ...named, total }, about));
  }
  if (hasEnded(now)) {
    const on_done_job = now.on_done_job === null ? undefined : wireId('job', now.on_done_job);
    const state = now.state as 'done' | 'failed' | 'cancelled';
    events.push(workEvents.make('batch.ended', { ...named, state, total, done, dead, cancelled, on_done_job }, about));
  } else if (now.state === 'stopping') {
    events.push(workEvents.make('batch.stopping', { ...named, reason }, about));
  }
  return events;
}
