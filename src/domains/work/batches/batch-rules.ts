// What becomes of a batch when something happens to its children: pure rules, no SQL, no clock.

export type BatchState = 'open' | 'closed' | 'stopping' | 'done' | 'failed' | 'cancelled';

export interface BatchCounts {
  /** Children: jobs, and batches within this one. */
  readonly total: number;
  readonly done: number;
  readonly dead: number;
  readonly cancelled: number;
}

export interface Batch extends BatchCounts {
  readonly state: BatchState;
  readonly on_failure: 'continue' | 'cancel_rest';
  /** Who cancelled it as a whole. */
  readonly cancelled_by: string | null;
}

/** What a transaction does to a batch, summed up. */
export interface BatchChange extends BatchCounts {
  /** No more children are to come. */
  readonly close?: boolean;
  /** What has not ended is to be cancelled. */
  readonly cancel?: { readonly by: string; readonly reason: string | undefined };
}

export const NO_CHANGE: BatchChange = { total: 0, done: 0, dead: 0, cancelled: 0 };

export function hasEnded({ state }: Pick<Batch, 'state'>): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

/** One that is open, or closed while children still run, goes on to be stopped; only once nothing is left it has ended. */
export function changeBatch(batch: Batch, change: BatchChange): Batch {
  const counts = {
    total: batch.total + change.total,
    done: batch.done + change.done,
    dead: batch.dead + change.dead,
    cancelled: batch.cancelled + change.cancelled,
  };
  let { state, cancelled_by } = batch;
  if (state === 'open' && change.close) state = 'closed';
  if ((state === 'open' || state === 'closed') && batch.on_failure === 'cancel_rest' && counts.dead > 0) {
    state = 'stopping';
  }
  if (change.cancel !== undefined && !hasEnded(batch)) {
    state = 'stopping';
    cancelled_by ??= change.cancel.by;
  }
  const isOver = counts.done + counts.dead + counts.cancelled === counts.total;
  if (isOver && (state === 'closed' || state === 'stopping')) {
    if (cancelled_by !== null) state = 'cancelled';
    else state = counts.dead + counts.cancelled > 0 ? 'failed' : 'done';
  }
  return { ...batch, ...counts, state, cancelled_by };
}

/** How the end of a batch counts for the batch that it is a child of. */
export function countAsChild(state: BatchState): keyof BatchCounts {
  return state === 'failed' ? 'dead' : state === 'cancelled' ? 'cancelled' : 'done';
}
