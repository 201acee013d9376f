// Every operation once, in an order in which each has what it needs: what is given to all interfaces alike. An operation
// without a step fails the parity test.

/** Answers so far, by operation. */
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into by the steps that follow
export type Past = Readonly<Record<string, any>>;

export interface Step {
  readonly operation: string;
  /** Default: the operator. `agent` is `worker`; `nobody` has no credential. */
  readonly as?: 'agent' | 'nobody';
  readonly input?: (past: Past) => Readonly<Record<string, unknown>>;
  /** An interface that has it in another form, and where that is proved. */
  readonly otherwise?: Readonly<Record<string, string>>;
}

/** Of agents: `worker` runs elsewhere, `pricer` is declared. */
export const steps: readonly Step[] = [
  { operation: 'access.me' },
  { operation: 'access.tenant.create', input: () => ({ tenant: 'acme', name: 'Acme Ltd' }) },
  { operation: 'access.tenant.list', input: () => ({ limit: 10 }) },
  {
    operation: 'access.token.create',
    input: () => ({ name: 'ci', abilities: ['log:append', 'work:enqueue'], tenant: 'acme' }),
  },
  { operation: 'access.token.list', input: () => ({ tenant: 'acme', limit: 10 }) },
  { operation: 'access.token.revoke', input: (past) => ({ token_id: past['access.token.create'].token_id }) },
  { operation: 'access.sign_in_link.create' },
  {
    operation: 'access.session.create',
    as: 'nobody',
    input: (past) => ({ key: past['access.sign_in_link.create'].url.split('#k=')[1] }),
  },
  { operation: 'access.session.list', input: () => ({ limit: 10 }) },
  {
    operation: 'access.session.revoke',
    input: (past) => ({ session_id: past['access.session.list'].items[0].session_id }),
  },
  { operation: 'access.session.remove' },

  {
    operation: 'log.event.append',
    as: 'agent',
    input: () => ({
      event_type: 'price.checked',
      payload: { sku: 'Ä-1', nested: { list: [1, null, 'two'] } },
      subject: 'agent:pricer',
      correlation_id: 'night-1',
    }),
  },
  { operation: 'log.event.list', input: () => ({ event_type: 'price.*', subject: 'agent:pricer', limit: 5 }) },
  { operation: 'log.event.show', input: (past) => ({ cursor: past['log.event.append'].events[0].cursor }) },
  {
    operation: 'log.live',
    input: (past) => ({ after: past['access.token.list'].as_of, topics: 'type:price.*', limit: 5 }),
    otherwise: { cli: 'it follows until it is ended: src/interfaces/cli' },
  },
  { operation: 'log.head' },
  { operation: 'log.verify', input: () => ({ limit: 10 }) },
  { operation: 'log.archive.list', input: () => ({ limit: 10 }) },
  { operation: 'log.archive.read', input: () => ({ event_type: 'price.*', limit: 10 }) },

  {
    operation: 'work.job.add',
    input: () => ({
      jobs: [
        { kind: 'reprice', payload: { sku: 'A1' }, priority: 50, unique_key: 'A1' },
        { kind: 'reprice', queue: 'later' },
        { kind: 'refund', approval: { summary: 'refund 40 euro', details: { euro: 40 } } },
      ],
      tenant: 'acme',
    }),
  },
  { operation: 'work.job.list', input: () => ({ state: 'queued', tenant: 'acme', limit: 10 }) },
  { operation: 'work.job.show', input: (past) => ({ job: past['work.job.add'].jobs[0].id }) },
  {
    operation: 'work.job.claim',
    as: 'agent',
    input: () => ({ queues: ['reprice', 'other'], limit: 2, lease_seconds: 30, wait: 1 }),
  },
  { operation: 'work.job.renew', as: 'agent', input: (past) => ({ jobs: [held(past)], lease_seconds: 60 }) },
  {
    operation: 'work.step.store',
    as: 'agent',
    input: (past) => ({ ...stepOf(past), step: 'fetched', result: { rows: 12 } }),
  },
  { operation: 'work.step.list', input: (past) => ({ job: past['work.job.claim'].jobs[0].id, limit: 10 }) },
  {
    operation: 'work.job.complete',
    as: 'agent',
    input: (past) => ({ jobs: [{ ...held(past), outcome: 'done', result: { price: 12.5 } }] }),
  },
  {
    operation: 'work.job.change',
    input: (past) => ({ job: waiting(past), priority: 7, run_at: '2999-01-01T00:00:00Z' }),
  },
  {
    operation: 'work.job.cancel',
    input: (past) => ({ jobs: [waiting(past), 'job_0000000000000000000000'], reason: 'not wanted' }),
  },
  { operation: 'work.approval.list', input: () => ({ state: 'pending', tenant: 'acme', limit: 10 }) },
  { operation: 'work.approval.show', input: asked },
  {
    operation: 'work.approval.decide',
    input: (past) => ({ ...asked(past), decision: 'reject', note: 'too much' }),
  },
  { operation: 'work.job.replay', input: () => ({ filter: { state: 'cancelled', queue: 'later' }, limit: 5 }) },
  { operation: 'work.summary', input: () => ({ tenant: 'acme' }) },

  {
    operation: 'work.batch.create',
    input: () => ({
      name: 'april',
      jobs: [{ kind: 'reprice', payload: { sku: 'A1' }, run_at: '2999-01-01T00:00:00Z' }],
      on_done: { kind: 'report', queue: 'later' },
      on_failure: 'cancel_rest',
      open: true,
      tenant: 'acme',
    }),
  },
  { operation: 'work.batch.add', input: (past) => ({ ...batchOf(past), jobs: [{ kind: 'reprice', queue: 'later' }] }) },
  { operation: 'work.batch.list', input: () => ({ state: 'open', tenant: 'acme', limit: 10 }) },
  { operation: 'work.batch.close', input: batchOf },
  { operation: 'work.batch.cancel', input: (past) => ({ ...batchOf(past), reason: 'wrong prices' }) },
  { operation: 'work.batch.show', input: batchOf },

  {
    operation: 'work.channel.set',
    input: () => ({ channel: 'ebay', concurrency: 4, limits: [{ limit: 5000, window_seconds: 86_400 }] }),
  },
  { operation: 'work.channel.list', input: () => ({ limit: 10 }) },
  { operation: 'work.channel.pause', input: () => ({ channel: 'ebay', reason: 'prices look wrong' }) },
  { operation: 'work.channel.resume', input: () => ({ channel: 'ebay' }) },
  { operation: 'work.channel.show', input: () => ({ channel: 'ebay' }) },
  { operation: 'work.channel.remove', input: () => ({ channel: 'ebay' }) },
  {
    operation: 'work.schedule.set',
    input: () => ({
      schedule: 'nightly',
      cron: '0 3 * * *',
      zone: 'Europe/Berlin',
      job: { kind: 'reprice', payload: { sku: 'A1' } },
    }),
  },
  { operation: 'work.schedule.list', input: () => ({ limit: 10 }) },
  { operation: 'work.schedule.pause', input: () => ({ schedule: 'nightly', reason: 'closed' }) },
  { operation: 'work.schedule.resume', input: () => ({ schedule: 'nightly' }) },
  { operation: 'work.schedule.show', input: () => ({ schedule: 'nightly' }) },
  { operation: 'work.schedule.run', input: () => ({ schedule: 'nightly' }) },
  {
    operation: 'work.schedule.backfill',
    input: () => ({ schedule: 'nightly', since: '2026-03-01T00:00:00Z', until: '2026-03-03T00:00:00Z' }),
  },
  {
    operation: 'work.schedule.preview',
    input: () => ({ cron: '30 2 * * *', zone: 'Europe/Berlin', after: '2026-03-28T12:00:00Z', count: 2 }),
  },
  { operation: 'work.schedule.remove', input: () => ({ schedule: 'nightly' }) },
  { operation: 'work.budget.set', input: () => ({ budget: 'daily', window: 'day', usd: 25.5, tokens: 5_000_000 }) },
  { operation: 'work.budget.list', input: () => ({ limit: 10 }) },
  { operation: 'work.budget.remove', input: () => ({ budget: 'daily' }) },
  { operation: 'work.pause', input: () => ({ tenant: 'acme', reason: 'has not paid' }) },
  { operation: 'work.resume', input: () => ({ tenant: 'acme' }) },
  { operation: 'work.share.set', input: () => ({ tenant: 'acme', weight: 2 }) },

  {
    operation: 'fleet.agent.add',
    input: () => ({
      agent: 'scout',
      kind: 'external',
      tenant: 'acme',
      queues: ['leads', 'mail'],
      silence_limit_seconds: 90.5,
    }),
  },
  {
    operation: 'fleet.agent.beat',
    as: 'agent',
    input: () => ({ agent: 'worker', status: 'well', usage: { tokens: 12 } }),
  },
  { operation: 'fleet.agent.list', input: () => ({ tenant: 'acme', limit: 10 }) },
  { operation: 'fleet.agent.show', input: () => ({ agent: 'scout@acme' }) },
  { operation: 'fleet.agent.token', input: () => ({ agent: 'scout' }) },
  { operation: 'access.sql_role.create', input: () => ({ agent: 'scout@acme' }) },
  { operation: 'access.sql_role.list', input: () => ({ tenant: 'acme', limit: 10 }) },
  { operation: 'access.sql_role.remove', input: () => ({ agent: 'scout' }) },
  { operation: 'fleet.agent.pause', input: () => ({ agent: 'pricer', reason: 'prices look wrong' }) },
  { operation: 'fleet.agent.resume', input: () => ({ agent: 'pricer' }) },
  { operation: 'fleet.agent.stop', input: () => ({ agent: 'pricer', reason: 'over budget' }) },
  { operation: 'fleet.agent.restart', input: () => ({ agent: 'pricer', reason: 'it hangs' }) },
  { operation: 'fleet.agent.console', input: () => ({ agent: 'pricer', bytes: 1000 }) },
  { operation: 'fleet.server.show' },
  { operation: 'fleet.status', input: () => ({ tenant: 'acme' }) },
  { operation: 'fleet.agent.remove', input: () => ({ agent: 'scout' }) },
];

function waiting(past: Past): string {
  return past['work.job.add'].jobs[1].id;
}

function asked(past: Past): { approval: string } {
  return { approval: past['work.approval.list'].items[0].id };
}

function batchOf(past: Past): { batch: string } {
  return { batch: past['work.batch.create'].batch };
}

function stepOf(past: Past): object {
  const { id: job, lease } = past['work.job.claim'].jobs[0];
  return { job, lease };
}

function held(past: Past): object {
  const { id, lease } = past['work.job.claim'].jobs[0];
  return { id, lease };
}

/** What every interface refuses alike. */
export const refusals: readonly (Step & { readonly code: string })[] = [
  { operation: 'work.job.show', input: () => ({ job: 'job_0000000000000000000001' }), code: 'work.job_not_found' },
  { operation: 'fleet.agent.pause', input: () => ({ agent: 'nobody-here' }), code: 'access.agent_not_found' },
  { operation: 'access.tenant.create', input: () => ({ tenant: 'acme' }), code: 'access.tenant_exists' },
  { operation: 'access.tenant.list', as: 'agent', code: 'denied' },
  { operation: 'log.event.append', input: () => ({ event_type: 'work.job.added' }), code: 'log.reserved_event_type' },
];
