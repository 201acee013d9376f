// The door of the access room.
export { type Ability, abilities, abilityWords, agentAbilities } from './abilities.ts';
export type { AgentIdentity } from './agent-store.ts';
export { anonymousCaller, type FindJobHolder, systemCaller } from './credentials.ts';
export { accessErrors } from './errors.ts';
export { accessEvents } from './events.ts';
export { accessHandlers } from './handlers.ts';
export { type KeyedRequest, runOnce } from './idempotency.ts';
export { accessLoops } from './loops.ts';
export { operations as accessOperations } from './operations.ts';
export { hashJobSecret, jobToken, newJobSecret } from './secrets.ts';
export { Access } from './service.ts';
export { tenantDirectory } from './tenant-directory.ts';
