// The official clients at /mcp: what they see, and every tool called once.
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { callEveryTool } from '../../../test/support/mcp-calls.ts';
import { type Generation, generations, type McpClient, openMcpClient } from '../../../test/support/mcp-client.ts';
import { openTestServer, type TestServer } from '../../../test/support/server.ts';
import { agentsSection } from '../../domains/fleet/manifest.ts';
import { allOperations } from '../../operations.ts';
import { isTool, toolName } from './tools.ts';

const examples = new Map(allOperations.filter(isTool).map((operation) => [toolName(operation), operation.example]));

async function connect(t: TestServer, token: string, generation?: Generation): Promise<McpClient> {
  const client = await openMcpClient({ url: t.url, token }, generation);
  onTestFinished(() => client.close());
  return client;
}

describe.each(generations)('a client of %s', (generation) => {
  let t: TestServer;
  beforeAll(async () => {
    t = await openTestServer();
    const agents = agentsSection.parse({ pricer: { command: ['sleep', '600'] } });
    await t.app.fleet.applyAgents(t.app.systemCall(), agents, { baseDir: tmpdir() });
  });
  afterAll(() => t?.close());

  it('lists every tool and calls each', async () => {
    const operator = await connect(t, await t.operatorToken(), generation);
    const agent = await connect(t, await t.agentToken('worker'), generation);
    expect(await callEveryTool({ operator, agent }, examples)).toEqual([]);
  });

  it('sees the tools that its token may use, and no others', async () => {
    const names = (await (await connect(t, await t.agentToken('reader'), generation)).tools()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['me', 'event_add', 'job_claim', 'agent_list']));
    expect(names).not.toContain('agent_stop');
    expect(names).not.toContain('token_list');
  });

  it('reads agents, jobs and events by address', async () => {
    const client = await connect(t, await t.operatorToken(), generation);
    expect(await client.templates()).toEqual(['qd://agent/{agent}', 'qd://job/{job}', 'qd://event/{cursor}']);
    expect(JSON.parse(await client.read('qd://agent/pricer%40fleet'))).toMatchObject({ agent: 'pricer' });
    const { jobs } = (await client.call('job_add', { kind: 'read-me' })).data;
    expect(JSON.parse(await client.read(`qd://job/${jobs[0].id}`))).toMatchObject({ kind: 'read-me', payload: {} });
    const { events } = (await client.call('event_add', { event_type: 'read.me' })).data;
    expect(JSON.parse(await client.read(`qd://event/${events[0].cursor}`))).toMatchObject({ event_type: 'read.me' });
    for (const uri of [
      'qd://agent/nobody',
      'qd://constructor/x',
      'qd://agent/',
      'file:///etc/passwd',
      'qd://agent/%zz',
    ])
      await expect(client.read(uri), uri).rejects.toMatchObject({ code: -32_602 });
  });

  it('gets the prompts', async () => {
    const client = await connect(t, await t.operatorToken(), generation);
    expect(await client.prompts()).toEqual(['diagnose-agent', 'postmortem']);
    expect(await client.prompt('diagnose-agent', { agent: 'pricer' })).toContain('agent_show {"agent":"pricer"}');
    await expect(client.prompt('postmortem', {})).rejects.toMatchObject({ code: -32_602 });
  });
});

describe('an answer', () => {
  let t: TestServer;
  let client: McpClient;
  beforeAll(async () => {
    t = await openTestServer();
    client = await openMcpClient({ url: t.url, token: await t.operatorToken() });
  });
  afterAll(async () => {
    await client?.close();
    await t?.close();
  });

  it('of a list holds 50 items, and its hint goes on to the end without a gap', async () => {
    const jobs = Array.from({ length: 120 }, () => ({ kind: 'many', queue: 'many' }));
    await client.call('job_add', { jobs });
    const ids: string[] = [];
    let next: string | undefined = 'job_list {"queue":"many"}';
    const sizes: number[] = [];
    while (next !== undefined) {
      const [, name, input] = /^(\w+) (.*)$/.exec(next) as unknown as [string, string, string];
      const { data } = await client.call(name, JSON.parse(input));
      sizes.push(data.items.length);
      ids.push(...data.items.map(({ id }: { id: string }) => id));
      next = data.next;
    }
    expect(sizes).toEqual([50, 50, 20]);
    expect(new Set(ids).size).toBe(120);
  });

  it('names the call that goes on, with its ids', async () => {
    const { data } = await client.call('job_add', { kind: 'hinted' });
    expect(data.next).toBe(`job_show {"job":"${data.jobs[0].id}"}`);
    expect((await client.call('agent_add', { agent: 'hinted' })).data.next).toBe('agent_show {"agent":"hinted"}');
  });

  it('names no call that the credential may not make', async () => {
    const { token } = (
      await t.request('POST', '/v1/tokens', {
        token: await t.operatorToken(),
        body: { name: 'adder', abilities: ['work:enqueue'] },
      })
    ).body;
    const adder = await connect(t, token);
    expect((await adder.call('job_add', { kind: 'quiet' })).data.next).toBeUndefined();
  });

  it('shows no secret, of an agent that was added or of a job that was claimed', async () => {
    const added = await client.call('agent_add', { agent: 'secretive' });
    expect(added.data.agent).toBe('secretive');
    expect(added.data).not.toHaveProperty('token');
    await client.call('job_add', { kind: 'secret-work', payload: { token: 'its own' } });
    const agent = await connect(t, await t.agentToken('claimer'));
    const claimed = await agent.call('job_claim', { queues: ['secret-work'] });
    expect(claimed.data.jobs[0]).toMatchObject({ payload: { token: 'its own' }, lease: expect.any(String) });
    expect(claimed.data.jobs[0]).not.toHaveProperty('token');
    expect(added.text + claimed.text).not.toMatch(/qd_(agent|job)_/);
  });

  it('is what HTTP answers, with the hint beside it', async () => {
    const over = await t.request('GET', '/v1/agents/hinted', { token: await t.operatorToken() });
    const { next, ...rest } = (await client.call('agent_show', { agent: 'hinted' })).data;
    expect(rest).toEqual(over.body);
    expect(next).toBe('agent_logs {"agent":"hinted"}');
  });

  it('to an agent’s call counts as a sign of life', async () => {
    const agent = await connect(t, await t.agentToken('lively'));
    const state = async () => (await client.call('agent_show', { agent: 'lively' })).data.state;
    expect(await state()).toBe('unknown');
    await agent.call('me');
    await expect.poll(state, { timeout: 5_000 }).toBe('healthy');
  });
});
