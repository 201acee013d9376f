// Binds the operations of access to its verbs.
import type { Handlers } from '../../platform/operation.ts';
import type { operations } from './operations.ts';
import type { Access } from './service.ts';

export function accessHandlers(access: Access): Handlers<typeof operations> {
  return {
    me: (call) => access.me(call),
    signIn: (call, { key }) => access.signIn(call, key),
    signOut: (call) => access.signOut(call),
    createSignInLink: (call) => access.createSignInLink(call),
    listTenants: (call, input) => access.listTenants(call, input),
    createTenant: (call, input) => access.createTenant(call, input),
    listTokens: (call, input) => access.listTokens(call, input),
    createToken: (call, input) => access.createToken(call, input),
    revokeToken: (call, { token_id }) => access.revokeToken(call, token_id),
  };
}
