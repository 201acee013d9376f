// The door of the SDK. The outbox, which needs a file, has a door of its own: `@quarterdeck/sdk/outbox`.
export type { Desired } from './beats.ts';
export { QuarterdeckError } from './errors.ts';
export { LeaseLost, type Progress } from './held-jobs.ts';
export { Ask, GiveUp, type Handler, type Job, Leaving, type Outcome, RateLimited } from './job.ts';
export type { LiveInput, LiveMessage } from './live.ts';
export * from './operations.ts';
export type { OutcomeStore } from './outcomes.ts';
export { Quarterdeck, type QuarterdeckOptions } from './quarterdeck.ts';
export type { CallOptions, Page } from './wire.ts';
export { Worker, type WorkerOptions, work } from './worker.ts';
