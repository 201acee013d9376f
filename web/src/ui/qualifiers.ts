// Filters as they are typed: `state:queued agent:"night pricer"`. Which names there are, and what is said of the rest, a
// page decides. Pure.
import { revealedText } from './reveal.ts';

export type Filter<N extends string> = { readonly [name in N]?: string | undefined };

export interface QualifierRules<N extends string> {
  readonly names: readonly N[];
  readonly unknown: (word: string) => string;
  readonly freeText: (word: string) => string;
  readonly emptyValue: (word: string) => string;
  /** What is wrong with a value, when something is. */
  readonly problemOf?: (name: N, value: string) => string | undefined;
}

/** What is no filter is said, never ignored. */
export function readQualifiers<N extends string>(
  text: string,
  rules: QualifierRules<N>,
): { filter: Filter<N>; problems: string[] } {
  const filter: { [name in N]?: string } = {};
  const problems: string[] = [];
  for (const match of text.matchAll(/(?:(\w+):)?(?:"([^"]*)"|(\S+))|(\w+:)(?=\s|$)/g)) {
    const [whole, key, quoted, bare] = match;
    const value = quoted ?? bare ?? '';
    const name = rules.names.find((known) => known === key);
    if (key === undefined) {
      problems.push(/^\w+:$/.test(whole) ? rules.emptyValue(whole) : rules.freeText(whole));
    } else if (name === undefined) problems.push(rules.unknown(`${key}:`));
    else if (value === '') problems.push(rules.emptyValue(`${key}:`));
    else {
      const problem = rules.problemOf?.(name, value);
      if (problem === undefined) filter[name] = value;
      else problems.push(problem);
    }
  }
  return { filter, problems };
}

export function qualifierChips<N extends string>(
  filter: Filter<N>,
  names: readonly N[],
): { readonly name: N; readonly text: string }[] {
  return names.flatMap((name) => {
    const value = filter[name];
    if (value === undefined) return [];
    return [{ name, text: `${name}:${revealedText(/\s/.test(value) ? `"${value}"` : value)}` }];
  });
}
