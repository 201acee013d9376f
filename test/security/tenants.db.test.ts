// Tenant bravo, with every ability there is, tries to get at what tenant zzalpha has: through every operation, and in
// the database itself.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RateLimit } from '../../src/interfaces/http/rate-limit.ts';
import { allOperations } from '../../src/operations.ts';
import type { AnyOperation } from '../../src/platform/operation.ts';
import { openTestServer, type TestServer } from '../support/server.ts';
import { openFootprint } from './footprint.ts';
import { shownInside } from './refusal.ts';
import { rowLeaks, type TenantTable, tenantTables } from './row-leaks.ts';
import { requestFor } from './sample-request.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { type RawAnswer, send } from './wire.ts';
import { A, B, KEYED_JOB, MARK, made, openWorld, type World } from './world.ts';

let t: TestServer;
let world: World;
let tables: TenantTable[];
const operations = allOperations.filter(({ kind, listener }) => kind !== 'local' && listener === 'api');

beforeAll(async () => {
  let now = 0;
  t = await openTestServer({ limits: new RateLimit(() => (now += 120_000)) });
  world = await openWorld(t);
  tables = await tenantTables(world.admin);
});
afterAll(async () => {
  await world?.close();
  await t?.close();
});

function ask(
  operation: AnyOperation,
  scenario: Scenario,
  input: Readonly<Record<string, unknown>>,
): Promise<RawAnswer> {
  const token = scenario.as?.(world.b) ?? world.b.operator;
  return send(t.port, { ...requestFor(operation, input), token });
}

/** What bravo learns or does by one operation; empty when it is nothing. */
async function leaksOf(operation: AnyOperation, scenario: Scenario): Promise<string[]> {
  const input = scenario.input(world);
  const answer = await ask(operation, scenario, input);
  const short = `${operation.name}: ${answer.status} ${answer.text.slice(0, 400)}`;
  const leaks = shownInside(answer.text)
    .filter((what) => what !== 'a secret' || operation.secretOutput.length === 0)
    .map((what) => `${what}: ${short}`);
  if (scenario.answer === 'refused' && ![401, 403, 404].includes(answer.status)) leaks.push(`not refused: ${short}`);
  if (scenario.answer === 'own' && answer.status >= 300) leaks.push(`refused: ${short}`);
  if (MARK.test(withoutValues(answer.text, input))) leaks.push(`shows zzalpha: ${short}`);
  if (answer.status < 300 && scenario.check?.(JSON.parse(answer.text)) === false) leaks.push(`collides: ${short}`);
  if (scenario.madeUp !== undefined) {
    const madeUp = scenario.madeUp(world);
    const other = await ask(operation, scenario, madeUp);
    const [seen, unseen] = [comparable(answer, input), comparable(other, madeUp)];
    if (seen !== unseen) leaks.push(`${operation.name}: what is there and what is not differ:\n${seen}\n${unseen}`);
  }
  return leaks;
}

// An answer may repeat what it was asked for; that tells nothing.
function comparable(answer: RawAnswer, input: Readonly<Record<string, unknown>>): string {
  return `${answer.status} ${withoutValues(answer.text.replace(/req_\w+/, 'req'), input)}`;
}

function withoutValues(text: string, input: unknown): string {
  return valuesOf(input).reduce((rest, value) => rest.replaceAll(value, '<given>'), text);
}

function valuesOf(input: unknown): string[] {
  if (typeof input === 'string') return input.length < 4 ? [] : [input];
  return typeof input === 'object' && input !== null ? Object.values(input).flatMap(valuesOf) : [];
}

async function allLeaks(): Promise<string[]> {
  const leaks: string[] = [];
  for (const operation of operations) {
    const scenario = scenarios[operation.name];
    if (scenario !== undefined) leaks.push(...(await leaksOf(operation, scenario)));
  }
  return leaks;
}

it('every operation has a scenario, and every scenario its operation', () => {
  const names = operations.map(({ name }) => name);
  expect(names.filter((name) => scenarios[name] === undefined)).toEqual([]);
  expect(Object.keys(scenarios).filter((name) => !names.includes(name))).toEqual([]);
});

