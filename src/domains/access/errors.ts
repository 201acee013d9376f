// Error codes of the access room.
import { errorTable } from '../../platform/errors.ts';

export const accessErrors = errorTable('access', {
  sign_in_key_invalid: {
    status: 401,
    message: 'The sign-in link was used already, has expired or is not complete',
    hint: 'Make a new one with `quarterdeck open`.',
  },
  operators_only: { status: 403, message: 'Only an operator can do this', hint: 'Use an operator’s token.' },
  fleet_only: {
    status: 403,
    message: 'Only a credential of the whole fleet can do this',
    hint: 'Use a token that is not limited to one tenant.',
  },
  ability_beyond_creator: {
    status: 403,
    message: 'A token cannot have the ability {ability}, which its maker lacks',
    hint: 'Leave it out, or use a credential that has it.',
  },
  sign_in_beyond_creator: {
    status: 403,
    message: 'Signing in gives every ability; this credential lacks {ability}',
    hint: 'Use a token that has all abilities, like the one that the start wrote.',
  },
  tenant_not_found: { status: 404, message: 'There is no tenant {tenant}', hint: 'See `quarterdeck tenant list`.' },
  agent_not_found: { status: 404, message: 'There is no agent {agent}', hint: 'See `quarterdeck agent list`.' },
  token_not_found: { status: 404, message: 'There is no token {token_id}', hint: 'See `quarterdeck token list`.' },
  session_not_found: {
    status: 404,
    message: 'There is no open session {session_id}',
    hint: 'See `quarterdeck session list`.',
  },
  sql_role_not_found: {
    status: 404,
    message: 'The agent {agent} has no database role',
    hint: 'See `quarterdeck access sql-roles`; make one with `quarterdeck access sql-role {agent}`.',
  },
  sql_roles_not_permitted: {
    status: 409,
    message: 'The database user {user} may not make roles',
    hint: 'Let an administrator of the database run: ALTER ROLE {user} CREATEROLE.',
  },
  too_many_sql_roles: {
    status: 409,
    message: 'There are {limit} database roles of agents already',
    hint: 'Remove those that nobody uses, or give agents tokens.',
  },
  tenant_exists: { status: 409, message: 'A tenant {tenant} exists already', hint: 'Choose another name.' },
  agent_exists: { status: 409, message: 'An agent {agent} exists already', hint: 'Choose another name.' },
  agent_ambiguous: {
    status: 409,
    message: 'Several agents are named {agent}: {candidates}',
    hint: 'Write name@tenant.',
  },
  expiry_in_past: { status: 422, message: 'The expiry {expires_at} has passed', hint: 'Give a moment to come.' },
});
