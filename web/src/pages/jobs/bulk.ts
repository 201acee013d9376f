// The same thing done to all jobs that a filter finds: counted first, which freezes the filter, then page by page until
// all are dealt with or somebody stops it. Pure but for what it is given to call.
import type { JobState } from '../../api/routes.ts';
import type { JobFilter } from './job-filter.ts';

export type BulkKind = 'cancel' | 'replay';

export interface Answer {
  readonly done: readonly { readonly id: string; readonly job?: string }[];
  readonly refused: readonly { readonly id: string; readonly code: string }[];
  readonly matched: number;
  readonly newest: string | null;
  readonly more: boolean;
}

export interface Outcome {
  readonly id: string;
  /** The new job, where there is one. */
  readonly job?: string;
  /** Why it was refused. */
  readonly code?: string;
}

export type Ask = (input: { up_to?: string; dry_run?: boolean; limit?: number }) => Promise<Answer>;

export const PAGE = 100;
const LARGEST = 1000;
const OPEN: readonly JobState[] = ['scheduled', 'queued', 'awaiting_approval', 'running'];
const ENDED: readonly JobState[] = ['dead', 'cancelled'];

/** What can be done to all that this filter shows; without a state, what has not ended is cancelled, what is dead replayed. */
export function possible(filter: JobFilter): readonly BulkKind[] {
  if (filter.agent !== undefined) return [];
  if (filter.state === undefined) return ['replay', 'cancel'];
  if (OPEN.some((state) => state === filter.state)) return ['cancel'];
  return ENDED.some((state) => state === filter.state) ? ['replay'] : [];
}

/** Outcomes of page after page. Ends when nothing is left, when `isStopped` says so, or when only refused ones come. */
export async function* runBulk(
  ask: Ask,
  upTo: string,
  isStopped: () => boolean,
): AsyncGenerator<readonly Outcome[], 'all' | 'stopped' | 'stuck'> {
  const dealt = new Set<string>();
  let limit = PAGE;
  for (;;) {
    if (isStopped()) return 'stopped';
    const { done, refused, more } = await ask({ up_to: upTo, limit });
    const outcomes: Outcome[] = [...done, ...refused].filter(({ id }) => !dealt.has(id));
    for (const { id } of outcomes) dealt.add(id);
    yield outcomes;
    if (!more) return 'all';
    // The refused stay what the filter finds, and come again at the head of the next page.
    if (outcomes.length === 0 && limit === LARGEST) return 'stuck';
    limit = refused.length > 0 ? LARGEST : PAGE;
  }
}
