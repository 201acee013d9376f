// The door of the fleet room.
export { type ApplyOptions, MANIFEST, type PlanStep } from './declared.ts';
export { fleetErrors } from './errors.ts';
export { fleetEvents } from './events.ts';
export { fleetHandlers } from './handlers.ts';
export { createHost, type Host, type HostOptions } from './host/host.ts';
export { hostIdOf } from './host/host-id.ts';
export { endLeftAgents } from './host/left-behind.ts';
export { fleetLoops } from './loops.ts';
export { type AgentsSection, agentsSection } from './manifest.ts';
export { operations as fleetOperations } from './operations.ts';
export type { ServerFacts } from './server.ts';
export { Fleet } from './service.ts';
export type { DeadJob } from './status.ts';
