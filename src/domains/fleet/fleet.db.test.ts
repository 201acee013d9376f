import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestApp, type TestApp } from '../../../test/support/app.ts';
import type { Call } from '../../platform/call.ts';
import { FLEET_TENANT } from '../../platform/tenants.ts';
import { agentsSection } from './manifest.ts';

let t: TestApp;
let call: Call;

beforeAll(async () => {
  t = await openTestApp();
  call = t.app.call(await t.operatorCaller());
  for (const tenant of ['acme', 'globex', 'paged']) await t.operatorCaller(tenant);
});
afterAll(() => t.close());

async function eventsOf(agent: string): Promise<string[]> {
  const rows = await call.read((tx) =>
    tx.query<{ event_type: string }>('SELECT event_type FROM log.event_log WHERE subject = $1 ORDER BY seq', [
      `agent:${agent}`,
    ]),
  );
  return rows.map((row) => row.event_type);
}

const noInput = { queues: undefined, silence_limit_seconds: undefined, tenant: undefined };
const page = { state: undefined, tenant: undefined, after: undefined, limit: 100 };

async function addExternal(agent: string, tenant?: string, limit?: number) {
  const input = { ...noInput, agent, kind: 'external' as const, tenant, silence_limit_seconds: limit };
  const added = await t.app.fleet.add(call, input);
  const caller = await t.app.access.credentials.getCaller(added.token);
  return { added, agentCall: t.app.call(caller) };
}

const beat = { status: undefined, job: undefined, version: undefined, usage: undefined };

test('an agent that never spoke is unknown; its first beat makes it healthy and answers what is wanted', async () => {
  const { added, agentCall } = await addExternal('scout');
  expect(added).toMatchObject({ agent: 'scout', tenant: 'fleet', state: 'unknown', silence_limit_seconds: 900 });
  const answer = await t.app.fleet.beat(agentCall, { ...beat, agent: 'scout', status: 'working', version: '1.2' });
  expect(answer.desired).toBe('run');
  expect(Math.abs(Date.parse(answer.time) - Date.now())).toBeLessThan(10_000);
  expect(await t.app.fleet.show(call, 'scout')).toMatchObject({ state: 'healthy', status: 'working', version: '1.2' });
  expect(await eventsOf('scout')).toEqual(['access.agent.created']);
});

test('a hundred beats at once are all answered, and the last of each agent counts', async () => {
  const { agentCall } = await addExternal('drummer');
  const beats = Array.from({ length: 100 }, (_, i) =>
    t.app.fleet.beat(agentCall, { ...beat, agent: 'drummer', status: `at ${i}` }),
  );
  expect(await Promise.all(beats)).toHaveLength(100);
  expect(await t.app.fleet.show(call, 'drummer')).toMatchObject({ status: 'at 99' });
});

test('nobody beats for another agent', async () => {
  const { agentCall } = await addExternal('impostor');
  await addExternal('victim');
  await expect(t.app.fleet.beat(agentCall, { ...beat, agent: 'victim' })).rejects.toMatchObject({
    code: 'fleet.not_your_agent',
  });
  await expect(t.app.fleet.beat(call, { ...beat, agent: 'victim' })).rejects.toMatchObject({
    code: 'fleet.not_your_agent',
  });
  await expect(t.app.fleet.beat(agentCall, { ...beat, agent: 'nobody' })).rejects.toMatchObject({
    code: 'access.agent_not_found',
  });
  expect((await t.app.fleet.show(call, 'victim')).last_seen).toBeNull();
});

