// What reports from here and what waits; and sending it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { boxSize, sendWaiting } from '../../../hooks/send.ts';
import { connectionOf, type Install, installKey, readInstall, readInstalls, stateDir } from '../../../hooks/state.ts';
import { CliFailure } from '../../client.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Output } from '../../local-operation.ts';
import { table } from '../../show.ts';
import { installedIn, scopes } from './claude-settings.ts';
import { installedGitHooks } from './git-hooks.ts';
import { findPlace } from './place.ts';

interface Row {
  readonly tool: string;
  readonly place: string;
  readonly hooks: readonly string[];
  readonly reports_to: string | null;
  /** Events noted and not yet taken into the outbox; bytes of the outbox; events that found no room. */
  readonly spooled: number;
  readonly outbox_bytes: number;
  readonly dropped: number;
  readonly last: unknown;
  readonly note: string | null;
}

const SEND_LIMIT_MS = 20_000;

export async function status(input: { readonly repo: string }, output: Output): Promise<number> {
  const state = stateDir();
  const rows = [gitRow(state, input.repo), ...scopes.map((scope) => claudeRow(state, input.repo, scope))].filter(
    (row) => row !== undefined,
  );
  if (output.json) output.out(JSON.stringify({ items: rows }));
  else if (rows.length === 0) output.say('nothing reports from here; see `quarterdeck hook install --help`');
  else {
    const shown = rows.map((row) => ({
      ...row,
      hooks: row.hooks.join(' '),
      last: (row.last as { problem?: unknown })?.problem,
    }));
    output.out(table(shown, ['tool', 'hooks', 'reports_to', 'spooled', 'outbox_bytes', 'dropped', 'last', 'note']));
  }
  return exitCodes.ok;
}

export async function send(output: Output): Promise<number> {
  const state = stateDir();
  const left: { place: string; waiting: number | null; problem: string | null }[] = [];
  for (const { key, install } of readInstalls(state)) {
    const connection = connectionOf(install.target);
    const sent = connection && (await sendWaiting(join(state, 'boxes', key), connection, SEND_LIMIT_MS));
    const why = connection === undefined ? 'the installation does not run' : 'another process is sending just now';
    left.push({
      place: install.place,
      waiting: sent?.waiting ?? null,
      problem: sent === undefined ? why : sent.problem,
    });
  }
  if (output.json) output.out(JSON.stringify({ items: left }));
  else output.out(left.length === 0 ? 'nothing is installed' : table(left, ['place', 'waiting', 'problem']));
  return left.some(({ problem }) => problem !== null) ? exitCodes.failed : exitCodes.ok;
}

function gitRow(state: string, repo: string): Row | undefined {
  try {
    const found = findPlace({ tool: 'git', repo, scope: 'local' });
    if (found.tool !== 'git') return undefined;
    return row(state, 'git', found.place, installedGitHooks(found.repository.hooksDir), null);
  } catch (error) {
    // Claude Code runs where no repository is, too.
    if (error instanceof CliFailure) return undefined;
    throw error;
  }
}

function claudeRow(state: string, repo: string, scope: (typeof scopes)[number]): Row | undefined {
  const { place } = findPlace({ tool: 'claude', repo, scope });
  const { events, isSwitchedOff } = installedIn(place);
  return row(state, 'claude', place, events, isSwitchedOff ? 'all hooks are switched off in these settings' : null);
}

function row(
  state: string,
  tool: Install['tool'],
  place: string,
  hooks: readonly string[],
  note: string | null,
): Row | undefined {
  const key = installKey(tool, place);
  const install = readInstall(state, key);
  if (hooks.length === 0 && install === undefined) return undefined;
  const box = join(state, 'boxes', key);
  const { spooled, bytes, dropped } = boxSize(box);
  return {
    tool,
    place,
    hooks,
    reports_to: install === undefined ? null : 'url' in install.target ? install.target.url : install.target.data,
    spooled,
    outbox_bytes: bytes,
    dropped,
    last: lastOf(box),
    note:
      hooks.length === 0 || install === undefined
        ? 'something else took it out: install it again'
        : (programNote(state) ?? note),
  };
}

function programNote(state: string): string | null {
  const path = join(state, 'report');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const [node, program] = ['node', 'program'].map((name) =>
    new RegExp(`^${name}='(.*)'$`, 'm').exec(text)?.[1]?.replaceAll("'\\''", "'"),
  );
  const isThere = node !== undefined && program !== undefined && existsSync(node) && existsSync(program);
  return isThere ? null : 'the program that reports is gone: install it again';
}

function lastOf(box: string): unknown {
  const path = join(box, 'last.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as unknown) : null;
}
