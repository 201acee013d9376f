// The place that a hook command is about: the hooks of a repository, or a settings file of Claude Code.
import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { installKey } from '../../../hooks/state.ts';
import { CliFailure } from '../../client.ts';
import { exitCodes } from '../../exit-codes.ts';
import { type Scope, settingsPath } from './claude-settings.ts';
import { openRepository, type Repository } from './git-repository.ts';

export type HookPlace =
  | { readonly tool: 'git'; readonly place: string; readonly key: string; readonly repository: Repository }
  | { readonly tool: 'claude'; readonly place: string; readonly key: string };

/** Throws CliFailure when there is no such place. */
export function findPlace(input: {
  readonly tool: 'git' | 'claude';
  readonly repo: string;
  readonly scope: Scope;
}): HookPlace {
  if (input.tool === 'git') {
    const repository = openRepository(input.repo);
    return { tool: 'git', place: repository.commonDir, key: installKey('git', repository.commonDir), repository };
  }
  const dir = resolve(input.repo);
  if (!existsSync(dir)) throw new CliFailure(`there is no directory ${dir}`, exitCodes.notFound);
  const place = settingsPath(input.scope, realpathSync(dir));
  return { tool: 'claude', place, key: installKey('claude', place) };
}
