import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openTestApp, type TestApp } from '../../../test/support/app.ts';
import { fleetScope } from '../../platform/db/database.ts';
import { workOperations } from '../work/index.ts';
import { MOST_RESTARTS } from './healing.ts';

let t: TestApp;
beforeAll(async () => {
  t = await openTestApp();
  t.app.db.availability.start();
});
afterAll(() => t.close());

const sql = <R>(text: string, values: readonly unknown[] = []) =>
  t.app.db.write(fleetScope, (tx) => tx.query<R>(text, values));
const PATIENCE = { timeout: 20_000, interval: 100 };

/** A supervised agent whose process runs, as its host tells it; with the limit of a second. */
async function supervised(slug: string, silentSeconds: number): Promise<string> {
  const { id } = await t.agentCaller(slug);
  await sql(
    `UPDATE fleet.agents SET command = ARRAY['sleep'], cwd = '/', silence_limit_seconds = 1 WHERE agent_id = $1`,
    [id],
  );
  await running(id, silentSeconds);
  return id;
}

/** As the host tells it after a restart: a process of this generation, started so long ago. */
const running = (id: string, silentSeconds: number) =>
  sql(
    `UPDATE fleet.health_checks h SET phase = 'running', host = 'here', host_seen = clock_timestamp(),
       process_started_at = clock_timestamp() - make_interval(secs => $2), last_seen = NULL,
       generation = (SELECT restart_generation FROM fleet.agents a WHERE a.agent_id = h.agent_id)
     WHERE h.agent_id = $1`,
    [id, silentSeconds],
  );
const show = async (slug: string) => t.app.fleet.show(t.app.call(await t.operatorCaller()), slug);
const heal = () => t.app.fleet.healer.heal(t.app.systemCall());
const told = async (type: string, agent?: string) => {
  const { items } = await t.app.log.list(t.app.systemCall(), { event_type: type, limit: 500, order: 'asc' });
  return items.map(({ payload }) => payload).filter((payload) => agent === undefined || payload['agent'] === agent);
};
const generation = async (id: string) =>
  (await sql<{ n: number }>('SELECT restart_generation AS n FROM fleet.agents WHERE agent_id = $1', [id]))[0]!.n;

it('has a silent agent restarted once, says why, and shows that it is healing until it speaks', async () => {
  const id = await supervised('quiet', 100);
  await vi.waitFor(async () => {
    await heal();
    expect(await told('fleet.agent.healing', 'quiet')).toHaveLength(1);
  }, PATIENCE);
  expect((await told('fleet.agent.healing', 'quiet'))[0]).toMatchObject({
    reason: expect.stringMatching(/no sign of life for 10\d s, its limit is 1 s; restart 1 of 3/),
    restarts: 0,
  });
  // Until the host has carried it out, it is not ordered again.
  await heal();
  expect(await generation(id)).toBe(1);
  await running(id, 0);
  expect(await show('quiet')).toMatchObject({ state: 'healing' });
  await t.app.fleet.beat(t.app.call(await t.agentCaller('quiet')), {
    agent: 'quiet',
    status: undefined,
    job: undefined,
    version: undefined,
    usage: undefined,
  });
  expect(await show('quiet')).toMatchObject({ state: 'healthy' });
});

it('gives up after three restarts within an hour: the agent is paused, with the reason, and wants the operator', async () => {
  const id = await supervised('hopeless', 100);
  for (let n = 1; n <= MOST_RESTARTS; n++) {
    await heal();
    expect(await generation(id)).toBe(n);
    await running(id, 100);
  }
  await heal();
  expect(await generation(id)).toBe(MOST_RESTARTS);
  expect(await show('hopeless')).toMatchObject({ desired: 'pause', state: 'silent' });
  expect(await told('fleet.agent.given_up', 'hopeless')).toMatchObject([{ restarts: MOST_RESTARTS }]);
  await heal();
  expect(await told('fleet.agent.given_up', 'hopeless')).toHaveLength(1);
});

it('leaves alone an agent that holds a valid lease, one that is only to be reported, and one whose host is away', async () => {
  const busy = await supervised('busy', 100);
  const reported = await supervised('reported', 100);
  const stranded = await supervised('stranded', 100);
  await sql(`UPDATE fleet.agents SET on_silence = 'report' WHERE agent_id = $1`, [reported]);
  await sql(`UPDATE fleet.health_checks SET host_seen = clock_timestamp() - interval '1 min' WHERE agent_id = $1`, [
    stranded,
  ]);
  const operator = t.app.call(await t.operatorCaller());
  await t.app.work.add(operator, workOperations.addJobs.input.parse({ kind: 'long' }));
  await t.app.work.claim(t.app.call(await t.agentCaller('busy')), {
    queues: ['long'],
    limit: 1,
    wait: 0,
    lease_seconds: 600,
  });
  await heal();
  for (const id of [busy, reported, stranded]) expect(await generation(id)).toBe(0);
});

it('restarts nobody when most went silent at once, and says so once', async () => {
  const ids = await Promise.all(['m1', 'm2', 'm3', 'm4'].map((slug) => supervised(slug, 100)));
  await heal();
  await heal();
  for (const id of ids) expect(await generation(id)).toBe(0);
  expect(await told('fleet.healing.withheld')).toHaveLength(1);
});

it('acts once when two engines look at the same time', async () => {
  await sql(`UPDATE fleet.agents SET on_silence = 'report'`);
  const id = await supervised('contested', 100);
  await Promise.all([heal(), heal(), heal(), heal()]);
  expect(await generation(id)).toBe(1);
  expect(await told('fleet.agent.healing', 'contested')).toHaveLength(1);
});
