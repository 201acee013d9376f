// What the outside may ask about tenants, operators, tokens and sessions. Agents are added by the fleet room, which
// makes their identity here.
import { z } from 'zod';
import { agentAddress, page, pageLimit, slug, timestamp } from '../../platform/fields.ts';
import { operation } from '../../platform/operation.ts';
import { abilities } from './abilities.ts';

const ability = z.enum(abilities);

export const me = operation({
  name: 'access.me',
  summary: 'Who this credential is, its tenant and its abilities',
  ability: 'any',
  effect: 'read',
  method: 'GET',
  path: '/v1/me',
  input: z.strictObject({}),
  output: z.object({
    kind: z.enum(['operator', 'agent', 'job']),
    name: z.string(),
    tenant: z.string().describe('`fleet` when it may act for every tenant'),
    abilities: z.array(z.string()),
    job: z.string().nullable(),
    server: z.object({ version: z.string(), time: z.string() }),
  }),
  cli: { words: 'me', aliases: ['whoami'], example: 'quarterdeck me' },
});

export const signIn = operation({
  name: 'access.session.create',
  summary: 'Exchange the key of a one-time sign-in link for a session cookie',
  ability: 'public',
  effect: 'write',
  method: 'POST',
  path: '/v1/session',
  status: 201,
  bodyLimit: 4096,
  perMinute: 10,
  input: z.strictObject({ key: z.string().min(1).max(100) }),
  output: z.object({ name: z.string(), expires_at: z.string() }),
  errors: ['access.sign_in_key_invalid'],
  cli: { none: 'a browser session; the CLI uses tokens' },
  noMcp: 'a browser session',
  noSdk: 'a browser session',
  example: { key: 'qd_link_…' },
});

export const signOut = operation({
  name: 'access.session.remove',
  summary: 'End the session of this browser',
  ability: 'any',
  effect: 'write',
  method: 'DELETE',
  path: '/v1/session',
  input: z.strictObject({}),
  output: z.object({ signed_out: z.boolean() }),
  cli: { none: 'a browser session; the CLI uses tokens' },
  noMcp: 'a browser session',
  noSdk: 'a browser session',
});

export const createSignInLink = operation({
  name: 'access.sign_in_link.create',
  summary: 'Make a one-time link that signs an operator in; valid for ten minutes',
  ability: 'access:write',
  effect: 'write',
  method: 'POST',
  path: '/v1/sign-in-links',
  status: 201,
  input: z.strictObject({}),
  output: z.object({ url: z.string(), expires_at: z.string() }),
  secretOutput: ['url'],
  errors: ['access.operators_only', 'access.fleet_only', 'access.sign_in_beyond_creator'],
  cli: { words: 'open', example: 'quarterdeck open' },
  noMcp: 'it signs a person in',
  noSdk: 'it signs a person in',
});

export const listSessions = operation({
  name: 'access.session.list',
  summary: 'The browser sessions that are open, newest first',
  ability: 'access:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/sessions',
  input: z.strictObject({ after: z.string().max(64).optional(), limit: pageLimit }),
  output: page(
    z.object({
      session_id: z.string(),
      operator: z.string(),
      is_current: z.boolean().describe('True for the session that asks'),
      user_agent: z.string().nullable().describe('What the browser said of itself'),
      address: z.string().nullable().describe('Where it signed in from'),
      created_at: z.string(),
      expires_at: z.string(),
    }),
  ),
  errors: ['access.fleet_only'],
  cli: {
    words: 'session list',
    columns: ['session_id', 'operator', 'address', 'created_at', 'expires_at', 'user_agent'],
    example: 'quarterdeck session list',
  },
});

export const revokeSession = operation({
  name: 'access.session.revoke',
  summary: 'End a browser session at once, with every stream that it opened',
  ability: 'access:write',
  effect: 'destroy',
  method: 'DELETE',
  path: '/v1/sessions/{session_id}',
  input: z.strictObject({ session_id: z.string().max(64) }),
  output: z.object({ session_id: z.string(), operator: z.string() }),
  errors: ['access.session_not_found', 'access.fleet_only'],
  next: { operation: 'access.session.list' },
  cli: { words: 'session revoke', positional: ['session_id'], example: 'quarterdeck session revoke ses_0SjPq…' },
  noMcp: 'it signs a person out',
  example: { session_id: 'ses_0000000000000000000000' },
});

const tenant = z.object({ tenant: z.string(), name: z.string(), created_at: z.string() });

export const listTenants = operation({
  name: 'access.tenant.list',
  summary: 'The tenants this credential may see',
  ability: 'access:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/tenants',
  input: z.strictObject({ after: z.string().max(64).optional(), limit: pageLimit }),
  output: page(tenant),
  cli: { words: 'tenant list', columns: ['tenant', 'name', 'created_at'], example: 'quarterdeck tenant list' },
});

export const createTenant = operation({
  name: 'access.tenant.create',
  summary: 'Add a tenant: a client whose agents, jobs and events nobody else sees',
  ability: 'access:write',
  effect: 'write',
  method: 'POST',
  path: '/v1/tenants',
  status: 201,
  input: z.strictObject({ tenant: slug, name: z.string().min(1).max(200).optional() }),
  output: tenant,
  errors: ['access.tenant_exists', 'access.fleet_only'],
  next: { operation: 'fleet.agent.list', input: { tenant: 'tenant' } },
  cli: { words: 'tenant add', positional: ['tenant'], example: 'quarterdeck tenant add acme --name "Acme Ltd"' },
  example: { tenant: 'acme', name: 'Acme Ltd' },
});

