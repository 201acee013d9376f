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
    cancelJobs: (call, input) => work.cancelling.cancel(call, input),
    replayJobs: (call, input) => work.cancelling.replay(call, input),
    changeJob: (call, input) => work.cancelling.change(call, input),
    listApprovals: (call, input) => work.approvals.list(call, input),
    showApproval: (call, { approval }) => work.approvals.show(call, approval),
    decideApproval: (call, input) => work.approvals.decide(call, input),
    setChannel: (call, input) => work.channels.set(call, input),
    listChannels: (call, input) => work.channels.list(call, input),
    showChannel: (call, input) => work.channels.show(call, input),
    removeChannel: (call, input) => work.channels.remove(call, input),
    pauseChannel: (call, input) => work.channels.pause(call, input),
    resumeChannel: (call, input) => work.channels.resume(call, input),
    pauseWork: (call, input) => work.channels.pauseWork(call, input),
    resumeWork: (call, input) => work.channels.resumeWork(call, input),
    setSchedule: (call, input) => work.schedules.set(call, input),
    listSchedules: (call, input) => work.schedules.list(call, input),
    showSchedule: (call, input) => work.schedules.show(call, input),
    removeSchedule: (call, input) => work.schedules.remove(call, input),
    pauseSchedule: (call, input) => work.schedules.pause(call, input),
    resumeSchedule: (call, input) => work.schedules.resume(call, input),
    runSchedule: (call, input) => work.schedules.run(call, input),
    backfillSchedule: (call, input) => work.schedules.backfill(call, input),
    previewSchedule: (call, input) => work.schedules.preview(call, input),
    createBatch: (call, input) => work.batches.create(call, input),
    addToBatch: (call, input) => work.batches.add(call, input),
    closeBatch: (call, input) => work.batches.close(call, input),
    cancelBatch: (call, input) => work.batches.cancel(call, input),
    showBatch: (call, input) => work.batches.show(call, input),
    listBatches: (call, input) => work.batches.list(call, input),
    storeStep: (call, input) => work.steps.store(call, input),
    listSteps: (call, input) => work.steps.list(call, input),
    setShare: (call, input) => work.channels.setShare(call, input),
    summary: (call, input) => work.summary(call, input),
  };
}
