// An answer or an event without what differs from one installation to the next: ids, times, secrets, positions.

const FORMS: readonly (readonly [RegExp, string])[] = [
  [/\b(job|tok|req|ses|evt|apr|bat)_[0-9A-Za-z]{8,}\b/g, '$1_…'],
  // Events of a request with an Idempotency-Key have ids made of the key.
  [/^key:[\w-]+:\d+$/, '<uuid>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uuid>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>'],
  [/\bpostgres:\/\/\S+/g, '<secret>'],
  [/\bqd_[a-z]+_[\w…-]+/g, '<secret>'],
  [/^[0-9a-f]{6,}-\d+$/, '<cursor>'],
];
/** Fields whose every value differs. */
const ALWAYS_DIFFERENT = new Set(['lease', 'display', 'oldest_queued_seconds', 'events_per_second']);

export function comparable(value: unknown): unknown {
  if (typeof value === 'string') return FORMS.reduce((text, [form, word]) => text.replace(form, word), value);
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, ALWAYS_DIFFERENT.has(name) ? `<${name}>` : comparable(field)]),
  );
}
