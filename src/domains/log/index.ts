// The door of the log room.
export { LogAudit } from './audit.ts';
export { logErrors } from './errors.ts';
export { logEvents } from './events.ts';
export type { FeedItem, FeedSink, FeedState, FeedSubscription } from './feed.ts';
export { logHandlers } from './handlers.ts';
export { type Keeping, logLoops } from './loops.ts';
export { type EventItem, live, operations as logOperations } from './operations.ts';
export { Log } from './service.ts';
export { splitTopics } from './topics.ts';
