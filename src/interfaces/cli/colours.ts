// Colours for people: on a terminal that takes them, unless NO_COLOR or --no-color says otherwise; FORCE_COLOR wins over
// what the terminal is. Never because a build server set CI, as the library itself would: pipes get plain text.
import picocolors from 'picocolors';

export type Colours = ReturnType<typeof picocolors.createColors>;

export interface ColourFacts {
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--no-color` was given. */
  readonly refused: boolean;
}

export function wantsColours({ isTerminal, env, refused }: ColourFacts): boolean {
  // no-color.org: any value but the empty one.
  if (refused || (env['NO_COLOR'] ?? '') !== '') return false;
  if (!['', '0', 'false'].includes(env['FORCE_COLOR'] ?? '')) return true;
  return isTerminal && env['TERM'] !== 'dumb';
}

export function coloursFor(facts: ColourFacts): Colours {
  return picocolors.createColors(wantsColours(facts));
}