test('silence makes an agent late, then silent; the log is told once, and once when it is heard', async () => {
  const { agentCall } = await addExternal('quiet', undefined, 60);
  await t.app.fleet.beat(agentCall, { ...beat, agent: 'quiet' });
  const age = (seconds: number) =>
    call.write((tx) =>
      tx.query(`UPDATE fleet.health_checks SET last_seen = now() - make_interval(secs => $1) WHERE agent = 'quiet'`, [
        seconds,
      ]),
    );
  await age(100);
  expect(await t.app.fleet.show(call, 'quiet')).toMatchObject({
    state: 'late',
    state_reason: 'No sign of life for 100 s; its limit is 60 s.',
  });
  await age(200);
  expect(await t.app.fleet.show(call, 'quiet')).toMatchObject({ state: 'silent' });
  await Promise.all([t.app.fleet.tellSilences(t.app.systemCall()), t.app.fleet.tellSilences(t.app.systemCall())]);
  const status = await t.app.fleet.status(call, { tenant: undefined });
  expect(status.needs).toContainEqual(expect.objectContaining({ kind: 'agent', subject: 'quiet', severity: 'error' }));
  await t.app.fleet.beat(agentCall, { ...beat, agent: 'quiet' });
  await t.app.fleet.tellSilences(t.app.systemCall());
  expect(await eventsOf('quiet')).toEqual(['access.agent.created', 'fleet.agent.silent', 'fleet.agent.heard']);
});

test('the query of the requirement finds silent agents', async () => {
  const { agentCall } = await addExternal('fifteen');
  await t.app.fleet.beat(agentCall, { ...beat, agent: 'fifteen' });
  await call.write((tx) =>
    tx.query(`UPDATE fleet.health_checks SET last_seen = now() - interval '16 minutes' WHERE agent = 'fifteen'`),
  );
  const rows = await call.read((tx) =>
    tx.query(`SELECT agent FROM fleet.health_checks WHERE last_seen < NOW() - INTERVAL '15 minutes'`),
  );
  expect(rows).toEqual([{ agent: 'fifteen' }]);
});

test('work calls count as signs of life', async () => {
  const { agentCall } = await addExternal('worker');
  t.app.fleet.seen(agentCall.caller.id);
  await expect.poll(async () => (await t.app.fleet.show(call, 'worker')).state, { timeout: 5_000 }).toBe('healthy');
});

test('pause, resume and stop say who and why, change once, and are learnt by the next beat', async () => {
  const { agentCall } = await addExternal('pausable');
  const id = agentCall.caller.id;
  const paused = await t.app.fleet.pause(call, 'pausable', 'prices look wrong');
  expect(paused).toMatchObject({ state: 'paused', desired: 'pause', desired_by: 'operator:ada' });
  expect(paused.state_reason).toBe('Paused by operator:ada: prices look wrong.');
  await t.app.fleet.pause(call, 'pausable', 'prices look wrong');
  expect(await call.read((tx) => t.app.fleet.isPaused(tx, id))).toBe(true);
  expect((await t.app.fleet.beat(agentCall, { ...beat, agent: 'pausable' })).desired).toBe('pause');
  await t.app.fleet.resume(call, 'pausable');
  await t.app.fleet.resume(call, 'pausable');
  expect(await call.read((tx) => t.app.fleet.isPaused(tx, id))).toBe(false);
  expect(await t.app.fleet.stop(call, 'pausable', undefined)).toMatchObject({ state: 'stopped' });
  await expect(t.app.fleet.restart(call, 'pausable', undefined)).rejects.toMatchObject({
    code: 'fleet.not_supervised',
  });
  expect(await eventsOf('pausable')).toEqual([
    'access.agent.created',
    'fleet.agent.paused',
    'fleet.agent.resumed',
    'fleet.agent.stop_ordered',
  ]);
});

test('every change of a row makes its version grow', async () => {
  const { agentCall, added } = await addExternal('versioned');
  await t.app.fleet.beat(agentCall, { ...beat, agent: 'versioned' });
  const afterBeat = (await t.app.fleet.show(call, 'versioned')).row_version;
  const afterPause = (await t.app.fleet.pause(call, 'versioned', undefined)).row_version;
  expect(added.row_version).toBeLessThan(afterBeat);
  expect(afterBeat).toBeLessThan(afterPause);
});

