// Event types of the access room. They carry ids and names, never secrets.
import { z } from 'zod';
import { eventTable } from '../../platform/event-table.ts';

export const accessEvents = eventTable('access', {
  'tenant.created': { summary: 'A tenant was added', payload: z.object({ tenant: z.string(), name: z.string() }) },
  'operator.created': { summary: 'An operator was added', payload: z.object({ operator: z.string() }) },
  'operator.signed_in': {
    summary: 'An operator signed in with a one-time link',
    payload: z.object({ operator: z.string(), session: z.string() }),
  },
  'operator.signed_out': {
    summary: 'A browser session was ended',
    payload: z.object({ operator: z.string(), session: z.string() }),
  },
  'sign_in_link.created': { summary: 'A one-time sign-in link was made', payload: z.object({ operator: z.string() }) },
  'agent.created': {
    summary: 'The identity of an agent was made',
    payload: z.object({ agent: z.string(), kind: z.string() }),
  },
  'agent.removed': { summary: 'The identity of an agent was removed', payload: z.object({ agent: z.string() }) },
  'token.created': {
    summary: 'A token was made',
    payload: z.object({ token_id: z.string(), of: z.string(), name: z.string(), abilities: z.array(z.string()) }),
  },
  'token.revoked': {
    summary: 'A token was ended',
    payload: z.object({ token_id: z.string(), of: z.string(), reason: z.string() }),
  },
  'sql_role.created': {
    summary: 'An agent got a database role for plain SQL',
    payload: z.object({ agent: z.string(), role: z.string() }),
  },
  'sql_role.rotated': {
    summary: 'The database role of an agent got a new password, and its sessions were ended',
    payload: z.object({ agent: z.string(), role: z.string() }),
  },
  'sql_role.removed': {
    summary: 'The database role of an agent was removed, and its sessions were ended',
    payload: z.object({ agent: z.string(), role: z.string(), reason: z.string() }),
  },
  'sql_session.ended': {
    summary: 'A session of plain SQL was ended because it held the database up',
    payload: z.object({ agent: z.string(), role: z.string(), reason: z.string() }),
  },
  'tool.denied': {
    summary: 'A model asked for a tool that its credential has no ability for',
    payload: z.object({ tool: z.string(), operation: z.string(), ability: z.string() }),
  },
});