describe('another tenant', () => {
  it('gets at nothing by any operation, and is told the same for what is there and what is not', async () => {
    const footprint = await openFootprint(t.database.adminUrl, A);
    try {
      const before = await footprint.take();
      expect(await allLeaks()).toEqual([]);
      expect(await footprint.take()).toEqual(before);
    } finally {
      await footprint.close();
    }
  });

  it('cannot name the tenant, and is told the same as for one that does not exist', async () => {
    // Making a tenant is refused to every tenant alike; its scenario says so.
    const naming = operations.filter(({ input, name }) => 'tenant' in input.shape && name !== 'access.tenant.create');
    const wrong: string[] = [];
    for (const operation of naming) {
      const scenario = { input: () => ({}), answer: 'refused' } as const;
      const inputs = [A, 'nobody-here'].map((tenant) => ({ ...operation.example, tenant }));
      const [there, not] = await Promise.all(inputs.map((input) => ask(operation, scenario, input)));
      if (there!.status !== 404) wrong.push(`${operation.name}: ${there!.status} ${there!.text}`);
      const [seen, unseen] = [comparable(there!, inputs[0]!), comparable(not!, inputs[1]!)];
      if (seen !== unseen) wrong.push(`${operation.name} differs:\n${seen}\n${unseen}`);
    }
    expect(naming.length).toBeGreaterThan(5);
    expect(wrong).toEqual([]);
  });

  it('gets a job of its own when it uses an Idempotency-Key that the tenant used for the same request', async () => {
    const headers = { 'idempotency-key': world.a.idempotencyKey };
    const { jobs } = await made(t.request('POST', '/v1/jobs', { token: world.b.operator, body: KEYED_JOB, headers }));
    expect(jobs[0].id).not.toBe(world.a.keyed);
    expect(jobs[0].existing).toBe(false);
  });

  it('hears nothing by any transport of the live feed, whatever topics it names', async () => {
    const topics = ['everything', `tenant:${A}`, `agent:${world.a.agent.name}`, `job:${world.a.queued}`, `type:${A}.*`];
    const heard: string[] = [];
    for (const topic of topics) {
      const path = `/v1/live?topics=${encodeURIComponent(topic)}&after=${world.before}`;
      heard.push((await send(t.port, { method: 'GET', path, token: world.b.operator })).text);
    }
    expect(heard.filter((text) => MARK.test(text))).toEqual([]);
    expect(heard[0]).toContain(`${B}.happened`);
  });

  it('does with a job’s token what the job’s tenant may, and nothing in another', async () => {
    const { token } = world.b.running;
    expect((await made(t.request('GET', '/v1/me', { token }))).tenant).toBe(B);
    expect((await t.request('GET', `/v1/jobs/${world.a.queued}`, { token })).status).toBe(404);
    expect((await t.request('GET', '/v1/jobs', { token })).text).not.toMatch(MARK);
  });
});

describe('the database itself', () => {
  it('shows and takes no row across tenants, in any table', async () => {
    expect(tables.length).toBeGreaterThan(10);
    expect(await inRolledBack(async () => leaksOfTables(tables))).toEqual([]);
  });

  it('shows a tenant no other tenant and no operator', async () => {
    const seen = await inRolledBack(async () => {
      const { rows } = await world.admin.query('SELECT id FROM access.tenants WHERE slug = $1', [B]);
      await world.admin.query(`SELECT set_config('role', 'qd_app', true), set_config('qd.tenant', $1, true)`, [
        rows[0].id,
      ]);
      return (await world.admin.query('SELECT slug FROM access.tenants')).rows;
    });
    expect(seen).toEqual([{ slug: B }]);
  });

  it('shows nothing when no tenant is set', async () => {
    const seen = await inRolledBack(async () => {
      await world.admin.query(`SELECT set_config('role', 'qd_app', true), set_config('qd.tenant', '', true)`);
      const counts: string[] = [];
      for (const { name } of tables.filter(({ readable }) => readable)) {
        const { rows } = await world.admin.query(`SELECT count(*)::int AS n FROM ${name} WHERE tenant_id IS NOT NULL`);
        if (rows[0].n > 0) counts.push(`${name}: ${rows[0].n}`);
      }
      return counts;
    });
    expect(seen).toEqual([]);
  });

  it('a policy that lets every row be seen or written is noticed, whichever it is', async () => {
    const { rows: policies } = await world.admin.query<{ table: string; name: string; checks: boolean; uses: boolean }>(
      `SELECT format('%I.%I', p.schemaname, p.tablename) AS table, p.policyname AS name,
              p.with_check IS NOT NULL AS checks, p.qual IS NOT NULL AS uses
       FROM pg_policies p WHERE 'qd_app' = ANY (p.roles) AND coalesce(p.qual, p.with_check) LIKE '%tenant_id%'`,
    );
    expect(policies.length).toBeGreaterThanOrEqual(tables.length);
    const unnoticed: string[] = [];
    for (const policy of policies) {
      // Where a tenant may not insert at all, what it would be checked by cannot matter.
      const mayInsert = tables.find(({ name }) => name === policy.table)?.insertable.includes('tenant_id');
      for (const clause of [policy.uses && 'USING', policy.checks && mayInsert && 'WITH CHECK'].filter(Boolean)) {
        const leaks = await inRolledBack(async () => {
          await world.admin.query(`ALTER POLICY ${policy.name} ON ${policy.table} ${clause} (true)`);
          return leaksOfTables(tables.filter(({ name }) => name === policy.table));
        });
        if (leaks.length === 0) unnoticed.push(`${policy.table} ${policy.name} ${clause}`);
      }
    }
    expect(unnoticed).toEqual([]);
  });

  it('a policy that lets every row of the log be seen is noticed through the operations too', async () => {
    const policy = 'ALTER POLICY tenant_rows ON log.event_log USING';
    await world.admin.query(`${policy} (true)`);
    try {
      expect((await allLeaks()).join()).toMatch(/log\.event\.list: 200/);
    } finally {
      await world.admin.query(`${policy} (tenant_id = platform.tenant())`);
    }
  });
});

async function leaksOfTables(some: readonly TenantTable[]): Promise<string[]> {
  const leaks: string[] = [];
  for (const table of some) leaks.push(...(await rowLeaks(world.admin, table, A, B)));
  return leaks;
}

async function inRolledBack<T>(work: () => Promise<T>): Promise<T> {
  await world.admin.query('BEGIN');
  try {
    return await work();
  } finally {
    await world.admin.query('ROLLBACK');
  }
}
