// What Claude Code gives its hooks, as events: names, sizes and durations. Never a prompt, never what went into a tool or
// came out of it. Fields as in https://code.claude.com/docs/en/hooks; what is not there is left out.
import { isAbsolute, relative } from 'node:path';
import { masked } from './mask.ts';
import type { HookEvent } from './spool.ts';
import { digest } from './state.ts';
import { readUsage } from './transcript.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The events that are asked for; also the keys of the settings. */
export const claudeHooks = [
  'SessionStart',
  'UserPromptSubmit',
  'PostToolUse',
  'PostToolUseFailure',
  'Stop',
  'SessionEnd',
] as const;

/** Undefined for what is no hook's input, or an event that nobody asked for. */
export async function claudeEvent(input: string, at = new Date().toISOString()): Promise<HookEvent | undefined> {
  const given = parse(input);
  const session = text(given?.['session_id'], 64);
  if (given === undefined || session === undefined) return undefined;
  const make = (event_type: string, payload: Fields, key = at): HookEvent => ({
    id: `hook:${digest(event_type, session, key).slice(0, 40)}`,
    event_type,
    payload: withoutUndefined({ client: 'claude-code', session_id: session, ...payload, at }),
    subject: `session:${session}`,
    correlation_id: session,
  });
  switch (given['hook_event_name']) {
    case 'SessionStart':
      return make('model.session.started', {
        source: text(given['source'], 40),
        model: text(given['model'], 100),
        permission_mode: text(given['permission_mode'], 40),
      });
    case 'UserPromptSubmit':
      return make('model.turn.started', { prompt_bytes: size(given['prompt']) });
    case 'PostToolUse':
    case 'PostToolUseFailure':
      return make('model.tool.used', toolFacts(given), text(given['tool_use_id'], 200));
    case 'Stop':
      return make('model.turn.ended', {});
    case 'SessionEnd':
      return make('model.session.ended', {
        reason: text(given['reason'], 40),
        ...(await readUsage(given['transcript_path'])),
      });
    default:
      return undefined;
  }
}

function toolFacts(given: Fields): Fields {
  const isDone = given['hook_event_name'] === 'PostToolUse';
  const input = given['tool_input'];
  return {
    tool: text(given['tool_name'], 120),
    tool_use_id: text(given['tool_use_id'], 120),
    ok: isDone,
    interrupted: given['is_interrupt'] === true ? true : undefined,
    duration_ms: count(given['duration_ms']),
    input_bytes: size(input),
    output_bytes: isDone ? size(given['tool_response']) : undefined,
    file: fileIn(input, given['cwd']),
    subagent: text(given['agent_type'], 100),
  };
}

// Only within the directory of the session: what lies elsewhere on the machine concerns nobody.
function fileIn(input: unknown, cwd: unknown): string | undefined {
  const { file_path: path } = (input ?? {}) as { file_path?: unknown };
  if (typeof path !== 'string' || typeof cwd !== 'string' || !isAbsolute(path)) return undefined;
  const below = relative(cwd, path);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? undefined : masked(below, 300);
}

function parse(input: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(input);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function text(value: unknown, most: number): string | undefined {
  return typeof value === 'string' && value !== '' ? masked(value, most) : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined;
}

function size(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  return Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value));
}

function withoutUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
