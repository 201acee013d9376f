// "Did you mean …?": the known word that is nearest to the one that was typed.

const LONGEST = 100;

/** Undefined when none is near: at most two letters apart, and never most of the word. */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  if (typed.length > LONGEST) return undefined;
  const limit = Math.min(2, Math.floor((typed.length - 1) / 2));
  let best: { readonly word: string; readonly steps: number } | undefined;
  for (const word of known) {
    const steps = distance(typed, word);
    if (steps <= limit && (best === undefined || steps < best.steps)) best = { word, steps };
  }
  return best?.word;
}

/** The sentence that is put behind a refusal; empty when nothing is near. */
export function suggestion(typed: string, known: Iterable<string>): string {
  const word = nearest(typed, known);
  return word === undefined ? '' : `Did you mean ${word}?`;
}

// Damerau-Levenshtein: two neighbours exchanged are one slip, for that is how fingers err.
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (isSame ? 0 : 1));
      const isExchange = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isExchange) least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
