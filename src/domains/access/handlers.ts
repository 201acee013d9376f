// Binds the operations of access to its verbs.
import type { Handlers } from '../../platform/operation.ts';
import type { operations } from './operations.ts';
import type { Access } from './service.ts';

export function accessHandlers(access: Access): Handlers<typeof operations> {
  return {
    me: (call) => access.me(call),
    signIn: (call, { key }) => access.sessions.signIn(call, key),
    signOut: (call) => access.sessions.signOut(call),
    createSignInLink: (call) => access.sessions.createSignInLink(call),
    listSessions: (call, input) => access.sessions.list(call, input),
    revokeSession: (call, { session_id }) => access.sessions.revoke(call, session_id),
    listTenants: (call, input) => access.tenants.list(call, input),
    createTenant: (call, input) => access.tenants.create(call, input),
    listTokens: (call, input) => access.tokens.list(call, input),
    createToken: (call, input) => access.tokens.create(call, input),
    revokeToken: (call, { token_id }) => access.tokens.revoke(call, token_id),
    createSqlRole: (call, { agent }) => access.sqlRoles.create(call, agent),
    listSqlRoles: (call, input) => access.sqlRoles.list(call, input),
    removeSqlRole: (call, { agent }) => access.sqlRoles.remove(call, agent),
  };
}
