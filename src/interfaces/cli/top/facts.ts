// What `top` shows, asked of the server: the fleet at a glance, its agents, the queues and the newest events. A part that
// this token may not read is left out; the fleet itself is needed.
import type { z } from 'zod';
import { listAgents, status } from '../../../domains/fleet/operations.ts';
import { listEvents } from '../../../domains/log/operations.ts';
import { summary } from '../../../domains/work/operations.ts';
import type { AnyOperation } from '../../../platform/operation.ts';
import { CliFailure, type Connection, callOperation } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';

const MOST_AGENTS = 500;
export const MOST_EVENTS = 200;

export interface Facts {
  readonly fleet: z.output<typeof status.output>;
  readonly agents: readonly z.output<typeof listAgents.output>['items'][number][] | undefined;
  readonly work: z.output<typeof summary.output> | undefined;
}

export type EventLine = Pick<
  z.output<typeof listEvents.output>['items'][number],
  'cursor' | 'at' | 'source_agent' | 'event_type' | 'subject'
>;

/** Throws CliFailure when the server is away or this token may not see the fleet. */
export async function loadFacts(connection: Connection, timeoutMs: number): Promise<Facts> {
  const [fleet, agents, work] = await Promise.all([
    ask(connection, status, {}, timeoutMs),
    askIfAllowed(connection, listAgents, { limit: MOST_AGENTS }, timeoutMs),
    askIfAllowed(connection, summary, {}, timeoutMs),
  ]);
  return { fleet, agents: agents?.items, work };
}

/** Newest first; undefined when this token may not read the log. */
export async function loadEvents(connection: Connection, timeoutMs: number): Promise<EventLine[] | undefined> {
  return (await askIfAllowed(connection, listEvents, { order: 'desc', limit: MOST_EVENTS }, timeoutMs))?.items;
}

async function ask<T extends AnyOperation>(
  connection: Connection,
  operation: T,
  input: Readonly<Record<string, unknown>>,
  timeoutMs: number,
): Promise<z.output<T['output']>> {
  return (await callOperation(connection, operation, input, timeoutMs)) as z.output<T['output']>;
}

async function askIfAllowed<T extends AnyOperation>(
  connection: Connection,
  operation: T,
  input: Readonly<Record<string, unknown>>,
  timeoutMs: number,
): Promise<z.output<T['output']> | undefined> {
  try {
    return await ask(connection, operation, input, timeoutMs);
  } catch (error) {
    if (error instanceof CliFailure && error.exitCode === exitCodes.denied && error.problem?.['code'] === 'denied') {
      return undefined;
    }
    throw error;
  }
}
