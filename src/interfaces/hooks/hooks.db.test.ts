import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type HookMachine, openHookMachine } from '../../../test/support/hooks.ts';
import { openTestServer, type TestServer } from '../../../test/support/server.ts';
import { startProxy } from '../../../test/support/tcp-proxy.ts';

const LIMIT_MS = 15_000;
let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server.close());

interface Item {
  readonly event_type: string;
  readonly source_agent: string;
  readonly subject: string;
  readonly payload: Record<string, unknown>;
}

async function eventsOf(source: string): Promise<Item[]> {
  const token = await server.operatorToken();
  const answer = await server.request('GET', `/v1/events?source_agent=${source}&limit=200`, { token });
  return (answer.body.items as Item[]).filter(({ event_type }) => /^(git|model|hook)\./.test(event_type));
}

async function machineOf(agent: string, url = server.url): Promise<HookMachine> {
  return openHookMachine({ url, token: await server.agentToken(agent) });
}

/** What Claude Code does with a hook: its input on stdin, and what it prints would go to the model. */
async function runHook(machine: HookMachine, command: string, input: object) {
  const child = spawn('/bin/sh', ['-c', command], { env: machine.env });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (printed += part));
  child.stdin.end(JSON.stringify(input));
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, printed };
}

const commandIn = (path: string, name: string): string =>
  JSON.parse(readFileSync(path, 'utf8')).hooks[name].at(-1).hooks[0].command;

describe('git', () => {
  it('reports commits, merges, branches and pushes as the agent of the token', async () => {
    const machine = await machineOf('workstation');
    const repo = machine.repository('shop');
    await machine.git(machine.dir, 'init', '--quiet', '--bare', 'origin.git');
    await machine.git(repo, 'remote', 'add', 'origin', join(machine.dir, 'origin.git'));
    await machine.hook('install', 'git', '--repo', repo);
    writeFileSync(join(repo, 'prices.txt'), 'CANARY\nsecond line\n');
    await machine.git(repo, 'add', 'prices.txt');
    await machine.git(repo, 'commit', '--quiet', '-m', 'prices: one more', '-m', 'CANARY in the body');
    const commit = await machine.git(repo, 'rev-parse', 'HEAD');
    await machine.git(repo, 'push', '--quiet', 'origin', 'main');
    await machine.git(repo, 'push', '--quiet', join(machine.dir, 'origin.git'), 'main:other');
    await vi.waitFor(async () => expect(await eventsOf('workstation')).toHaveLength(3), LIMIT_MS);
    const events = await eventsOf('workstation');
    expect(events.find(({ event_type }) => event_type === 'git.commit')).toMatchObject({
      subject: 'repository:shop',
      payload: {
        repository: 'shop',
        branch: 'main',
        commit,
        subject: 'prices: one more',
        author: 'Ada',
        parents: 1,
        files: 1,
        insertions: 2,
        deletions: 0,
      },
    });
    expect(events.find(({ event_type }) => event_type === 'git.push')).toMatchObject({
      payload: { remote: 'origin', refs: [{ ref: 'refs/heads/main', to: commit, result: 'pushed' }] },
    });
    // Pushed to an address: nothing here stands for what the other side has, so nobody can say that it arrived.
    expect(events.find(({ event_type }) => event_type === 'git.push.tried')).toMatchObject({
      payload: { remote: null, refs: [{ ref: 'refs/heads/other', result: 'unknown' }] },
    });
    expect(JSON.stringify(events)).not.toContain('CANARY');
  });

  it('reports every commit of many at once, each once', async () => {
    const machine = await machineOf('rebaser');
    const repo = machine.repository('shop');
    await machine.hook('install', 'git', '--repo', repo);
    const subjects = Array.from({ length: 15 }, (_, n) => `commit ${n}`);
    for (const subject of subjects) await machine.git(repo, 'commit', '--quiet', '--allow-empty', '-m', subject);
    await vi.waitFor(async () => expect(await eventsOf('rebaser')).toHaveLength(15), LIMIT_MS);
    const seen = (await eventsOf('rebaser')).map(({ payload }) => payload['subject']);
    expect(seen.sort()).toEqual(subjects.sort());
  });

  it('delivers once what was noted while the server was away', async () => {
    const proxy = await startProxy(server.port);
    onTestFinished(() => proxy.close());
    const machine = await machineOf('traveller', `http://127.0.0.1:${proxy.port}`);
    const repo = machine.repository('shop');
    await machine.hook('install', 'git', '--repo', repo);
    await proxy.cut();
    await machine.git(repo, 'commit', '--quiet', '--allow-empty', '-m', 'on the way');
    await vi.waitFor(() => expect(machine.waiting()).toHaveLength(1), LIMIT_MS);
    await proxy.mend();
    // Whichever comes first, the process that the hook left or this one.
    await machine.tryHook('send');
    await vi.waitFor(async () => expect(await eventsOf('traveller')).toHaveLength(1), LIMIT_MS);
    await machine.tryHook('send');
    expect(await eventsOf('traveller')).toHaveLength(1);
    await vi.waitFor(() => expect(machine.waiting()).toEqual([]), LIMIT_MS);
  });
});

