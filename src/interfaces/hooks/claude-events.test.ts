import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { claudeEvent } from './claude-events.ts';
import { masked, withoutCredentials } from './mask.ts';

const AT = '2026-03-02T08:15:00.000Z';
const session = {
  session_id: '5f3a2c1e-8f7d-4f0e-9f5e-0a1b2c3d4e5f',
  transcript_path: '/nowhere.jsonl',
  cwd: '/home/ada/shop',
  permission_mode: 'default',
};

function transcript(lines: readonly object[], subagent: readonly object[] = []): string {
  const dir = mkdtempSync(join(tmpdir(), 'qd-transcript-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const text = (all: readonly object[]) => `${all.map((line) => JSON.stringify(line)).join('\n')}\nhalf a li`;
  writeFileSync(join(dir, 's.jsonl'), text(lines));
  mkdirSync(join(dir, 's', 'subagents'), { recursive: true });
  if (subagent.length > 0) writeFileSync(join(dir, 's', 'subagents', 'agent-1.jsonl'), text(subagent));
  return join(dir, 's.jsonl');
}

const said = (id: string, output_tokens: number, more: object = {}) => ({
  type: 'assistant',
  message: {
    id,
    model: 'claude-opus-4-6',
    content: [{ type: 'text', text: 'CANARY' }],
    usage: { input_tokens: 10, output_tokens, cache_creation_input_tokens: 5, cache_read_input_tokens: 100 },
  },
  ...more,
});

const event = async (given: object) => (await claudeEvent(JSON.stringify({ ...session, ...given }), AT))!;

describe('what Claude Code tells its hooks', () => {
  it('of a tool becomes names, sizes and durations, and nothing that went in or came out', async () => {
    const given = {
      hook_event_name: 'PostToolUse',
      tool_name: 'Write',
      tool_input: { file_path: '/home/ada/shop/src/prices.ts', content: 'CANARY of the input' },
      tool_response: { filePath: '/home/ada/shop/src/prices.ts', text: 'CANARY of the output' },
      tool_use_id: 'toolu_01',
      duration_ms: 12,
    };
    expect(await event(given)).toEqual({
      id: expect.stringMatching(/^hook:[0-9a-f]{40}$/),
      event_type: 'model.tool.used',
      subject: `session:${session.session_id}`,
      correlation_id: session.session_id,
      payload: {
        client: 'claude-code',
        session_id: session.session_id,
        tool: 'Write',
        tool_use_id: 'toolu_01',
        ok: true,
        duration_ms: 12,
        input_bytes: 76,
        output_bytes: 73,
        file: 'src/prices.ts',
        at: AT,
      },
    });
  });

  it('of one tool call has one id, however often it is told', async () => {
    const given = { ...session, hook_event_name: 'PostToolUse', tool_name: 'Bash', tool_use_id: 'toolu_01' };
    const [once, again] = [await claudeEvent(JSON.stringify(given), AT), await claudeEvent(JSON.stringify(given))];
    expect(again!.id).toBe(once!.id);
    expect((await event({ ...given, tool_use_id: 'toolu_02' })).id).not.toBe(once!.id);
  });

  it('of files elsewhere on the machine names none', async () => {
    const used = (file_path: string) =>
      event({ hook_event_name: 'PostToolUse', tool_name: 'Read', tool_input: { file_path } });
    for (const path of ['/etc/shadow', '/home/ada/shop-of-another/x', '/home/ada/shop/../secret', 'relative'])
      expect((await used(path)).payload).not.toHaveProperty('file');
  });

  it('of a failed tool says that, without the error', async () => {
    const given = { hook_event_name: 'PostToolUseFailure', tool_name: 'Bash', error: 'CANARY', is_interrupt: true };
    expect((await event(given)).payload).toMatchObject({ ok: false, interrupted: true });
  });

  it('never holds the prompt, the command, the answer or the error', async () => {
    const names = ['SessionStart', 'UserPromptSubmit', 'PostToolUse', 'PostToolUseFailure', 'Stop', 'SessionEnd'];
    const canary = fc.string({ minLength: 8, maxLength: 40, unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz') });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), canary, async (hook_event_name, secret) => {
        const text = `Qx${secret}xQ`;
        const made = await event({
          hook_event_name,
          prompt: text,
          tool_input: { command: text, content: text, prompt: text, description: text, url: text, file_path: text },
          tool_response: { stdout: text },
          error: text,
          message: text,
          last_assistant_message: text,
          custom_instructions: text,
        });
        expect(JSON.stringify(made)).not.toContain(text);
      }),
      { numRuns: 60 },
    );
  });

  it('is no event when it is something else', async () => {
    for (const input of [
      '',
      'null',
      '[]',
      '{}',
      '{"session_id":7}',
      'CANARY',
      JSON.stringify({ ...session, hook_event_name: 'X' }),
    ])
      expect(await claudeEvent(input)).toBeUndefined();
  });
});

describe('the end of a session', () => {
  it('says the tokens of each message once, by its largest numbers, subagents included', async () => {
    const path = transcript(
      [said('m1', 1), { type: 'user', message: { content: 'CANARY' } }, said('m1', 40), said('m2', 7)],
      [said('m3', 3, { isSidechain: true })],
    );
    const ended = await event({ hook_event_name: 'SessionEnd', reason: 'prompt_input_exit', transcript_path: path });
    expect(ended).toMatchObject({
      event_type: 'model.session.ended',
      payload: {
        reason: 'prompt_input_exit',
        input_tokens: 30,
        output_tokens: 50,
        cache_creation_input_tokens: 15,
        cache_read_input_tokens: 300,
        model_messages: 3,
        models: ['claude-opus-4-6'],
      },
    });
    expect(ended.payload).not.toHaveProperty('cost_usd');
    expect(JSON.stringify(ended)).not.toContain('CANARY');
  });

  it('says a cost only when every message does', async () => {
    const ends = async (path: string) =>
      (await event({ hook_event_name: 'SessionEnd', reason: 'other', transcript_path: path })).payload['cost_usd'];
    expect(await ends(transcript([said('m1', 1, { costUSD: 0.25 }), said('m2', 1, { costUSD: 0.5 })]))).toBe(0.75);
    expect(await ends(transcript([said('m1', 1, { costUSD: 0.25 }), said('m2', 1)]))).toBeUndefined();
  });

  it('says no tokens when there is no transcript to read', async () => {
    const ended = await event({ hook_event_name: 'SessionEnd', reason: 'other', transcript_path: '/nowhere.jsonl' });
    expect(Object.keys(ended.payload).sort()).toEqual(['at', 'client', 'reason', 'session_id']);
  });
});

describe('masking', () => {
  it('takes tokens out of text, and users, passwords and queries out of addresses', () => {
    expect(masked(`with qd_agent_${'x'.repeat(32)}_abcdef0 in it`, 100)).toBe('with [redacted] in it');
    expect(masked(`ghp_${'a'.repeat(36)}`, 100)).toBe('[redacted]');
    expect(withoutCredentials('https://ada:pass@host.example/shop.git?token=1')).toBe('https://host.example/shop.git');
    expect(withoutCredentials('git@host.example:ada/shop.git')).toBe('git@host.example:ada/shop.git');
  });
});
