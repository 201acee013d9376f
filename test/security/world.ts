// Two tenants on one installation: `zzalpha`, in whose every thing its name stands, and `bravo`, which tries to get at
// them. What bears the mark must never be seen by bravo.
import pg from 'pg';
import { abilities } from '../../src/domains/access/index.ts';
import type { Answer, TestServer } from '../support/server.ts';

export const A = 'zzalpha';
export const B = 'bravo';
export const MARK = /zzalpha/i;
/** Both tenants use it. */
export const QUEUE = 'shared-queue';
/** A request that does not show whose it is. */
export const KEYED_JOB = { kind: 'keyed', queue: 'keyed-queue', payload: {} };
/** An agent of this name is zzalpha's alone, and the name does not show whose. */
export const ONLY_ONCE = 'only-once';

/** What one tenant has. */
export interface Estate {
  readonly tenant: string;
  readonly operator: string;
  readonly agent: { readonly name: string; readonly token: string };
  readonly event: { readonly cursor: string; readonly id: string };
  /** Keys that it used: with another tenant's request they must mean nothing. */
  readonly uniqueKey: string;
  readonly idempotencyKey: string;
  readonly tokenId: string;
  readonly queued: string;
  readonly running: { readonly id: string; readonly lease: string; readonly token: string };
  readonly ended: string;
  readonly approval: string;
  readonly budget: string;
  readonly channel: string;
  readonly schedule: string;
  readonly batch: string;
  /** Made by KEYED_JOB with its idempotencyKey. */
  readonly keyed: string;
}

export interface World {
  readonly t: TestServer;
  readonly a: Estate;
  readonly b: Estate;
  /** The position of the log before either tenant did anything. */
  readonly before: string;
  readonly admin: pg.Client;
  close(): Promise<void>;
}

export async function openWorld(t: TestServer): Promise<World> {
  const fleet = await t.operatorToken();
  const before = (await made(t.request('GET', '/v1/events', { token: fleet }))).as_of as string;
  const admin = new pg.Client({ connectionString: t.database.adminUrl });
  await admin.connect();
  const a = await settle(t, fleet, A, admin);
  const b = await settle(t, fleet, B, admin);
  return { t, a, b, before, admin, close: () => admin.end() };
}

