// For every operation: how the other tenant tries to get at zzalpha's things with it, and what it must get instead. An
// operation without an entry here fails the tenants test.
import { A, B, type Estate, ONLY_ONCE, QUEUE, type World } from './world.ts';

export interface Scenario {
  /** Who of bravo tries; default: its operator, who has every ability. */
  readonly as?: (bravo: Estate) => string;
  /** What bravo sends, with zzalpha's ids in it. */
  readonly input: (world: World) => Readonly<Record<string, unknown>>;
  /** The same with made-up ids in their place: the answers must be the same but for the ids. */
  readonly madeUp?: (world: World) => Readonly<Record<string, unknown>>;
  /** `refused`: 401, 403 or 404. `own`: it works, and nothing of zzalpha is in the answer. */
  readonly answer: 'refused' | 'own';
  /** What an answer must be besides, when bravo uses a name or key that zzalpha uses. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  readonly check?: (body: any) => boolean;
}

const NO_JOB = 'job_0000000000000000000001';
const NO_APPROVAL = 'apr_0000000000000000000001';
const NO_BATCH = 'bat_0000000000000000000001';
const NO_TOKEN = 'tok_0000000000000000000001';
const NO_SESSION = 'ses_0000000000000000000001';
const nothing: Scenario = { input: () => ({}), answer: 'own' };

const agentAddress = (more: object = {}): Scenario => ({
  input: ({ a }) => ({ agent: a.agent.name, ...more }),
  madeUp: () => ({ agent: 'nobody-here', ...more }),
  answer: 'refused',
});

const channelAddress = (more: object = {}): Scenario => ({
  input: ({ a }) => ({ channel: a.channel, ...more }),
  madeUp: () => ({ channel: 'nowhere', ...more }),
  answer: 'refused',
});

const approvalAddress = (more: object = {}): Scenario => ({
  input: ({ a }) => ({ approval: a.approval, ...more }),
  madeUp: () => ({ approval: NO_APPROVAL, ...more }),
  answer: 'refused',
});

const budgetAddress: Scenario = {
  input: ({ a }) => ({ budget: a.budget }),
  madeUp: () => ({ budget: 'nowhere' }),
  answer: 'refused',
};

const scheduleAddress = (more: object = {}): Scenario => ({
  input: ({ a }) => ({ schedule: a.schedule, ...more }),
  madeUp: () => ({ schedule: 'nowhere', ...more }),
  answer: 'refused',
});

const batchAddress = (more: object = {}): Scenario => ({
  input: ({ a }) => ({ batch: a.batch, ...more }),
  madeUp: () => ({ batch: NO_BATCH, ...more }),
  answer: 'refused',
});

export const scenarios: Readonly<Record<string, Scenario>> = {
  'log.event.append': {
    input: ({ a }) => ({ event_type: 'bravo.tried', payload: {}, id: a.event.id }),
    answer: 'own',
    check: (body) => body.events[0].duplicate === false,
  },
  'log.event.list': { input: ({ before }) => ({ after: before, limit: 500 }), answer: 'own' },
  'log.event.show': {
    input: ({ a }) => ({ cursor: a.event.cursor }),
    madeUp: ({ before }) => ({ cursor: `${before.split('-')[0]}-0` }),
    answer: 'refused',
  },
  'log.live': { input: ({ before }) => ({ after: before, limit: 500 }), answer: 'own' },
  'log.head': { input: () => ({}), answer: 'refused' },
  'log.verify': { input: () => ({}), answer: 'refused' },
  'log.archive.list': { input: () => ({}), answer: 'refused' },
  'log.archive.read': { input: () => ({ limit: 500 }), answer: 'refused' },

  'access.me': nothing,
  'access.session.create': { input: () => ({ key: 'qd_link_no' }), answer: 'refused' },
  'access.session.remove': nothing,
  'access.sign_in_link.create': { input: () => ({}), answer: 'refused' },
  'access.session.list': { input: () => ({}), answer: 'refused' },
  'access.session.revoke': { input: () => ({ session_id: NO_SESSION }), answer: 'refused' },
  'access.tenant.list': nothing,
  'access.tenant.create': {
    input: () => ({ tenant: A }),
    madeUp: () => ({ tenant: 'nobody-here' }),
    answer: 'refused',
  },
  'access.token.list': nothing,
  'access.token.create': { input: () => ({ name: 'ci', abilities: ['log:read'] }), answer: 'own' },
  'access.token.revoke': {
    input: ({ a }) => ({ token_id: a.tokenId }),
    madeUp: () => ({ token_id: NO_TOKEN }),
    answer: 'refused',
  },
  'access.sql_role.create': agentAddress(),
  'access.sql_role.list': nothing,
  'access.sql_role.remove': agentAddress(),

  'work.job.add': {
    input: ({ a }) => ({ kind: 'try', queue: QUEUE, unique_key: a.uniqueKey }),
    answer: 'own',
    check: (body) => body.jobs[0].existing === false,
  },
  'work.job.list': nothing,
  'work.job.show': {
    input: ({ a }) => ({ job: a.queued }),
    madeUp: () => ({ job: NO_JOB }),
    answer: 'refused',
  },
  'work.job.claim': {
    as: (bravo) => bravo.agent.token,
    input: () => ({ queues: [QUEUE], limit: 500 }),
    answer: 'own',
    check: (body) => body.jobs.every((job: { tenant: string }) => job.tenant === B),
  },
  'work.job.renew': {
    as: (bravo) => bravo.agent.token,
    input: ({ a }) => ({ jobs: [{ id: a.running.id, lease: a.running.lease }] }),
    madeUp: ({ a }) => ({ jobs: [{ id: NO_JOB, lease: a.running.lease }] }),
    answer: 'own',
    check: (body) => body.renewed.length === 0,
  },
  'work.job.complete': {
    as: (bravo) => bravo.agent.token,
    input: ({ a }) => ({ jobs: [{ id: a.running.id, lease: a.running.lease, outcome: 'done' }] }),
    madeUp: ({ a }) => ({ jobs: [{ id: NO_JOB, lease: a.running.lease, outcome: 'done' }] }),
    answer: 'own',
    check: (body) => body.accepted.length === 0,
  },
  'work.job.cancel': {
    input: ({ a }) => ({ jobs: [a.queued] }),
    madeUp: () => ({ jobs: [NO_JOB] }),
    answer: 'own',
    check: (body) => body.cancelled.length === 0,
  },
  'work.job.replay': {
    input: ({ a }) => ({ jobs: [a.queued] }),
    madeUp: () => ({ jobs: [NO_JOB] }),
    answer: 'own',
    check: (body) => body.replayed.length === 0,
  },
  'work.job.change': {
    input: ({ a }) => ({ job: a.queued, priority: 1 }),
    madeUp: () => ({ job: NO_JOB, priority: 1 }),
    answer: 'refused',
  },
  'work.approval.list': nothing,
  'work.approval.show': approvalAddress(),
  'work.approval.decide': approvalAddress({ decision: 'approve' }),
  'work.batch.create': {
    input: ({ a }) => ({ parent: a.batch, jobs: [{ kind: 'try' }] }),
    madeUp: () => ({ parent: NO_BATCH, jobs: [{ kind: 'try' }] }),
    answer: 'refused',
  },
  'work.batch.add': batchAddress({ jobs: [{ kind: 'try' }] }),
  'work.batch.close': batchAddress(),
  'work.batch.cancel': batchAddress({ reason: 'hijacked' }),
  'work.batch.show': batchAddress(),
  'work.batch.list': nothing,
  'work.step.store': {
    as: (bravo) => bravo.agent.token,
    input: ({ a }) => ({ job: a.running.id, step: 'taken', lease: a.running.lease, result: 1 }),
    madeUp: ({ a }) => ({ job: NO_JOB, step: 'taken', lease: a.running.lease, result: 1 }),
    answer: 'refused',
  },
  'work.step.list': {
    input: ({ a }) => ({ job: a.running.id }),
    madeUp: () => ({ job: NO_JOB }),
    answer: 'refused',
  },
  'work.budget.set': { input: () => ({ budget: ONLY_ONCE, window: 'day', usd: 1 }), answer: 'own' },
  'work.budget.list': nothing,
  'work.budget.remove': budgetAddress,
  'work.summary': nothing,
  'work.schedule.set': {
    input: () => ({ schedule: ONLY_ONCE, every_seconds: 3600, job: { kind: 'try' } }),
    answer: 'own',
    check: (body) => body.tenant === B,
  },
  'work.schedule.list': nothing,
  'work.schedule.show': scheduleAddress(),
  'work.schedule.remove': scheduleAddress(),
  'work.schedule.pause': scheduleAddress({ reason: 'hijacked' }),
  'work.schedule.resume': scheduleAddress(),
  'work.schedule.run': scheduleAddress(),
  'work.schedule.backfill': scheduleAddress({ since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' }),
  'work.schedule.preview': { input: () => ({ cron: '0 3 * * *' }), answer: 'own' },
  'work.channel.set': { input: () => ({ channel: ONLY_ONCE, concurrency: 1 }), answer: 'own' },
  'work.channel.list': nothing,
  'work.channel.show': channelAddress(),
  'work.channel.remove': channelAddress(),
  'work.channel.pause': channelAddress({ reason: 'hijacked' }),
  'work.channel.resume': channelAddress(),
  'work.pause': { input: () => ({ tenant: A }), madeUp: () => ({ tenant: 'nobody-here' }), answer: 'refused' },
  'work.resume': { input: () => ({ tenant: A }), madeUp: () => ({ tenant: 'nobody-here' }), answer: 'refused' },
  'work.share.set': { input: () => ({ tenant: A, weight: 9 }), answer: 'refused' },

  'fleet.agent.add': {
    input: () => ({ agent: ONLY_ONCE }),
    answer: 'own',
    check: (body) => body.tenant === B,
  },
  'fleet.agent.list': nothing,
  'fleet.agent.show': agentAddress(),
  'fleet.agent.remove': agentAddress(),
  'fleet.agent.beat': { ...agentAddress({ status: 'hijacked' }), as: (bravo) => bravo.agent.token },
  'fleet.agent.pause': agentAddress({ reason: 'hijacked' }),
  'fleet.agent.resume': agentAddress(),
  'fleet.agent.stop': agentAddress({ reason: 'hijacked' }),
  'fleet.agent.restart': agentAddress(),
  'fleet.agent.token': agentAddress(),
  'fleet.agent.console': agentAddress({ after: 0 }),
  'fleet.status': nothing,
  'fleet.server.show': { input: () => ({}), answer: 'refused' },
};