test('a removed agent is gone, its token with it, and its name is free again', async () => {
  const { added } = await addExternal('brief');
  expect(await t.app.fleet.remove(call, 'brief')).toEqual({ agent: 'brief', removed: true });
  await expect(t.app.access.credentials.getCaller(added.token)).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(t.app.fleet.show(call, 'brief')).rejects.toMatchObject({ code: 'access.agent_not_found' });
  const { added: again } = await addExternal('brief');
  expect(again.state).toBe('unknown');
});

test('a name that is taken is refused, also when two ask at once', async () => {
  const outcomes = await Promise.allSettled([addExternal('twin'), addExternal('twin')]);
  const codes = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'added' : outcome.reason.code));
  expect(codes.sort()).toEqual(['access.agent_exists', 'added']);
});

test('a tenant sees and orders its own agents only, and can give no command', async () => {
  await addExternal('shared', 'acme');
  await addExternal('shared', 'globex');
  await addExternal('hidden', 'globex');
  const acme = t.app.call(await t.operatorCaller('acme'));
  const list = await t.app.fleet.list(acme, page);
  expect(list.items.map((item) => `${item.agent}@${item.tenant}`)).toEqual(['shared@acme']);
  await expect(t.app.fleet.show(acme, 'hidden')).rejects.toMatchObject({ code: 'access.agent_not_found' });
  await expect(t.app.fleet.pause(acme, 'hidden@globex', undefined)).rejects.toMatchObject({
    code: 'access.agent_not_found',
  });
  await expect(t.app.fleet.show(call, 'shared')).rejects.toMatchObject({ code: 'access.agent_ambiguous' });
  expect((await t.app.fleet.status(acme, { tenant: undefined })).agents.total).toBe(1);
  await expect(t.app.fleet.list(acme, { ...page, tenant: 'globex' })).rejects.toMatchObject({
    code: 'access.tenant_not_found',
  });
  expect((await t.app.fleet.add(acme, { ...noInput, agent: 'own', kind: 'external' })).tenant).toBe('acme');
  expect((await t.app.fleet.pause(acme, 'own', undefined)).state).toBe('paused');
  expect((await t.app.fleet.remove(acme, 'own')).removed).toBe(true);
  await expect(acme.write((tx) => tx.query(`UPDATE fleet.agents SET command = '{id}'`))).rejects.toThrow(/permission/);
  await expect(acme.write((tx) => tx.query(`UPDATE fleet.health_checks SET host = 'x'`))).rejects.toThrow(/permission/);
});

test('a list is paged, also when it shows one state only', async () => {
  for (const name of ['p1', 'p2', 'p3', 'p4']) await addExternal(name, 'paged');
  const paged = t.app.call(await t.operatorCaller('paged'));
  await t.app.fleet.pause(paged, 'p2', undefined);
  await t.app.fleet.pause(paged, 'p4', undefined);
  const names: string[] = [];
  let after: string | undefined;
  do {
    const answer = await t.app.fleet.list(paged, { ...page, state: 'paused', after, limit: 1 });
    names.push(...answer.items.map((item) => item.agent));
    after = answer.next_cursor ?? undefined;
  } while (after !== undefined);
  expect(names).toEqual(['p2', 'p4']);
  await expect(t.app.fleet.list(paged, { ...page, after: 'nonsense' })).rejects.toMatchObject({
    code: 'invalid_input',
  });
});

