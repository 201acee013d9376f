// Binds the operations of work to its verbs.
import type { Handlers } from '../../platform/operation.ts';
import type { operations } from './operations.ts';
import type { Work } from './service.ts';

export function workHandlers(work: Work): Handlers<typeof operations> {
  return {
    addJobs: (call, input) => work.add(call, input),
    listJobs: (call, input) => work.list(call, input),
    showJob: (call, { job }) => work.show(call, job),
    claimJobs: (call, input) => work.claim(call, input),
    renewJobs: (call, input) => work.renew(call, input),
    completeJobs: (call, input) => work.complete(call, input),
    summary: (call, input) => work.summary(call, input),
  };
}
