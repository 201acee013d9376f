// Event types of the fleet room. A beat is no event; what changes the state of an agent is. That an agent was added or
// removed stands in the log as access.agent.created and access.agent.removed.
import { z } from 'zod';
import { eventTable } from '../../platform/event-table.ts';

const agent = z.string();
const by = { agent, reason: z.string().nullable() };

export const fleetEvents = eventTable('fleet', {
  'agent.changed': {
    summary: 'quarterdeck.yaml changed how an agent runs',
    payload: z.object({ agent, changed: z.array(z.string()), restart: z.boolean() }),
  },
  'agent.paused': { summary: 'An agent gets no more jobs', payload: z.object(by) },
  'agent.resumed': { summary: 'An agent may work again', payload: z.object({ agent }) },
  'agent.stop_ordered': { summary: 'An agent was told to end', payload: z.object(by) },
  'agent.restart_ordered': { summary: 'An agent is to be ended and started anew', payload: z.object(by) },
  'agent.silent': {
    summary: 'An agent gave no sign of life for longer than its limit',
    payload: z.object({ agent, silent_seconds: z.number(), reason: z.string() }),
  },
  'agent.heard': { summary: 'A silent agent gave a sign of life again', payload: z.object({ agent }) },
  'agent.healing': {
    summary: 'The healer has a silent agent restarted',
    payload: z.object({
      agent,
      reason: z.string(),
      restarts: z.int().describe('By the healer within the last hour, before this one'),
    }),
  },
  'agent.given_up': {
    summary: 'The healer paused an agent that stays silent: it wants the operator',
    payload: z.object({ agent, reason: z.string(), restarts: z.int() }),
  },
  'healing.withheld': {
    summary: 'Most agents went silent at once: the healer suspects the centre or the network, and restarts none',
    payload: z.object({ silent: z.int(), watched: z.int() }),
  },
  'agent.crashed': {
    summary: 'A process ended too often in a short time and is not started again',
    payload: z.object({ agent, host: z.string(), exit: z.string(), ends: z.int() }),
  },
  'process.started': {
    summary: 'A host started the process of an agent',
    payload: z.object({ agent, host: z.string(), pid: z.int().nullable(), run: z.string() }),
  },
  'process.adopted': {
    summary: 'A host took up a process that an earlier one had started',
    payload: z.object({ agent, host: z.string(), pid: z.int().nullable(), run: z.string() }),
  },
  'process.ended': {
    summary: 'The process of an agent ended',
    payload: z.object({
      agent,
      host: z.string(),
      pid: z.int().nullable(),
      run: z.string(),
      exit: z.string(),
      asked: z.boolean().describe('True when it was told to end'),
      next_start_seconds: z.number().nullable(),
    }),
  },
});
