// When a process that ended by itself is started again: back-off with jitter, and the breaker that ends the trying. Pure.

export interface RestartHistory {
  /** When its processes ended by themselves, milliseconds since 1970; only those the breaker still counts. */
  readonly ends: readonly number[];
  /** Short runs in a row. */
  readonly streak: number;
}

export const freshHistory: RestartHistory = { ends: [], streak: 0 };

const SHORTEST_MS = 500;
const LONGEST_MS = 60_000;
/** A process that ran so long has shown that it can run: the back-off starts anew. */
const GOOD_RUN_MS = 60_000;
const BREAKER_ENDS = 5;
const BREAKER_WINDOW_MS = 60_000;

export type Verdict =
  | { readonly kind: 'again'; readonly delayMs: number }
  | { readonly kind: 'crashed'; readonly ends: number }
  | { readonly kind: 'done' };

export interface EndFacts {
  readonly restart: 'always' | 'on-failure' | 'never';
  /** Exit code; null when it is not known or there is none. */
  readonly code: number | null;
  readonly ranMs: number;
  readonly now: number;
  /** From 0 to 1. */
  readonly random: number;
}

export function judgeEnd(history: RestartHistory, end: EndFacts): { history: RestartHistory; verdict: Verdict } {
  if (end.restart === 'never' || (end.restart === 'on-failure' && end.code === 0)) {
    return { history: freshHistory, verdict: { kind: 'done' } };
  }
  const ends = [...history.ends.filter((at) => at > end.now - BREAKER_WINDOW_MS), end.now];
  const streak = end.ranMs >= GOOD_RUN_MS ? 1 : history.streak + 1;
  if (ends.length >= BREAKER_ENDS)
    return { history: { ends, streak }, verdict: { kind: 'crashed', ends: ends.length } };
  // Full jitter: a fleet that fell together does not come back in step. The first try comes within a second.
  const ceiling = Math.min(LONGEST_MS, 2 * SHORTEST_MS * 2 ** (streak - 1));
  const delayMs = Math.round(SHORTEST_MS + end.random * (ceiling - SHORTEST_MS));
  return { history: { ends, streak }, verdict: { kind: 'again', delayMs } };
}
