// A git repository as `hook install` needs it: where it is, where git looks for its hooks, and who else uses that place.
import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { CliFailure } from '../../client.ts';
import { exitCodes } from '../../exit-codes.ts';

export interface Repository {
  /** The directory that all its work trees share; names the repository. */
  readonly commonDir: string;
  /** The work tree's top; of a bare repository itself. */
  readonly top: string;
  readonly isBare: boolean;
  readonly hooksDir: string;
  /** Why others have these hooks too: by git, or by being used in other repositories. */
  readonly sharedBecause: string | undefined;
}

/** Throws CliFailure when there is none, or git will not say. */
export function openRepository(dir: string): Repository {
  const at = resolve(dir);
  if (!existsSync(at)) throw new CliFailure(`there is no directory ${at}`, exitCodes.notFound);
  const isBare = ask(at, 'rev-parse', '--is-bare-repository') === 'true';
  const top = realpathSync(isBare ? resolve(at, ask(at, 'rev-parse', '--git-dir')) : topOf(at));
  const commonDir = realpathSync(resolve(top, ask(top, 'rev-parse', '--git-common-dir')));
  const hooksDir = real(resolve(top, ask(top, 'rev-parse', '--git-path', 'hooks')));
  return { commonDir, top, isBare, hooksDir, sharedBecause: sharedBecause(top, commonDir, hooksDir) };
}

function topOf(at: string): string {
  const top = ask(at, 'rev-parse', '--show-toplevel');
  if (top !== '') return top;
  throw new CliFailure(`${at} is inside of a git directory`, exitCodes.usage, 'Give the work tree with --repo.');
}

function sharedBecause(top: string, commonDir: string, hooksDir: string): string | undefined {
  if (isBelow(hooksDir, commonDir)) return undefined;
  if (!isBelow(hooksDir, top)) return `${hooksDir} lies outside of this repository, so others may use it too`;
  // Husky's own directory, which git ignores, belongs to this work tree alone.
  if (answers(top, 'check-ignore', '--quiet', '--no-index', join(hooksDir, 'post-commit'))) return undefined;
  return `${relative(top, hooksDir)} is in the work tree, so what changes there would be committed`;
}

/** Whether git leaves the file out of what it commits; true outside of a work tree. */
export function isIgnored(path: string): boolean {
  const dir = dirname(path);
  return !answers(dir, 'rev-parse', '--is-inside-work-tree') || answers(dir, 'check-ignore', '--quiet', path);
}

function isBelow(path: string, dir: string): boolean {
  return path === dir || path.startsWith(dir.endsWith(sep) ? dir : dir + sep);
}

// Of a directory that is not made yet, as far as it is there.
function real(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  return dirname(path) === path ? path : join(real(dirname(path)), relative(dirname(path), path));
}

function answers(dir: string, ...words: string[]): boolean {
  try {
    run(dir, words);
    return true;
  } catch {
    return false;
  }
}

function ask(dir: string, ...words: string[]): string {
  try {
    return run(dir, words).trim();
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    if (code === 'ENOENT') throw new CliFailure('git is not installed', exitCodes.failed);
    throw new CliFailure(
      `git says: ${(stderr ?? '').trim().split('\n')[0]?.slice(0, 300)}`,
      exitCodes.notFound,
      'Go to the repository, or name it with --repo.',
    );
  }
}

function run(dir: string, words: readonly string[]): string {
  return execFileSync('git', words, {
    cwd: dir,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 10_000,
    // Run inside of a hook these would name another repository than the one that was asked for.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)$/.test(name)),
    ),
  });
}