test('the manifest creates, changes and removes what it declares, and nothing else', async () => {
  const apply = (agents: unknown, dryRun = false) =>
    t.app.fleet.applyAgents(call, agentsSection.parse(agents), { baseDir: '/srv/fleet', dryRun });
  const one = { pricer: { command: ['python3', 'agents/pricer.py'], silence_limit: '60s', env: { A: 1, B: 'x' } } };
  const create = [{ action: 'create', agent: 'pricer', tenant: 'fleet', changed: [], restart: false }];
  expect(await apply(one, true)).toEqual(create);
  expect(await eventsOf('pricer')).toEqual([]);
  expect(await apply(one)).toEqual(create);
  expect(await apply(one)).toEqual([]);
  expect(await t.app.fleet.show(call, 'pricer')).toMatchObject({
    kind: 'process',
    state: 'unknown',
    declared: true,
    command: ['python3', 'agents/pricer.py'],
    cwd: '/srv/fleet',
    restart: 'always',
    silence_limit_seconds: 60,
  });
  await expect(t.app.fleet.remove(call, 'pricer')).rejects.toMatchObject({ code: 'fleet.agent_declared' });
  expect(await apply({ pricer: { ...one.pricer, silence_limit: '2m' } })).toMatchObject([
    { action: 'change', changed: ['silence_limit_seconds'], restart: false },
  ]);
  expect(await apply({ pricer: { command: 'exec sleep 1', shell: true } })).toMatchObject([
    { action: 'change', changed: ['command', 'env', 'silence_limit_seconds'], restart: true },
  ]);
  await addExternal('adopted');
  expect(await apply({ adopted: { command: ['true'] } })).toMatchObject([
    { action: 'change', agent: 'adopted', changed: ['declared'] },
    { action: 'remove', agent: 'pricer' },
  ]);
  expect(await t.app.fleet.show(call, 'adopted')).toMatchObject({ kind: 'process', declared: true });
  expect(await apply({})).toMatchObject([{ action: 'remove', agent: 'adopted' }]);
  await expect(t.app.fleet.show(call, 'pricer')).rejects.toMatchObject({ code: 'access.agent_not_found' });
  expect((await t.app.fleet.show(call, 'scout')).declared).toBe(false);
  expect(await eventsOf('pricer')).toEqual([
    'access.agent.created',
    'fleet.agent.changed',
    'fleet.agent.changed',
    'access.agent.removed',
  ]);
  await expect(apply({ x: { command: ['true'], tenant: 'nowhere' } })).rejects.toMatchObject({
    code: 'access.tenant_not_found',
  });
});

test('what one declared another does not remove, but may take over', async () => {
  const apply = (agents: unknown, declarer?: string) =>
    t.app.fleet.applyAgents(call, agentsSection.parse(agents), {
      baseDir: '/',
      ...(declarer === undefined ? {} : { declarer }),
    });
  const one = { command: ['true'] };
  await apply({ mine: one });
  await apply({ theirs: one, moved: one }, 'example:demo@here');
  expect(await t.app.fleet.declarers(call)).toEqual(['example:demo@here', 'quarterdeck.yaml']);
  expect(await apply({ mine: one, moved: one })).toMatchObject([
    { agent: 'moved', changed: ['declared_by'], restart: false },
  ]);
  expect(await apply({}, 'example:demo@here')).toMatchObject([{ action: 'remove', agent: 'theirs' }]);
  expect(await apply({})).toMatchObject([
    { action: 'remove', agent: 'mine' },
    { action: 'remove', agent: 'moved' },
  ]);
  expect(await t.app.fleet.declarers(call)).toEqual([]);
});

test('crashed agents get a new try by the start of their host, unless they were told to stop', async () => {
  const here = randomUUID();
  const names = ['fell', 'fell-elsewhere', 'fell-and-stopped', 'runs'];
  await t.app.fleet.applyAgents(
    call,
    agentsSection.parse(Object.fromEntries(names.map((name) => [name, { command: ['true'] }]))),
    {
      baseDir: '/',
    },
  );
  const set = (agent: string, phase: string, host: string) =>
    call.write((tx) =>
      tx.query('UPDATE fleet.health_checks SET phase = $2, host_id = $3 WHERE agent = $1', [agent, phase, host]),
    );
  await set('fell', 'crashed', here);
  await set('fell-elsewhere', 'crashed', randomUUID());
  await set('fell-and-stopped', 'crashed', here);
  await set('runs', 'running', here);
  await t.app.fleet.stop(call, 'fell-and-stopped', undefined);
  expect(await t.app.fleet.retryCrashed(call, here)).toEqual(['fell']);
  expect((await eventsOf('fell')).at(-1)).toBe('fleet.agent.restart_ordered');
  // Until the host has acted on it, asking again orders nothing more.
  expect(await t.app.fleet.retryCrashed(call, here)).toEqual([]);
  await t.app.fleet.applyAgents(call, {}, { baseDir: '/' });
});

