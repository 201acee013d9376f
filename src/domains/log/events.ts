// Event types that the log room itself writes.
import { z } from 'zod';
import { eventTable } from '../../platform/event-table.ts';

export const logEvents = eventTable('log', {
  'loop.failed': {
    summary: 'A background loop failed a turn; it is tried again',
    payload: z.object({ loop: z.string(), error: z.string(), failures: z.int() }),
  },
  'writer.ended': {
    summary: 'A transaction that kept the log from being read past it was ended',
    payload: z.object({ application: z.string(), role: z.string(), held_seconds: z.number() }),
  },
  'partitions.low': {
    summary: 'Fewer than two partitions of the log lie ready',
    payload: z.object({ ready: z.int() }),
  },
  'segment.sealed': {
    summary: 'A segment of the log was sealed; the head shows later that nothing was cut off',
    payload: z.object({ head: z.string(), from_seq: z.int(), to_seq: z.int(), rows: z.int() }),
  },
  'partition.archived': {
    summary: 'A partition of the log was written to a file, read back and dropped from the database',
    payload: z.object({ partition: z.string(), from_seq: z.int(), to_seq: z.int(), rows: z.int(), host: z.string() }),
  },
  'archive.failed': {
    summary: 'A partition of the log could not be archived; nothing was dropped, and it is tried again',
    payload: z.object({ partition: z.string(), reason: z.string(), host: z.string() }),
  },
});
