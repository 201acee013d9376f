// Event types of the work room. A batch writes one event per tenant that names all its jobs with what changed, so that
// the log alone tells the state of every job at any moment. Payloads and results are not repeated here.
import { z } from 'zod';
import { eventTable } from '../../platform/event-table.ts';

const named = { id: z.string(), kind: z.string(), queue: z.string() };
const attempt = z.int();
const moment = z.string();
const channel = z.string();
const schedule = z.string();
const budget = z.string();
const ofBudget = z.object({
  budget,
  agent: z.string().optional(),
  metric: z.enum(['usd', 'tokens', 'calls']),
  spent: z.number(),
  limit: z.number(),
  until: z.string().optional(),
});
const reason = z.string().optional();
const ofBatch = { batch: z.string(), name: z.string().optional() };

export const workEvents = eventTable('work', {
  'job.added': {
    summary: 'Jobs were added',
    payload: z.object({
      jobs: z.array(
        z.object({
          ...named,
          state: z.enum(['scheduled', 'queued', 'awaiting_approval']),
          priority: z.int(),
          max_attempts: z.int(),
          run_at: moment,
          unique_key: z.string().optional(),
          channel: z.string().optional(),
          urgent: z.boolean().optional(),
          replay_of: z.string().optional(),
          schedule: z.string().optional(),
          batch: z.string().optional(),
        }),
      ),
    }),
  },
  'job.due': {
    summary: 'Scheduled jobs became due and are queued',
    payload: z.object({ jobs: z.array(z.object(named)) }),
  },
  'job.claimed': {
    summary: 'An agent took jobs under a lease',
    payload: z.object({
      agent: z.string(),
      jobs: z.array(z.object({ ...named, attempt, lease_until: moment })),
    }),
  },
  'job.completed': {
    summary: 'An agent reported the outcome of jobs: they ended, or wait to be tried again',
    payload: z.object({
      agent: z.string(),
      jobs: z.array(
        z.object({
          ...named,
          attempt,
          state: z.enum(['done', 'dead', 'scheduled']),
          run_at: moment.optional(),
          reason: z.string().optional(),
          error: z.string().optional(),
        }),
      ),
    }),
  },
  'job.lost': {
    summary: 'The lease of jobs ran out: their worker is lost or took too long, and they are tried again or are dead',
    payload: z.object({
      jobs: z.array(
        z.object({
          ...named,
          attempt,
          agent: z.string(),
          state: z.enum(['queued', 'scheduled', 'dead']),
          run_at: moment.optional(),
          reason: z.string(),
        }),
      ),
    }),
  },
  'job.cancelled': {
    summary: 'Jobs were ended before they were done',
    payload: z.object({
      reason,
      jobs: z.array(z.object({ ...named, state: z.string().describe('What it was'), agent: z.string().optional() })),
    }),
  },
  'job.asked': {
    summary: 'Jobs wait for an operator to decide',
    payload: z.object({
      jobs: z.array(
        z.object({
          ...named,
          attempt,
          state: z.literal('awaiting_approval'),
          approval: z.string(),
          summary: z.string(),
          digest: z.string(),
          expires_at: moment,
        }),
      ),
    }),
  },
  'job.decided': {
    summary: 'It was decided about jobs that waited for it, by an operator or because the time was over',
    payload: z.object({
      by: z.string(),
      note: z.string().optional(),
      jobs: z.array(
        z.object({
          ...named,
          state: z.enum(['queued', 'scheduled', 'dead']),
          run_at: moment.optional(),
          reason,
          approval: z.string(),
          decision: z.enum(['pending', 'approved', 'rejected', 'expired', 'withdrawn']),
          digest: z.string(),
        }),
      ),
    }),
  },
  'job.changed': {
    summary: 'A waiting job was changed',
    payload: z.object({
      job: z.object(named),
      priority: z.int().optional(),
      urgent: z.boolean().optional(),
      run_at: moment.optional(),
      max_attempts: z.int().optional(),
    }),
  },
  'channel.set': {
    summary: 'A channel was made, or what it allows was changed',
    payload: z.object({
      channel,
      concurrency: z.int().nullable(),
      limits: z.array(z.object({ limit: z.int(), window_seconds: z.int() })),
    }),
  },
  'channel.removed': { summary: 'A channel was removed', payload: z.object({ channel }) },
  'channel.paused': {
    summary: 'No job of a channel is handed out any more',
    payload: z.object({ channel, reason, until: moment.optional() }),
  },
  'channel.resumed': { summary: 'Jobs of a paused channel are handed out again', payload: z.object({ channel }) },
  'schedule.set': {
    summary: 'A schedule was made or changed',
    payload: z.object({
      schedule,
      cron: z.string().nullable(),
      every_seconds: z.int().nullable(),
      at: moment.nullable(),
      zone: z.string(),
      kind: z.string(),
      catch_up: z.string(),
      overlap: z.string(),
      jitter_seconds: z.int(),
    }),
  },
  'schedule.removed': { summary: 'A schedule was removed', payload: z.object({ schedule }) },
  'schedule.paused': { summary: 'A schedule adds nothing any more', payload: z.object({ schedule, reason }) },
  'schedule.resumed': { summary: 'A paused schedule adds jobs again', payload: z.object({ schedule }) },
  'schedule.missed': {
    summary: 'Ticks of a schedule passed while nobody acted on them, and are left out',
    payload: z.object({
      schedule,
      count: z.int(),
      more: z.boolean().describe('There were even more, which are not counted'),
      from: moment,
      to: moment,
      run: z.int().describe('Ticks that were acted on late'),
    }),
  },
  'schedule.overlapped': {
    summary: 'A tick added no job, because one of the schedule has not ended',
    payload: z.object({ schedule, tick: moment }),
  },
  'schedule.failed': {
    summary: 'A tick could not add its job',
    payload: z.object({ schedule, code: z.string(), error: z.string() }),
  },
  'step.stored': {
    summary: 'A step of a job gave its result, which further attempts get without doing it again',
    payload: z.object({ job: z.object(named), step: z.string(), attempt, bytes: z.int() }),
  },
  'batch.created': {
    summary: 'A batch was made',
    payload: z.object({ ...ofBatch, on_failure: z.string(), parent: z.string().optional(), open: z.boolean() }),
  },
  'batch.closed': {
    summary: 'A batch takes no more children',
    payload: z.object({ ...ofBatch, total: z.int() }),
  },
  'batch.stopping': {
    summary: 'What has not ended of a batch is being cancelled',
    payload: z.object({ ...ofBatch, reason }),
  },
  'batch.ended': {
    summary: 'All children of a batch have ended; what was to come after it was added in the same moment',
    payload: z.object({
      ...ofBatch,
      state: z.enum(['done', 'failed', 'cancelled']),
      total: z.int(),
      done: z.int(),
      dead: z.int(),
      cancelled: z.int(),
      on_done_job: z.string().optional(),
    }),
  },
  'tenant.paused': {
    summary: 'No job of a tenant is handed out any more; of `fleet`: none at all',
    payload: z.object({ tenant: z.string(), reason }),
  },
  'tenant.resumed': {
    summary: 'Jobs of a paused tenant are handed out again; of `fleet`: of all that are not paused themselves',
    payload: z.object({ tenant: z.string() }),
  },
  'share.set': {
    summary: 'A tenant got another weight',
    payload: z.object({ tenant: z.string(), weight: z.int() }),
  },
  'budget.set': {
    summary: 'A budget was made, or what it allows was changed',
    payload: z.object({
      budget,
      agent: z.string().optional(),
      window: z.string(),
      usd: z.number().nullable(),
      tokens: z.int().nullable(),
      calls: z.int().nullable(),
    }),
  },
  'budget.removed': { summary: 'A budget was removed', payload: z.object({ budget }) },
  'budget.warned': { summary: 'Four fifths of a budget are spent; told once in a window', payload: ofBudget },
  'budget.exhausted': {
    summary: 'A budget is used up: nothing is handed out and nothing runs on until its window ends or it is raised',
    payload: ofBudget,
  },
  'completion.refused': {
    summary: 'An outcome was reported by somebody who does not hold the job, and changed nothing',
    payload: z.object({ agent: z.string(), jobs: z.array(z.object({ id: z.string(), code: z.string() })) }),
  },
  'history.dropped': {
    summary: 'A week of ended jobs was older than it is to be kept, and was dropped',
    payload: z.object({ partition: z.string(), until: z.string(), about_jobs: z.int() }),
  },
  'partitions.low': {
    summary: 'The history of jobs has fewer than two weeks of partitions ready',
    payload: z.object({ ready: z.int() }),
  },
});
