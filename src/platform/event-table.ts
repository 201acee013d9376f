// In which each domain declares the types of its events with the schema of their payload. A room writes no event that
// is not declared, and the outside may not append one that is.
import { z } from 'zod';

export interface EventSpec {
  readonly summary: string;
  readonly payload: z.ZodObject;
}

/** An event as a room hands it to the log, in the transaction that makes it true. */
export interface NewEvent {
  readonly event_type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly subject?: string | undefined;
  /** Default: the tenant of the call's scope; the fleet's for a fleet-wide call. */
  readonly tenantId?: string | undefined;
  readonly causationId?: string | undefined;
}

type Extra = Pick<NewEvent, 'subject' | 'tenantId' | 'causationId'>;

export interface EventTable<T extends Record<string, EventSpec>> {
  readonly domain: string;
  readonly specs: Readonly<Record<string, EventSpec>>;
  /** `events.make('job.claimed', {…}, { subject })` → event of type `work.job.claimed`. Throws on a wrong payload. */
  make<K extends keyof T & string>(type: K, payload: z.input<T[K]['payload']>, extra?: Extra): NewEvent;
}

export function eventTable<const T extends Record<string, EventSpec>>(domain: string, specs: T): EventTable<T> {
  const full = Object.fromEntries(Object.entries(specs).map(([type, spec]) => [`${domain}.${type}`, spec]));
  return {
    domain,
    specs: full,
    make: (type, payload, extra = {}) => ({
      ...extra,
      event_type: `${domain}.${type}`,
      payload: z.parse(specs[type]!.payload, payload) as Record<string, unknown>,
    }),
  };
}
