// Error codes of the log room.
import { errorTable } from '../../platform/errors.ts';

export const logErrors = errorTable('log', {
  bad_cursor: {
    status: 400,
    message: 'The cursor {cursor} is not one that this server gave',
    hint: 'Use the `cursor` or `next_cursor` of an earlier answer, unchanged.',
  },
  cursor_reset: {
    status: 410,
    message: 'The cursor belongs to another epoch of the log, or to its future: continuity is broken',
    hint: 'Fetch a snapshot again and continue from its `as_of`.',
  },
  bad_topic: {
    status: 422,
    message: 'There is no topic {topic}',
    hint: 'Use everything, agent:<name>, job:<id>, tenant:<slug> or type:<event type>.',
  },
  too_many_topics: {
    status: 422,
    message: 'More than {limit} topics in one subscription',
    hint: 'Use fewer topics, or `everything`.',
  },
  event_not_found: { status: 404, message: 'There is no event {cursor}', hint: 'Check the cursor.' },
  event_id_reused: {
    status: 409,
    message: 'The event id {id} was used for another event',
    hint: 'Give each event an id of its own; repeat an id only with the same content.',
  },
  event_too_large: {
    status: 413,
    message: 'The payload of event {index} is larger than {limit} bytes',
    hint: 'Store the large part elsewhere and log a reference to it.',
  },
  reserved_event_type: {
    status: 422,
    message: 'Events of the type {event_type} are written by the server only',
    hint: 'Choose a type of your own.',
  },
  archived: {
    status: 410,
    message: 'The position {cursor} lies before the oldest event that is kept here: what follows it was archived',
    hint: 'Read it with `quarterdeck log archive read`, or go on from {archived_up_to}.',
  },
  archive_unreadable: {
    status: 503,
    message: 'The archive {file} cannot be read here: {problem}',
    hint: 'It was written on {host}: ask there, or set `archive` to a directory that all machines share.',
  },
  bad_head: {
    status: 422,
    message: '{head} is no head of a log',
    hint: 'Give it as `quarterdeck log head` shows it, or the 64 hexadecimal digits alone.',
  },
  fleet_only: {
    status: 403,
    message: 'Seals and archives hold the events of every tenant: only a credential of the whole fleet may read them',
    hint: 'Use a token that is not limited to one tenant.',
  },
});
