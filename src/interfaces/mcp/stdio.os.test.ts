// `quarterdeck mcp` as clients start it, against a real installation.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Installation, plainEnvironment, startInstallation } from '../../../test/support/installation.ts';
import { callEveryTool } from '../../../test/support/mcp-calls.ts';
import {
  type Generation,
  generations,
  type McpClient,
  messageText,
  openMcpClient,
} from '../../../test/support/mcp-client.ts';
import { allOperations } from '../../operations.ts';
import { isTool, toolName } from './tools.ts';

const MAIN = resolve(import.meta.dirname, '../../main.ts');
const NODE_ARGS = ['--disable-warning=ExperimentalWarning', MAIN, 'mcp'];
const examples = new Map(allOperations.filter(isTool).map((operation) => [toolName(operation), operation.example]));

let installation: Installation;
beforeAll(async () => {
  const config = 'agents:\n  pricer:\n    command: [sleep, "600"]\n';
  installation = await startInstallation({ config });
});
afterAll(() => installation?.stop());

async function connect(env: Record<string, string>, generation?: Generation): Promise<McpClient> {
  const program = {
    command: process.execPath,
    args: NODE_ARGS,
    env: plainEnvironment(installation.dir, { QUARTERDECK_DATA: installation.dataDir, ...env }),
  };
  const client = await openMcpClient(program, generation);
  onTestFinished(() => client.close());
  return client;
}

/** The program itself, with the lines that it writes. */
function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [...NODE_ARGS, ...args], {
    env: plainEnvironment(installation.dir, env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => end(child));
  const lines: string[] = [];
  const said: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
  const answers = () => lines.map((line) => JSON.parse(line) as { id: number; result?: unknown; error?: unknown });
  return { child, lines, said, answer: (id: number) => vi.waitFor(() => found(answers(), id), { timeout: 20_000 }) };
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
function found(answers: readonly { id: number }[], id: number): any {
  const answer = answers.find((one) => one.id === id);
  if (answer === undefined) throw new Error(`no answer ${id} among ${JSON.stringify(answers).slice(0, 300)}`);
  return answer;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function post(path: string, body: unknown) {
  const response = await fetch(installation.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${installation.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, string>;
}

const handshake = messageText('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
});

describe.each(generations)('a client of %s', (generation) => {
  it('lists every tool and calls each', async () => {
    const operator = await connect({}, generation);
    const { token } = await post(`/v1/agents`, { agent: `worker-${generations.indexOf(generation)}` });
    const agent = await connect({ QUARTERDECK_TOKEN: token! }, generation);
    expect(await callEveryTool({ operator, agent }, examples)).toEqual([]);
  });

  it('reads resources and gets prompts', async () => {
    const client = await connect({}, generation);
    expect(await client.templates()).toHaveLength(3);
    expect(JSON.parse(await client.read('qd://agent/pricer'))).toMatchObject({ agent: 'pricer', declared: true });
    await expect(client.read('qd://agent/nobody')).rejects.toMatchObject({ code: -32_602 });
    expect(await client.prompt('postmortem', { subject: 'agent:pricer' })).toContain('agent:pricer');
  });

  it('gets the errors that HTTP gives: unknown tool, wrong argument, not found', async () => {
    const client = await connect({}, generation);
    await expect(client.call('agent_polish')).rejects.toMatchObject({ code: -32_602 });
    await expect(client.call('agent_show', { agent: 'x', colour: 1 })).rejects.toMatchObject({
      code: -32_602,
      data: { errors: [{ field: 'colour' }] },
    });
    expect(await client.call('agent_show', { agent: 'nobody' })).toMatchObject({
      isError: true,
      data: { code: 'access.agent_not_found', hint: expect.any(String) },
    });
  });
});

it('a token beyond which a tool lies is denied it, and the log tells of it', async () => {
  const { token } = await post('/v1/tokens', { name: 'narrow', abilities: ['fleet:read'] });
  const client = await connect({ QUARTERDECK_TOKEN: token! });
  expect((await client.tools()).map(({ name }) => name)).not.toContain('agent_stop');
  expect((await client.call('agent_stop', { agent: 'pricer' })).data).toMatchObject({ code: 'denied' });
  const operator = await connect({});
  const { items } = (await operator.call('event_list', { event_type: 'access.tool.denied' })).data;
  expect(items.at(-1)).toMatchObject({ payload: { tool: 'agent_stop', ability: 'fleet:write' } });
});

it('a token that is revoked in the middle gets no more', async () => {
  const { token, token_id } = await post('/v1/tokens', { name: 'short', abilities: ['fleet:read'] });
  const client = await connect({ QUARTERDECK_TOKEN: token! });
  expect((await client.call('fleet_status')).isError).toBe(false);
  const operator = await connect({});
  await operator.call('token_revoke', { token_id });
  const refused = await client.call('fleet_status');
  expect(refused).toMatchObject({ isError: true, data: { code: 'unauthenticated' } });
});

it('an argument of 10 MB is refused in words, and the next call is answered', async () => {
  const client = await connect({});
  const refused = await client.call('event_add', { event_type: 'big', payload: { text: 'x'.repeat(10_000_000) } });
  expect(refused).toMatchObject({ isError: true, data: { code: 'payload_too_large' } });
  expect((await client.call('me')).isError).toBe(false);
});

it('rubbish on stdin is passed over; only the protocol stands on stdout', async () => {
  const { child, lines, said, answer } = start(['--data', installation.dataDir]);
  child.stdin.write('not json\n\n{"jsonrpc":"1.0"}\n5\n{"jsonrpc":"2.0","id":7,"result":{}}\n\u0000\n[]\n');
  child.stdin.write(`${handshake}\n`);
  expect((await answer(1)).result.serverInfo.name).toBe('quarterdeck');
  child.stdin.write(`${messageText('no/such/method', {}, 2)}\n`);
  expect((await answer(2)).error.code).toBe(-32_601);
  child.stdin.write(`${messageText('tools/call', { name: 5 }, 3)}\n`);
  expect((await answer(3)).error.code).toBe(-32_602);
  child.stdin.write(`${messageText('tools/call', { name: 'me' }, 4)}\n`);
  expect((await answer(4)).result.structuredContent.kind).toBe('operator');
  expect(lines.every((line) => JSON.parse(line).jsonrpc === '2.0')).toBe(true);
  expect(said.every((line) => line.startsWith('mcp: '))).toBe(true);
});

it('the end of stdin ends it, also while a call waits for 25 s', { timeout: 20_000 }, async () => {
  const { child, answer } = start(['--data', installation.dataDir]);
  child.stdin.write(`${handshake}\n`);
  await answer(1);
  child.stdin.write(
    `${messageText('tools/call', { name: 'agent_logs', arguments: { agent: 'pricer', wait: 25 } }, 2)}\n`,
  );
  child.stdin.write(`${messageText('tools/call', { name: 'me' }, 3)}\n`);
  await answer(3);
  child.stdin.end();
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
});

it('without a server it says so in each answer, and where to look', async () => {
  const { child, answer } = start(['--url', 'http://127.0.0.1:1', '--timeout', '5']);
  child.stdin.write(`${handshake}\n`);
  await answer(1);
  child.stdin.write(`${messageText('tools/call', { name: 'me' }, 2)}\n${messageText('tools/list', {}, 3)}\n`);
  expect((await answer(2)).result).toMatchObject({
    isError: true,
    structuredContent: { code: 'unavailable', detail: 'No server answers at http://127.0.0.1:1', retryable: true },
  });
  expect((await answer(3)).error.message).toContain('No server answers');
});
