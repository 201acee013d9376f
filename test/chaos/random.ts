// Randomness with a seed that is printed, so that a failure can be run again: QD_SEED=<n>.

export interface Random {
  readonly seed: number;
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [from, to]. */
  between(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
}

/** Mulberry32: small, fast, good enough to choose whom to kill. */
export function seededRandom(seed = Number(process.env['QD_SEED'] ?? Date.now() % 1_000_000)): Random {
  note(`seed ${seed}`);
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    seed,
    next,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    pick: (items) => items[Math.floor(next() * items.length)]!,
  };
}

/** A line for whoever reads the output of the run. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
