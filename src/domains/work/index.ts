// The door of the work room.
export type { IsPaused } from './claims.ts';
export { workErrors } from './errors.ts';
export { workEvents } from './events.ts';
export { workHandlers } from './handlers.ts';
export { type WorkKeeping, workLoops } from './loops.ts';
export { operations as workOperations } from './operations.ts';
export { Work } from './service.ts';
export { JobTraces } from './traces.ts';
