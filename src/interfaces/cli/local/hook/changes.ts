// Installing and removing hooks. A second time changes nothing.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { claudeHooks } from '../../../hooks/claude-events.ts';
import { reportProgram } from '../../../hooks/shell.ts';
import { privateDir, readInstall, removeInstall, stateDir, writeInstall, writePrivate } from '../../../hooks/state.ts';
import { CliFailure } from '../../client.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Output } from '../../local-operation.ts';
import { installedIn, installInto, removeFrom, type Scope } from './claude-settings.ts';
import { bareHooks, installGitHooks, removeGitHooks, workTreeHooks } from './git-hooks.ts';
import { isIgnored, type Repository } from './git-repository.ts';
import { findPlace } from './place.ts';
import { findHookTarget, type TargetInput } from './target.ts';

interface Where {
  readonly tool: 'git' | 'claude';
  readonly repo: string;
  readonly scope: Scope;
}

export async function install(input: Where & TargetInput & { readonly shared: boolean }, output: Output) {
  const found = findPlace(input);
  // What is refused is refused before anything is written.
  if (found.tool === 'git') refuseShared(found.repository, input.shared);
  else installedIn(found.place);
  const { target, words } = await findHookTarget(input);
  const state = stateDir();
  const report = writeReport(state);
  const { tool, place, key } = found;
  // Where to report first: a hook may run as soon as it is there.
  const earlier = readInstall(state, key);
  writeInstall(state, key, { ...earlier, tool, place, target });
  let changed: readonly string[];
  if (found.tool === 'git') {
    const { hooksDir, isBare } = found.repository;
    writeInstall(state, key, { tool, place, target, hooksDir });
    changed = installGitHooks(hooksDir, isBare ? bareHooks : workTreeHooks, report, key);
  } else {
    const written = installInto(place, report, key, earlier);
    if (written !== undefined) writeInstall(state, key, { tool, place, target, ...written });
    changed = written === undefined ? [] : claudeHooks;
  }
  if (output.json) output.out(JSON.stringify({ tool, place, changed, reports_to: words }));
  else {
    output.say(
      changed.length === 0 ? `it is installed already in ${place}` : `installed in ${place}: ${changed.join(', ')}`,
    );
    output.say(`it reports to ${words}`);
    if (tool === 'claude' && input.scope === 'local' && !isIgnored(place)) {
      output.say(`git does not ignore ${place}; it holds paths of this machine, so add it to .git/info/exclude`);
    }
  }
  return exitCodes.ok;
}

export async function remove(input: Where, output: Output) {
  const found = findPlace(input);
  const state = stateDir();
  const changed =
    found.tool === 'git' ? removeFromGit(found.repository, state, found.key) : removeFromClaude(found, state);
  removeInstall(state, found.key);
  const { tool, place } = found;
  if (output.json) output.out(JSON.stringify({ tool, place, changed }));
  else
    output.say(
      changed.length === 0 ? `nothing of ours was in ${place}` : `removed from ${place}: ${changed.join(', ')}`,
    );
  return exitCodes.ok;
}

// Also where git looked when they were installed, and where it looks when nobody says otherwise.
function removeFromGit({ hooksDir, commonDir }: Repository, state: string, key: string): string[] {
  const before = readInstall(state, key)?.hooksDir;
  const dirs = new Set([hooksDir, join(commonDir, 'hooks'), ...(before === undefined ? [] : [before])]);
  return [...dirs].flatMap(removeGitHooks);
}

function removeFromClaude({ place, key }: { readonly place: string; readonly key: string }, state: string): string[] {
  return removeFrom(place, readInstall(state, key)) ? [...claudeHooks] : [];
}

function writeReport(state: string): string {
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const program = fileURLToPath(new URL(`../../../hooks/report${ending}`, import.meta.url));
  const path = join(state, 'report');
  privateDir(state);
  writePrivate(path, reportProgram(process.execPath, program), 0o700);
  return path;
}

function refuseShared({ sharedBecause }: Repository, isMeant: boolean): void {
  if (sharedBecause === undefined || isMeant) return;
  throw new CliFailure(
    sharedBecause,
    exitCodes.conflict,
    'Nothing was changed. With --shared they are installed there all the same.',
    { code: 'hooks_shared', detail: sharedBecause },
  );
}
