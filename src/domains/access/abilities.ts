// The abilities a credential may have, in plain words, and the sets that agents and jobs get. `resource:verb`.

export const abilities = [
  'log:read',
  'log:append',
  'access:read',
  'access:write',
  'work:read',
  'work:enqueue',
  'work:claim',
  'work:write',
  'work:approve',
  'fleet:read',
  'fleet:write',
  'fleet:beat',
  'metrics:read',
] as const;

export type Ability = (typeof abilities)[number];

export const abilityWords: Readonly<Record<Ability, string>> = {
  'log:read': 'read the event log and follow it live',
  'log:append': 'append events under its own name',
  'access:read': 'see tenants, tokens, sessions and settings, never secrets',
  'access:write': 'make and end tokens and agents’ database roles, end sessions, make tenants and sign-in links',
  'work:read': 'see jobs, their payloads and results',
  'work:enqueue': 'add jobs',
  'work:claim': 'take jobs and report their outcome',
  'work:write': 'change jobs and queues of others',
  'work:approve': 'decide what jobs ask for; only for operators',
  'fleet:read': 'see agents and what they print',
  'fleet:write': 'add, pause, restart and remove agents',
  'fleet:beat': 'report its own health',
  'metrics:read': 'read the numbers of the whole installation at /metrics; only for credentials of the fleet',
};

/** An agent works: it reads, appends, enqueues, claims and beats; it changes nobody else. */
export const agentAbilities: readonly Ability[] = [
  'log:read',
  'log:append',
  'work:read',
  'work:enqueue',
  'work:claim',
  'fleet:read',
  'fleet:beat',
];

/** What a database role for plain SQL gives an agent, so its maker must have it. */
export const sqlRoleAbilities: readonly Ability[] = ['log:append', 'work:read', 'fleet:read'];

/** A job's token acts for the job's tenant while the lease is valid. */
export const jobAbilities: readonly Ability[] = ['log:read', 'log:append', 'work:read', 'work:enqueue'];
