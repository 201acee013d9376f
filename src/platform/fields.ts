// Schemas of fields that mean the same in every operation, so that limits and words are stated once.
import { z } from 'zod';

/** Exact name of a thing that people name: tenants, agents, queues, channels, sites. */
export const slug = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/, 'lower-case letters, digits, and . _ - between them')
  .describe('Lower-case name, 1 to 63 characters');

/** Agent as given from outside: `pricer`, or `pricer@acme` where the name alone is not unique. */
export const agentAddress = z
  .string()
  .min(1)
  .max(127)
  .regex(/^[a-z0-9][a-z0-9._-]*(@[a-z0-9][a-z0-9._-]*)?$/, 'an agent name, or name@tenant')
  .describe('Agent name, or name@tenant where the name alone is not unique');

/** Position in the log; opaque. */
export const cursor = z.string().min(1).max(64).describe('Position in the log, as an earlier answer gave it');

export const pageLimit = z.int().min(1).max(500).default(100).describe('Most items in one answer');

export const waitSeconds = z
  .number()
  .min(0)
  .max(25)
  .default(0)
  .describe('Seconds to wait for something to arrive before answering empty');

/** Any JSON object; depth, keys and text were checked when the body was read. */
export const jsonObject = z.record(z.string().max(256), z.unknown());

export const timestamp = z.iso.datetime({ offset: true });

/** The type of an event: `domain.noun.past`, or whatever an agent calls its own. */
export const eventType = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[a-z0-9_]+([.-][a-z0-9_]+)*$/, 'lower-case words joined by dots')
  .describe('Lower-case words joined by dots, like git.commit');

/** Cursor pagination, the same in every list. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next_cursor: z.string().nullable().describe('Give it as `after` to go on; null at the end'),
    as_of: z.string().describe('Position of the log at which this answer is true'),
  });
}
