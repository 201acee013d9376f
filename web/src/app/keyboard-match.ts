// Which keys a press stands for: pairs, places where letters are text, and letters that are switched off. Pure.

export interface KeyPress {
  readonly key: string;
  readonly hasMod: boolean;
  readonly hasAlt: boolean;
  /** Where the press went: letters are text in a field; a button takes Enter and Space itself; a dialog has its own. */
  readonly place: 'page' | 'field' | 'control' | 'dialog';
}

/** The keys that a press stands for after `before` (the first key of a pair, if one waits), or undefined. */
export function match(press: KeyPress, before: string | undefined, known: ReadonlySet<string>, lettersOff: boolean) {
  const key = nameOf(press.key);
  if (press.hasMod) {
    const combined = `Mod ${key.toLowerCase()}`;
    return known.has(combined) ? combined : undefined;
  }
  if (press.hasAlt) return undefined;
  // A field is left by Esc, a dialog closed by it; only then is it the page's.
  if (press.place === 'field' || press.place === 'dialog') return undefined;
  if (press.place === 'control' && (key === 'Enter' || key === 'Space')) return undefined;
  if (lettersOff && key.length === 1) return undefined;
  const pair = before === undefined ? key : `${before} ${key}`;
  if (known.has(pair)) return pair;
  return known.has(key) ? key : undefined;
}

function nameOf(key: string): string {
  if (key === 'Escape') return 'Esc';
  return key === ' ' ? 'Space' : key;
}
