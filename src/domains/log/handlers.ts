// Binds the operations of the log to its verbs.
import type { Handlers } from '../../platform/operation.ts';
import type { LogAudit } from './audit.ts';
import type { operations } from './operations.ts';
import type { Log } from './service.ts';

export function logHandlers(log: Log, audit: LogAudit): Handlers<typeof operations> {
  return {
    appendEvents: (call, input) => log.appendFromOutside(call, input),
    listEvents: (call, input) => log.list(call, input),
    showEvent: (call, { cursor }) => log.show(call, cursor),
    live: (call, input) => log.poll(call, input),
    showHead: (call) => audit.head(call),
    verifyLog: (call, input) => audit.verify(call, input),
    listArchives: (call, input) => audit.archives(call, input),
    readArchive: (call, input) => audit.read(call, input),
  };
}