test('two applications of one manifest at once do it once', async () => {
  const section = agentsSection.parse({ once: { command: ['true'] } });
  const plans = await Promise.all([
    t.app.fleet.applyAgents(call, section, { baseDir: '/' }),
    t.app.fleet.applyAgents(call, section, { baseDir: '/' }),
  ]);
  expect(plans.flat()).toHaveLength(1);
  await t.app.fleet.applyAgents(call, {}, { baseDir: '/' });
});

test('a console is read from an offset, by its end, and a reader that waits gets what comes', async () => {
  const { agentCall } = await addExternal('talker', 'acme');
  const print = (start: number, text: string, length = Buffer.byteLength(text)) =>
    call.write((tx) => {
      tx.afterCommit(() => t.app.wakeups.notify('console'));
      return tx.query(
        `INSERT INTO fleet.console_chunks (agent_id, tenant_id, start_offset, end_offset, bytes)
         VALUES ($1, $2, $3, $4, $5)`,
        [agentCall.caller.id, agentCall.caller.tenant.id, start, start + length, Buffer.from(text)],
      );
    });
  const read = { agent: 'talker', after: undefined, bytes: 65_536, wait: 0 };
  await print(100, 'grüße ');
  await print(108, 'left out\n', 1_000);
  expect(await t.app.fleet.readConsole(call, read)).toEqual({
    text: 'grüße left out\n',
    offset: 100,
    next_offset: 1_108,
    first_offset: 100,
  });
  const waiting = t.app.fleet.readConsole(call, { ...read, after: 1_108, wait: 10 });
  await print(1_108, 'more');
  expect(await waiting).toMatchObject({ text: 'more', offset: 1_108, next_offset: 1_112 });
  expect(await t.app.fleet.readConsole(call, { ...read, after: 0, bytes: 4 })).toMatchObject({
    text: 'grü',
    next_offset: 104,
  });
  const globex = t.app.call(await t.operatorCaller('globex'));
  await expect(t.app.fleet.readConsole(globex, read)).rejects.toMatchObject({ code: 'access.agent_not_found' });
});

test('a wrong tenant cannot be written past the policies', async () => {
  const acme = t.app.call(await t.operatorCaller('acme'));
  const rows = await acme.read((tx) =>
    tx.query<{ tenant_id: string }>('SELECT DISTINCT tenant_id FROM fleet.health_checks'),
  );
  expect(rows).toEqual([{ tenant_id: acme.caller.tenant.id }]);
  await expect(
    acme.write((tx) =>
      tx.query('INSERT INTO fleet.agents (agent_id, tenant_id) VALUES (gen_random_uuid(), $1)', [FLEET_TENANT]),
    ),
  ).rejects.toThrow(/row-level security/);
});

test('nobody hands out an agent’s token who lacks one of its abilities', async () => {
  await addExternal('bounded');
  const less = t.app.call({ ...call.caller, abilities: new Set(['fleet:read', 'fleet:write']) });
  const beyond = { code: 'access.ability_beyond_creator' };
  await expect(t.app.fleet.issueToken(less, 'bounded')).rejects.toMatchObject(beyond);
  const input = { ...noInput, agent: 'beyond', kind: 'external' as const };
  await expect(t.app.fleet.add(less, input)).rejects.toMatchObject(beyond);
  await expect(t.app.fleet.show(call, 'beyond')).rejects.toMatchObject({ code: 'access.agent_not_found' });
});
