// The payload of an event in one line: `sku A1 · price 12`. Long values are cut; the drawer has all of it. Pure.
import { revealedText } from '../../ui/reveal.ts';

const MOST_KEYS = 8;
const LONGEST = 80;

export function summaryOf(payload: Readonly<Record<string, unknown>>): string {
  return Object.entries(payload)
    .filter(([, value]) => value !== null && value !== '')
    .slice(0, MOST_KEYS)
    .map(([key, value]) => `${key} ${cut(shortOf(value))}`)
    .map(revealedText)
    .join(' · ');
}

// Lists of things are told by how many there are and what the first is; a thing by its plain values.
function shortOf(value: unknown): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return 'none';
    const first = shortOf(value[0]);
    return value.length === 1 ? first : `${value.length}: ${first}, …`;
  }
  if (typeof value === 'object' && value !== null) {
    const plain = Object.values(value).filter((part) => part !== null && typeof part !== 'object');
    return [...new Set(plain.map(String))].join(' ');
  }
  return String(value);
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
