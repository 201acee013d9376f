// The filter of events: from what is typed, to the address, to the request, and to a judgement of live events. Pure.
import type { EventItem } from '../../api/routes.ts';
import { type QualifierRules, qualifierChips, readQualifiers } from '../../ui/qualifiers.ts';
import { words } from './words.ts';

export const filterNames = ['type', 'agent', 'subject', 'correlation', 'tenant', 'since'] as const;
export type FilterName = (typeof filterNames)[number];
export type EventFilter = { readonly [name in FilterName]?: string | undefined };

const spans: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const span = /^(\d{1,5})([smhd])$/;

export const rules: QualifierRules<FilterName> = {
  names: filterNames,
  unknown: words.unknown,
  freeText: words.freeText,
  emptyValue: words.emptyValue,
  problemOf: (name, value) => (name === 'since' && secondsOf(value) === undefined ? words.badSince(value) : undefined),
};

/** Reads `type:work.* subject:"a b"`. What is no filter is said, never ignored. */
export function parseFilter(text: string): { filter: EventFilter; problems: string[] } {
  return readQualifiers(text, rules);
}

export function chipsOf(filter: EventFilter): { name: FilterName; text: string }[] {
  return qualifierChips(filter, filterNames);
}

/** The parameters of the request; `now` turns a span into a moment. */
export function requestOf(filter: EventFilter, now: number) {
  const seconds = filter.since === undefined ? undefined : secondsOf(filter.since);
  return {
    ...(filter.type === undefined ? {} : { event_type: filter.type }),
    ...(filter.agent === undefined ? {} : { source_agent: filter.agent }),
    ...(filter.subject === undefined ? {} : { subject: filter.subject }),
    ...(filter.correlation === undefined ? {} : { correlation_id: filter.correlation }),
    ...(filter.tenant === undefined ? {} : { tenant: filter.tenant }),
    ...(seconds === undefined ? {} : { since: new Date(now - seconds * 1000).toISOString() }),
  };
}

/** What the server would say of an event that has just happened. */
export function matches(filter: EventFilter, event: EventItem): boolean {
  return (
    (filter.type === undefined || isType(filter.type, event.event_type)) &&
    (filter.agent === undefined || filter.agent === event.source_agent) &&
    (filter.subject === undefined || filter.subject === event.subject) &&
    (filter.correlation === undefined || filter.correlation === event.correlation_id) &&
    (filter.tenant === undefined || filter.tenant === event.tenant)
  );
}

export function commandOf(filter: EventFilter, now: number): string {
  const options = Object.entries(requestOf(filter, now)).map(
    ([key, value]) => `--${key.replaceAll('_', '-')} ${/^[\w.:@-]+$/.test(value) ? value : `'${value}'`}`,
  );
  return ['quarterdeck event list --order desc', ...options].join(' ');
}

export function secondsOf(text: string): number | undefined {
  const match = span.exec(text);
  return match === null ? undefined : Number(match[1]) * spans[match[2]!]!;
}

function isType(wanted: string, type: string): boolean {
  if (!wanted.endsWith('*')) return wanted === type;
  return type.startsWith(wanted.slice(0, -1));
}
