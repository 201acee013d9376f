// The filter of events: from what is typed, to the address, to the request, and to a judgement of live events. Pure.
import type { EventItem } from '../../api/routes.ts';
import { revealedText } from '../../ui/reveal.ts';
import { words } from './words.ts';

export const filterNames = ['type', 'agent', 'subject', 'correlation', 'tenant', 'since'] as const;
export type FilterName = (typeof filterNames)[number];
export type EventFilter = { readonly [name in FilterName]?: string };

const spans: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const span = /^(\d{1,5})([smhd])$/;

/** Reads `type:work.* subject:"a b"`. What is no filter is said, never ignored. */
export function parseFilter(text: string): { filter: EventFilter; problems: string[] } {
  const filter: { [name in FilterName]?: string } = {};
  const problems: string[] = [];
  for (const match of text.matchAll(/(?:(\w+):)?(?:"([^"]*)"|(\S+))|(\w+:)(?=\s|$)/g)) {
    const [whole, key, quoted, bare] = match;
    const value = quoted ?? bare ?? '';
    const name = filterNames.find((known) => known === key);
    if (key === undefined) {
      problems.push(/^\w+:$/.test(whole) ? words.emptyValue(whole) : words.freeText(whole));
    } else if (name === undefined) problems.push(words.unknown(`${key}:`));
    else if (value === '') problems.push(words.emptyValue(`${key}:`));
    else if (name === 'since' && secondsOf(value) === undefined) problems.push(words.badSince(value));
    else filter[name] = value;
  }
  return { filter, problems };
}

export function chipsOf(filter: EventFilter): { name: FilterName; text: string }[] {
  return filterNames.flatMap((name) => {
    const value = filter[name];
    if (value === undefined) return [];
    return [{ name, text: `${name}:${revealedText(/\s/.test(value) ? `"${value}"` : value)}` }];
  });
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