async function settle(t: TestServer, fleet: string, tenant: string, admin: pg.Client): Promise<Estate> {
  const post = async (path: string, token: string, body: unknown, headers: Record<string, string> = {}) =>
    made(t.request('POST', path, { token, body, headers }));
  // Words for keys, which do not show whose they are.
  const word = tenant === A ? 'first' : 'second';
  const idempotencyKey = `${word}-request`;
  const uniqueKey = `${word}-job`;
  const id = `${word}-event`;

  await post('/v1/tenants', fleet, { tenant, name: `${tenant} Ltd` });
  const { token: operator } = await post('/v1/tokens', fleet, { name: `${tenant} all`, abilities, tenant });
  const name = `${tenant}-scout`;
  const { token: agentToken } = await post('/v1/agents', operator, { agent: name });
  if (tenant === A) await post('/v1/agents', operator, { agent: ONLY_ONCE });
  const agent: Estate['agent'] = { name, token: agentToken };
  await post(`/v1/agents/${name}/beats`, agent.token, { status: `${tenant} is well` });
  const event = { event_type: `${tenant}.happened`, payload: { mark: tenant }, id };
  const { events } = await post('/v1/events', agent.token, event);
  const { token_id: tokenId } = await post('/v1/tokens', operator, { name: `${tenant} ci`, abilities: ['log:read'] });

  const job = { kind: `${tenant}-kind`, queue: QUEUE, payload: { mark: tenant, text: 'x'.repeat(5_000) } };
  await post('/v1/sql-roles', operator, { agent: name });
  const add = async (more: object, headers: Record<string, string> = {}): Promise<string> =>
    (await post('/v1/jobs', operator, { ...job, ...more }, headers)).jobs[0].id;
  const claim = async (): Promise<Estate['running']> =>
    (await post('/v1/jobs/claims', agent.token, { queues: [QUEUE], limit: 1 })).jobs[0];
  const keyed = await add(KEYED_JOB, { 'idempotency-key': idempotencyKey });
  const ended = await add({});
  const { lease } = await claim();
  const outcome = { id: ended, lease, outcome: 'failed', error: `${tenant} failed`, retry: false };
  await post('/v1/jobs/completions', agent.token, { jobs: [outcome] });
  await add({});
  const running = await claim();
  const queued = await add({ unique_key: uniqueKey });
  const gated = await add({ approval: { summary: `${tenant} asks`, details: { mark: tenant } } });
  const { items: asked } = await made(t.request('GET', `/v1/approvals?job=${gated}`, { token: operator }));
  const approval: string = asked[0].id;
  const budget = `${word}-budget`;
  const forAgent = { agent: name, window: 'day', usd: 1_000 };
  await made(t.request('PUT', `/v1/budgets/${budget}`, { token: operator, body: forAgent }));
  const usage = { usd: 0.5, tokens: 12 };
  const { id: held, lease: under } = running;
  await post('/v1/jobs/renewals', agent.token, { jobs: [{ id: held, lease: under, usage }] });
  const channel = `${word}-channel`;
  await made(t.request('PUT', `/v1/channels/${channel}`, { token: operator, body: { concurrency: 1 } }));
  const schedule = `${word}-schedule`;
  const nightly = { cron: '0 3 * * *', job: { kind: `${tenant}-kind`, payload: { mark: tenant } } };
  await made(t.request('PUT', `/v1/schedules/${schedule}`, { token: operator, body: nightly }));
  const { batch } = await post('/v1/batches', operator, { name: `${tenant} batch`, open: true });
  const step = { lease: running.lease, result: { mark: tenant } };
  await made(t.request('PUT', `/v1/jobs/${running.id}/steps/${tenant}`, { token: agent.token, body: step }));
  await fillByHand(admin, tenant);
  return {
    tenant,
    operator,
    agent,
    event: { cursor: events[0].cursor, id },
    uniqueKey,
    idempotencyKey,
    tokenId,
    queued,
    running,
    ended,
    approval,
    budget,
    channel,
    schedule,
    batch,
    keyed,
  };
}

// Tables that only background work writes.
async function fillByHand(admin: pg.Client, tenant: string): Promise<void> {
  await admin.query(
    `INSERT INTO work.minute_counts (tenant_id, queue, minute, added)
     SELECT id, $2, date_trunc('minute', now()), 1 FROM access.tenants WHERE slug = $1`,
    [tenant, `${tenant}-queue`],
  );
  await admin.query('INSERT INTO work.shares (tenant_id) SELECT id FROM access.tenants WHERE slug = $1', [tenant]);
  await admin.query(
    `INSERT INTO work.pauses (tenant_id, paused_by, reason) SELECT id, 'operator', $1 FROM access.tenants WHERE slug = $1`,
    [tenant],
  );
  await admin.query(
    `INSERT INTO fleet.healings (agent_id, tenant_id, step, reason)
     SELECT a.id, a.tenant_id, 'restart', $1 FROM access.agents a JOIN access.tenants t ON t.id = a.tenant_id
     WHERE t.slug = $1 AND a.slug = $1 || '-scout'`,
    [tenant],
  );
  await admin.query(
    `INSERT INTO fleet.console_chunks (agent_id, tenant_id, start_offset, end_offset, bytes)
     SELECT a.id, a.tenant_id, 0, 8, convert_to($1 || '!', 'UTF8') FROM access.agents a
     JOIN access.tenants t ON t.id = a.tenant_id WHERE t.slug = $1 AND a.slug = $1 || '-scout'`,
    [tenant],
  );
  // Written only where traces are recorded.
  await admin.query(
    `INSERT INTO work.job_traces (job_id, tenant_id, kind, traceparent)
     SELECT j.id, j.tenant_id, j.kind, '00-' || repeat('1', 32) || '-' || repeat('2', 16) || '-01'
     FROM work.jobs j JOIN access.tenants t ON t.id = j.tenant_id WHERE t.slug = $1 LIMIT 1`,
    [tenant],
  );
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
export async function made(answer: Promise<Answer>): Promise<any> {
  const { status, text, body } = await answer;
  if (status >= 300) throw new Error(`${status} ${text}`);
  return body;
}
