// What the outside may ask of the log.
import { z } from 'zod';
import { cursor, eventType, jsonObject, page, pageLimit, slug, timestamp, waitSeconds } from '../../platform/fields.ts';
import { operation } from '../../platform/operation.ts';

const eventId = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9._:-]+$/, 'letters, digits and . _ : -')
  .describe('Chosen by the sender; the same id again within 72 hours answers the first result');

const newEventFields = {
  event_type: eventType,
  payload: jsonObject.default({}),
  subject: z.string().min(1).max(200).optional().describe('What it is about, like job:job_… or agent:pricer'),
  id: eventId.optional(),
  correlation_id: z.string().min(1).max(64).optional(),
  causation_id: z.string().min(1).max(64).optional(),
};

export const newEvent = z.strictObject(newEventFields);

export const event = z.object({
  cursor: z.string(),
  id: z.string(),
  at: z.string(),
  event_type: z.string(),
  source_agent: z.string(),
  tenant: z.string(),
  subject: z.string().nullable(),
  payload: jsonObject,
  correlation_id: z.string().nullable(),
  causation_id: z.string().nullable(),
});

export type EventItem = z.output<typeof event>;
export type NewEventInput = z.output<typeof newEvent>;

export const appendEvents = operation({
  name: 'log.event.append',
  summary: 'Append one event or a batch; `source_agent` is always the credential’s own name',
  ability: 'log:append',
  effect: 'write',
  method: 'POST',
  path: '/v1/events',
  status: 201,
  bodyLimit: 4 * 1024 * 1024,
  input: z.strictObject({
    events: z.array(newEvent).min(1).max(1000).optional().describe('A batch; or give the fields of one event instead'),
    event_type: eventType.optional(),
    payload: jsonObject.optional(),
    subject: newEventFields.subject,
    id: newEventFields.id,
    correlation_id: newEventFields.correlation_id,
    causation_id: newEventFields.causation_id,
    tenant: slug.optional().describe('Fleet credentials only: the tenant the events belong to'),
  }),
  output: z.object({
    events: z.array(
      z.object({ cursor: z.string().nullable(), id: z.string(), at: z.string().nullable(), duplicate: z.boolean() }),
    ),
    durable: z.enum(['db', 'spool']),
  }),
  errors: ['log.event_id_reused', 'log.event_too_large', 'log.reserved_event_type', 'access.tenant_not_found'],
  next: { operation: 'log.event.show', input: { cursor: 'events.0.cursor' } },
  cli: {
    words: 'event add',
    positional: ['event_type'],
    example: 'quarterdeck event add price.checked --payload \'{"sku":"A1"}\'',
  },
  example: { event_type: 'price.checked', payload: { sku: 'A1' } },
});

const filters = {
  event_type: z.string().max(100).optional().describe('Exact type, or a prefix like work.*'),
  source_agent: z.string().max(127).optional(),
  subject: z.string().max(200).optional(),
  correlation_id: z.string().max(64).optional(),
  tenant: slug.optional(),
};

export const listEvents = operation({
  name: 'log.event.list',
  summary: 'Read the log from a position, oldest first, or backwards from the newest',
  ability: 'log:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/events',
  input: z.strictObject({
    after: cursor.optional(),
    limit: pageLimit,
    order: z.enum(['asc', 'desc']).default('asc').describe('desc reads backwards from the newest, or from `after`'),
    since: timestamp.optional(),
    until: timestamp.optional(),
    ...filters,
  }),
  output: page(event),
  errors: ['log.bad_cursor', 'log.cursor_reset', 'access.tenant_not_found'],
  cli: {
    words: 'event list',
    columns: ['at', 'source_agent', 'event_type', 'subject', 'cursor'],
    example: 'quarterdeck event list --order desc --limit 20',
  },
  example: { limit: 20 },
});

export const showEvent = operation({
  name: 'log.event.show',
  summary: 'One event by its cursor',
  ability: 'log:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/events/{cursor}',
  input: z.strictObject({ cursor }),
  output: event,
  errors: ['log.event_not_found', 'log.bad_cursor', 'log.cursor_reset'],
  cli: { words: 'event show', positional: ['cursor'], example: 'quarterdeck event show 1f3c9a-42' },
  example: { cursor: '1f3c9a-42' },
});

export const live = operation({
  name: 'log.live',
  summary: 'Follow the log: WebSocket by upgrade, SSE by `Accept: text/event-stream`, else a long poll',
  kind: 'stream',
  ability: 'log:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/live',
  input: z.strictObject({
    topics: z
      .string()
      .max(2000)
      .optional()
      .describe('Comma-separated: everything, agent:<name>, job:<id>, tenant:<slug>, type:<event type or prefix.*>'),
    after: cursor.optional().describe('Continue behind this position; without it from now on'),
    wait: waitSeconds,
    limit: pageLimit,
  }),
  output: z.object({
    items: z.array(event),
    next_cursor: z.string(),
    state: z.enum(['resumed', 'resumed_from_db', 'reset']).describe('reset: fetch a snapshot, continuity is broken'),
  }),
  errors: ['log.bad_cursor', 'log.bad_topic', 'log.too_many_topics'],
  cli: { words: 'event tail', example: 'quarterdeck event tail --topics agent:pricer' },
  noMcp: 'a stream has no end; use log.event.list',
});

export const operations = { appendEvents, listEvents, showEvent, live };
