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
});
