// What the outside may ask of the log.
import { z } from 'zod';
import { cursor, eventType, jsonObject, page, pageLimit, slug, timestamp, waitSeconds } from '../../platform/fields.ts';
import { operation } from '../../platform/operation.ts';
import { problemKinds } from './seals/problem-kinds.ts';

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
  output: page(event).extend({
    archived_up_to: z
      .string()
      .nullable()
      .describe('Events up to this position are in the archive only (log.archive.read); null: all are here'),
  }),
  errors: ['log.bad_cursor', 'log.cursor_reset', 'log.archived', 'access.tenant_not_found'],
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
  errors: ['log.event_not_found', 'log.archived', 'log.bad_cursor', 'log.cursor_reset'],
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

export const showHead = operation({
  name: 'log.head',
  summary: 'The newest seal of the log; kept elsewhere, it shows later that nothing was cut off',
  ability: 'log:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/log/head',
  input: z.strictObject({}),
  output: z.object({
    head: z.string().nullable().describe('Number and hash of the newest seal'),
    sealed_at: z.string().nullable(),
    sealed_up_to: z.string().nullable().describe('Position of the last sealed event'),
    not_yet_sealed: z.int().describe('Events behind it, counted up to 100,000'),
    archived_up_to: z.string().nullable().describe('Events up to this position are in the archive only'),
  }),
  errors: ['log.fleet_only'],
  cli: { words: 'log head', example: 'quarterdeck log head' },
});

export const verifyLog = operation({
  name: 'log.verify',
  summary: 'Read events and archives against their seals and name what was tampered with, some seals at a time',
  ability: 'log:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/log/verification',
  input: z.strictObject({
    after: z.int().min(0).default(0).describe('Begin behind this seal: `next_after` of the answer before'),
    limit: z.int().min(1).max(1000).default(100).describe('Most seals in one answer; it also ends after two seconds'),
    head: z.string().max(100).optional().describe('A head that was kept elsewhere, as `log head` shows it'),
  }),
  output: z.object({
    intact: z.boolean().describe('Nothing was found wrong in what this answer covers'),
    seals: z.int().describe('How many seals were looked at'),
    rows: z.int().describe('How many events they cover'),
    problems: z.array(
      z.object({
        kind: z.enum(problemKinds),
        seal: z.int().nullable(),
        cursor: z.string().nullable().describe('The event it is about'),
        detail: z.string(),
      }),
    ),
    last_seal: z.string().nullable().describe('Number and hash of the last seal looked at'),
    next_after: z.int().nullable().describe('Give it as `after` to go on; null: all was looked at, also the head'),
  }),
  errors: ['log.fleet_only', 'log.bad_head'],
  cli: { words: 'log verify', example: 'quarterdeck log verify' },
  example: { limit: 10 },
});

export const listArchives = operation({
  name: 'log.archive.list',
  summary: 'The files that old partitions of the log went to, oldest first',
  ability: 'log:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/log/archives',
  input: z.strictObject({ after: cursor.optional(), limit: pageLimit }),
  output: page(
    z.object({
      partition: z.string(),
      first: z.string().describe('Position of its first event'),
      last: z.string().describe('Position of its end'),
      first_at: z.string().nullable(),
      last_at: z.string().nullable(),
      events: z.int(),
      bytes: z.int(),
      file: z.string().describe('Its name below `log` in the archive directory'),
      host: z.string().describe('The machine that wrote it'),
      is_here: z.boolean().describe('The server that answers can read it'),
      written_at: z.string(),
    }),
  ),
  errors: ['log.fleet_only', 'log.bad_cursor', 'log.cursor_reset'],
  cli: {
    words: 'log archive list',
    columns: ['partition', 'first_at', 'last_at', 'events', 'bytes', 'host', 'is_here'],
    example: 'quarterdeck log archive list',
  },
  example: { limit: 20 },
});

export const readArchive = operation({
  name: 'log.archive.read',
  summary: 'Events out of the archive, oldest first; an empty answer with a next_cursor goes on',
  ability: 'log:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/log/archives/events',
  input: z.strictObject({
    after: cursor.optional(),
    limit: pageLimit,
    since: timestamp.optional(),
    until: timestamp.optional(),
    ...filters,
  }),
  output: page(event),
  errors: ['log.fleet_only', 'log.archive_unreadable', 'log.bad_cursor', 'log.cursor_reset', 'access.tenant_not_found'],
  cli: {
    words: 'log archive read',
    columns: ['at', 'source_agent', 'event_type', 'subject', 'cursor'],
    example: 'quarterdeck log archive read --since 2026-01-01T00:00:00Z --until 2026-02-01T00:00:00Z',
  },
  example: { limit: 20 },
});

export const operations = {
  appendEvents,
  listEvents,
  showEvent,
  live,
  showHead,
  verifyLog,
  listArchives,
  readArchive,
};
