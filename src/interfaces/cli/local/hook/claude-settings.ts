// The settings of Claude Code: our entry beside the others under `hooks`, and the very same file again when it is taken out.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { claudeHooks } from '../../../hooks/claude-events.ts';
import { quoted } from '../../../hooks/shell.ts';
import { digest, type Install } from '../../../hooks/state.ts';
import { CliFailure } from '../../client.ts';
import { exitCodes } from '../../exit-codes.ts';

export const scopes = ['local', 'project', 'user'] as const;
export type Scope = (typeof scopes)[number];

interface Settings {
  hooks?: Record<string, Matcher[]>;
  [key: string]: unknown;
}
interface Hook {
  readonly type: string;
  readonly command?: string;
}
interface Matcher {
  readonly matcher?: string;
  readonly hooks?: readonly Hook[];
}

const MARK = '# quarterdeck hook';
const LIMIT_SECONDS = 5;

export function settingsPath(scope: Scope, dir: string): string {
  if (scope === 'user') return join(process.env['CLAUDE_CONFIG_DIR'] || join(homedir(), '.claude'), 'settings.json');
  return join(dir, '.claude', scope === 'local' ? 'settings.local.json' : 'settings.json');
}

/** What was there and what is there now, for `removeFrom`; undefined when nothing had to be changed. */
export function installInto(
  path: string,
  report: string,
  key: string,
  earlier: Install | undefined,
): Required<Pick<Install, 'before' | 'after'>> | undefined {
  const found = readText(path);
  const settings = parse(path, found);
  // When ours is there already, what was there before it is what the first install found.
  const isOursStill = found !== null && earlier?.before !== undefined && earlier.after === digest(found);
  const before = isOursStill ? earlier.before! : found;
  const command = `if [ -x ${quoted(report)} ]; then ${quoted(report)} ${key} claude; fi; exit 0 ${MARK}`;
  const entry = { hooks: [{ type: 'command', command, timeout: LIMIT_SECONDS }] };
  const hooks = withoutOurs(settings.hooks ?? {});
  for (const name of claudeHooks) hooks[name] = [...(hooks[name] ?? []), entry];
  const after = print({ ...settings, hooks }, found);
  if (after === found) return undefined;
  mkdirSync(dirname(path), { recursive: true });
  replace(path, after);
  return { before, after: digest(after) };
}

/** Byte by byte what was there, when nobody changed the file since; else without our entries. Answers whether any was. */
export function removeFrom(path: string, install: Install | undefined): boolean {
  const text = readText(path);
  if (text === null || !text.includes(MARK)) return false;
  if (install?.before !== undefined && install.after === digest(text)) {
    if (install.before !== null) replace(path, install.before);
    else removeMade(path);
    return true;
  }
  const { hooks, ...settings } = parse(path, text);
  const left = withoutOurs(hooks ?? {});
  replace(path, print(Object.keys(left).length === 0 ? settings : { ...settings, hooks: left }, text));
  return true;
}

/** The events that are reported from there. */
export function installedIn(path: string): { readonly events: string[]; readonly isSwitchedOff: boolean } {
  const settings = parse(path, readText(path));
  const events = Object.entries(settings.hooks ?? {})
    .filter(([, matchers]) => matchers.some(hasOurs))
    .map(([name]) => name);
  return { events, isSwitchedOff: settings['disableAllHooks'] === true };
}

function withoutOurs(hooks: Readonly<Record<string, readonly Matcher[]>>): Record<string, Matcher[]> {
  const left = Object.entries(hooks).map(([name, matchers]): [string, Matcher[]] => {
    return [
      name,
      matchers.flatMap((matcher: Matcher) => {
        if (!hasOurs(matcher)) return [matcher];
        const others = (matcher.hooks ?? []).filter((hook: Hook) => !isOurs(hook));
        return others.length === 0 ? [] : [{ ...matcher, hooks: others }];
      }),
    ];
  });
  // An event that only we asked for goes with us.
  return Object.fromEntries(left.filter(([name, matchers]) => matchers.length > 0 || hooks[name]!.length === 0));
}

function hasOurs(matcher: Matcher): boolean {
  return Array.isArray(matcher?.hooks) && matcher.hooks.some(isOurs);
}

function isOurs(hook: Hook | undefined): boolean {
  return typeof hook?.command === 'string' && hook.command.endsWith(MARK);
}

function readText(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function parse(path: string, text: string | null): Settings {
  if (text === null || text.trim() === '') return {};
  const settings = tryParse(text);
  const { hooks } = (settings ?? {}) as Settings;
  const isHooks = hooks === undefined || (isObject(hooks) && Object.values(hooks).every(Array.isArray));
  if (isObject(settings) && isHooks) return settings as Settings;
  throw new CliFailure(
    `${path} is no JSON object with hooks by event`,
    exitCodes.usage,
    'Correct the file; nothing was changed.',
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tryParse(text: string): Settings | undefined {
  try {
    return JSON.parse(text) as Settings;
  } catch {
    return undefined;
  }
}

// Indented as it was.
function print(settings: Settings, like: string | null): string {
  const indent = /^\{\r?\n([ \t]+)"/.exec(like ?? '')?.[1] ?? 2;
  return JSON.stringify(settings, null, indent) + (like === null || like.endsWith('\n') || like === '' ? '\n' : '');
}

function removeMade(path: string): void {
  rmSync(path);
  try {
    rmdirSync(dirname(path));
  } catch {
    // Something else is in it.
  }
}

// Through a link, as those who keep their settings elsewhere have it.
function replace(path: string, text: string): void {
  const file = existsSync(path) ? realpathSync(path) : path;
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0o644;
  const beside = `${file}.quarterdeck-new`;
  writeFileSync(beside, text, { mode: mode & 0o7777 });
  renameSync(beside, file);
}
