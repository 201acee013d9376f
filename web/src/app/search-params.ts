// Search parameters as plain strings, so that an address reads `?state=late` and can be typed by hand.

export type SearchRecord = Record<string, string>;

export function parseSearch(text: string): SearchRecord {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return text === '' ? '' : `?${text.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%40', '@')}`;
}

/** Keeps the named parameters; others are not ours and fall away. */
export function only<K extends string>(names: readonly K[]) {
  return (search: Record<string, unknown>): { [key in K]?: string | undefined } => {
    const kept: { [key in K]?: string | undefined } = {};
    for (const name of names) {
      const value = search[name];
      if (typeof value === 'string' && value !== '') kept[name] = value;
    }
    return kept;
  };
}