const token = z.object({
  token_id: z.string(),
  kind: z.enum(['operator', 'agent']),
  name: z.string().describe('What the token is for'),
  of: z.string().describe('The operator or agent that it speaks for'),
  tenant: z.string(),
  abilities: z.array(z.string()),
  display: z.string().describe('First and last characters, to recognise it by'),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
});

export const listTokens = operation({
  name: 'access.token.list',
  summary: 'The tokens this credential may see, newest first; never their secrets',
  ability: 'access:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/tokens',
  input: z.strictObject({ after: z.string().max(64).optional(), limit: pageLimit, tenant: slug.optional() }),
  output: page(token),
  errors: ['access.tenant_not_found'],
  cli: {
    words: 'token list',
    columns: ['token_id', 'kind', 'of', 'tenant', 'name', 'display', 'last_used_at', 'revoked_at'],
    example: 'quarterdeck token list',
  },
});

export const createToken = operation({
  name: 'access.token.create',
  summary: 'Make a token with some of one’s own abilities; shown once',
  ability: 'access:write',
  effect: 'write',
  method: 'POST',
  path: '/v1/tokens',
  status: 201,
  input: z.strictObject({
    name: z.string().min(1).max(100),
    abilities: z.array(ability).min(1).max(50),
    tenant: slug.optional().describe('Limits the token to one tenant'),
    expires_at: timestamp.optional().describe('Default: in 90 days'),
  }),
  output: token.extend({ token: z.string() }),
  secretOutput: ['token'],
  errors: [
    'access.operators_only',
    'access.tenant_not_found',
    'access.ability_beyond_creator',
    'access.expiry_in_past',
  ],
  cli: {
    words: 'token add',
    positional: ['name'],
    example: 'quarterdeck token add ci --abilities log:append,work:enqueue --tenant acme',
  },
  noMcp: 'its only use is the secret that it shows',
  example: { name: 'ci', abilities: ['log:append', 'work:enqueue'] },
});

export const revokeToken = operation({
  name: 'access.token.revoke',
  summary: 'End a token at once, with every stream that it opened',
  ability: 'access:write',
  effect: 'destroy',
  method: 'DELETE',
  path: '/v1/tokens/{token_id}',
  input: z.strictObject({ token_id: z.string().max(64) }),
  output: z.object({ token_id: z.string(), revoked_at: z.string() }),
  errors: ['access.token_not_found'],
  next: { operation: 'access.token.list' },
  cli: { words: 'token revoke', positional: ['token_id'], example: 'quarterdeck token revoke tok_0SjPq…' },
  example: { token_id: 'tok_0000000000000000000000' },
});

const sqlRole = z.object({
  agent: z.string(),
  tenant: z.string().describe('Whose rows it sees; `fleet`: everybody’s, as the agent’s token does'),
  role: z.string().describe('Name of the database role'),
  created_at: z.string(),
  password_at: z.string().describe('When its password was made'),
  is_ready: z.boolean().describe('False when the database lacks the role, as after a restore elsewhere: make it again'),
});

export const createSqlRole = operation({
  name: 'access.sql_role.create',
  summary:
    'Make a database role with which an agent speaks plain SQL, or give the one it has a new password; shown once',
  ability: 'access:write',
  effect: 'write',
  method: 'POST',
  path: '/v1/sql-roles',
  status: 201,
  input: z.strictObject({ agent: agentAddress }),
  output: sqlRole.extend({
    url: z.string().describe('Connection string with the password'),
    rotated: z.boolean().describe('True when it was there: its old password is void and its sessions have ended'),
  }),
  secretOutput: ['url'],
  errors: [
    'access.agent_not_found',
    'access.agent_ambiguous',
    'access.ability_beyond_creator',
    'access.sql_roles_not_permitted',
    'access.too_many_sql_roles',
  ],
  next: { operation: 'access.sql_role.list' },
  cli: { words: 'access sql-role', positional: ['agent'], example: 'quarterdeck access sql-role pricer' },
  example: { agent: 'pricer' },
});

export const listSqlRoles = operation({
  name: 'access.sql_role.list',
  summary: 'The database roles of agents that speak plain SQL, by agent; never their passwords',
  ability: 'access:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/sql-roles',
  input: z.strictObject({ after: z.string().max(128).optional(), limit: pageLimit, tenant: slug.optional() }),
  output: page(sqlRole),
  errors: ['access.tenant_not_found'],
  cli: {
    words: 'access sql-roles',
    columns: ['agent', 'tenant', 'role', 'created_at', 'password_at', 'is_ready'],
    example: 'quarterdeck access sql-roles',
  },
});

export const removeSqlRole = operation({
  name: 'access.sql_role.remove',
  summary: 'Remove the database role of an agent and end its sessions',
  ability: 'access:write',
  effect: 'destroy',
  method: 'DELETE',
  path: '/v1/sql-roles/{agent}',
  input: z.strictObject({ agent: agentAddress }),
  output: z.object({ agent: z.string(), role: z.string(), removed_at: z.string() }),
  errors: ['access.agent_not_found', 'access.agent_ambiguous', 'access.sql_role_not_found'],
  next: { operation: 'access.sql_role.list' },
  cli: { words: 'access sql-role-remove', positional: ['agent'], example: 'quarterdeck access sql-role-remove pricer' },
  example: { agent: 'pricer' },
});

export const operations = {
  me,
  signIn,
  signOut,
  createSignInLink,
  listSessions,
  revokeSession,
  listTenants,
  createTenant,
  listTokens,
  createToken,
  revokeToken,
  createSqlRole,
  listSqlRoles,
  removeSqlRole,
};