describe('Claude Code', () => {
  it('reports its sessions and tools by the command in its settings, which prints nothing and never fails', async () => {
    const machine = await machineOf('coder');
    const repo = machine.repository('shop');
    const path = join(repo, '.claude', 'settings.local.json');
    await machine.hook('install', 'claude', '--repo', repo);
    const session = { session_id: 's-1', transcript_path: '/nowhere.jsonl', cwd: repo, permission_mode: 'default' };
    const told = [
      { hook_event_name: 'SessionStart', source: 'startup', model: 'claude-opus-4-6' },
      { hook_event_name: 'UserPromptSubmit', prompt: 'CANARY' },
      {
        hook_event_name: 'PostToolUse',
        tool_name: 'Bash',
        tool_input: { command: 'echo CANARY' },
        // More than a pipe holds: the hook has to take it all before it ends.
        tool_response: { stdout: 'CANARY'.repeat(50_000) },
        tool_use_id: 'toolu_1',
      },
      { hook_event_name: 'PostToolUseFailure', tool_name: 'Read', error: 'CANARY', tool_use_id: 'toolu_2' },
      { hook_event_name: 'Stop', stop_hook_active: false },
      { hook_event_name: 'SessionEnd', reason: 'prompt_input_exit' },
    ];
    for (const one of told) {
      const command = commandIn(path, one.hook_event_name);
      expect(await runHook(machine, command, { ...session, ...one })).toEqual({ exitCode: 0, printed: '' });
    }
    await vi.waitFor(async () => expect(await eventsOf('coder')).toHaveLength(6), LIMIT_MS);
    const events = await eventsOf('coder');
    expect(events.map(({ event_type }) => event_type).sort()).toEqual([
      'model.session.ended',
      'model.session.started',
      'model.tool.used',
      'model.tool.used',
      'model.turn.ended',
      'model.turn.started',
    ]);
    expect(JSON.stringify(events)).not.toContain('CANARY');
    const kept = readdirSync(machine.state, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('cache'))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
    expect(kept.join()).not.toContain('CANARY');
  });

  it('told twice of one tool call counts it once', async () => {
    const machine = await machineOf('twice');
    const repo = machine.repository('shop');
    await machine.hook('install', 'claude', '--repo', repo);
    const command = commandIn(join(repo, '.claude', 'settings.local.json'), 'PostToolUse');
    const told = { session_id: 's-2', hook_event_name: 'PostToolUse', tool_name: 'Read', cwd: repo };
    for (const tool_use_id of ['toolu_1', 'toolu_1', 'toolu_2'])
      await runHook(machine, command, { ...told, tool_use_id });
    await vi.waitFor(async () => expect(await eventsOf('twice')).toHaveLength(2), LIMIT_MS);
    await vi.waitFor(() => expect(machine.waiting()).toEqual([]), LIMIT_MS);
    expect(await eventsOf('twice')).toHaveLength(2);
  });

  it('keeps its settings as they were: others’ hooks, form, and every byte after removal', async () => {
    const machine = await machineOf('careful');
    const repo = machine.repository('shop');
    const path = join(repo, '.claude', 'settings.json');
    mkdirSync(join(repo, '.claude'));
    const before =
      '{\n\t"permissions": {"allow": ["Bash(ls:*)"]},\n\t"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "say done"}]}]}\n}';
    writeFileSync(path, before);
    await machine.hook('install', 'claude', '--repo', repo, '--scope', 'project');
    const installed = readFileSync(path, 'utf8');
    expect(JSON.parse(installed)).toMatchObject({
      permissions: { allow: ['Bash(ls:*)'] },
      hooks: { Stop: [{ hooks: [{ command: 'say done' }] }, { hooks: [{ type: 'command', timeout: 5 }] }] },
    });
    expect(await machine.hook('install', 'claude', '--repo', repo, '--scope', 'project')).toMatchObject({
      changed: [],
    });
    expect(readFileSync(path, 'utf8')).toBe(installed);
    expect(await machine.hook('status', '--repo', repo)).toMatchObject({
      items: [{ tool: 'claude', reports_to: server.url }],
    });
    await machine.hook('remove', 'claude', '--repo', repo, '--scope', 'project');
    expect(readFileSync(path, 'utf8')).toBe(before);

    await machine.hook('install', 'claude', '--repo', repo, '--scope', 'project');
    const changed = { ...JSON.parse(readFileSync(path, 'utf8')), model: 'opus' };
    writeFileSync(path, JSON.stringify(changed, null, 2));
    await machine.hook('remove', 'claude', '--repo', repo, '--scope', 'project');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ ...JSON.parse(before), model: 'opus' });
  });

  it('without settings before has none after; settings that are no JSON are refused and left', async () => {
    const machine = await machineOf('fresh');
    const repo = machine.repository('shop');
    await machine.hook('install', 'claude', '--repo', repo);
    await machine.hook('remove', 'claude', '--repo', repo);
    expect(existsSync(join(repo, '.claude'))).toBe(false);
    mkdirSync(join(repo, '.claude'));
    const path = join(repo, '.claude', 'settings.local.json');
    for (const text of ['{ // a comment\n}', '[]', '{"hooks": []}', '{"hooks": {"Stop": {}}}']) {
      writeFileSync(path, text);
      expect(await machine.tryHook('install', 'claude', '--repo', repo)).toMatchObject({ exitCode: 2 });
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
  });
});
