// How a batch of jobs is told of: one event per tenant that names all of them, with a subject when it is one job only.
import { wireId } from '../../platform/ids.ts';
import type { CountChange } from './read-store.ts';

export function byTenant<T extends { readonly tenant_id: string }>(rows: readonly T[]): [string, T[]][] {
  return [...Map.groupBy(rows, (row) => row.tenant_id)];
}

export function nameJob(row: { readonly id: string; readonly kind: string; readonly queue: string }) {
  return { id: wireId('job', row.id), kind: row.kind, queue: row.queue };
}

/** `jobs` as the event names them, by wire ids. */
export function subjectOf(jobs: readonly { readonly id: string }[]): string | undefined {
  return jobs.length === 1 ? `job:${jobs[0]!.id}` : undefined;
}

type Counted = 'added' | 'done' | 'dead' | 'cancelled' | 'failed_attempts';

/** Sums of a batch, one change per tenant and queue. */
export class CountSums {
  readonly #sums = new Map<string, { tenant_id: string; queue: string } & Partial<Record<Counted, number>>>();

  add(job: { readonly tenant_id: string; readonly queue: string }, what: Counted): void {
    const key = `${job.tenant_id}/${job.queue}`;
    const sum = this.#sums.get(key) ?? { tenant_id: job.tenant_id, queue: job.queue };
    sum[what] = (sum[what] ?? 0) + 1;
    this.#sums.set(key, sum);
  }

  changes(): CountChange[] {
    return [...this.#sums.values()];
  }
}
