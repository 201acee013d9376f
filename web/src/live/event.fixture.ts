// Events for the tests of the live feed.
import type { EventItem } from '../api/routes.ts';

export function event(n: number, more: Partial<EventItem> = {}): EventItem {
  return {
    cursor: `e-${n}`,
    id: `id-${n}`,
    at: new Date(1_700_000_000_000 + n).toISOString(),
    event_type: 'price.checked',
    source_agent: 'pricer',
    tenant: 'acme',
    subject: null,
    payload: {},
    correlation_id: null,
    causation_id: null,
    ...more,
  };
}
