// What git's hooks say, as events: which commit, on which branch, how large. Never a line of what was committed.
import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { masked, withoutCredentials } from './mask.ts';
import type { HookEvent } from './spool.ts';
import { digest } from './state.ts';

type Payload = Record<string, unknown>;
type Environment = Readonly<Record<string, string | undefined>>;

const GIT_LIMIT_MS = 10_000;
const PUSH_LIMIT_MS = 15 * 60_000;
const MOST_REFS = 25;
const LONGEST_REF = 200;
const NOTHING = /^0+$/;

/** `words`: the hook's name, the process id of git, and what git gave the hook. */
export async function gitEvent(
  [hook, gitPid, ...given]: readonly string[],
  input: string,
  env: Environment,
): Promise<HookEvent | undefined> {
  const head = env['QUARTERDECK_HOOK_HEAD'] || null;
  const branch = env['QUARTERDECK_HOOK_BRANCH'] || null;
  const at = new Date().toISOString();
  const place = await repositoryFacts();
  // Patches that are applied from mail make commits too, without post-commit.
  if ((hook === 'post-commit' || hook === 'post-applypatch') && head !== null) {
    const payload = { ...place, branch, commit: head, ...(await commitFacts(head)) };
    return event('git.commit', payload, [head, branch ?? '']);
  }
  if (hook === 'post-merge' && head !== null) {
    const payload = { ...place, branch, commit: head, squash: given[0] === '1', ...(await commitFacts(head)) };
    return event('git.merge', payload, [head, branch ?? '', at]);
  }
  // Only of branches: git runs this for single files too.
  if (hook === 'post-checkout' && given[2] === '1') {
    const payload = { ...place, branch, from: given[0] ?? null, to: given[1] ?? null, at };
    return event('git.checkout', payload, [at]);
  }
  if (hook === 'pre-push') return pushEvent(Number(gitPid), given, input, { ...place, branch, at });
  if (hook === 'post-receive') {
    const refs = linesOf(input).map(([from, to, ref]) => ({ ref: ref?.slice(0, LONGEST_REF), from, to }));
    if (refs.length > 0) {
      return event('git.push.received', { ...place, refs: refs.slice(0, MOST_REFS), refs_count: refs.length, at }, [
        at,
      ]);
    }
  }
  return undefined;
}

// Git says what it is about to push, and nothing afterwards. So its end is waited for, and then it is looked at whether it
// moved the branches that stand for the remote's: only then it is called a push.
async function pushEvent(
  gitPid: number,
  [remote = '', url = '']: readonly string[],
  input: string,
  facts: Payload,
): Promise<HookEvent | undefined> {
  const lines = linesOf(input);
  if (lines.length === 0) return undefined;
  await ended(gitPid);
  const refs: { ref: string; from: string; to: string; result: string }[] = [];
  for (const [, to = '', ref = '', from = ''] of lines.slice(0, MOST_REFS)) {
    refs.push({ ref: ref.slice(0, LONGEST_REF), from, to, result: await pushResult(remote, ref, to) });
  }
  const has = (result: string) => refs.some((one) => one.result === result);
  const type = has('refused') ? 'git.push.failed' : has('pushed') ? 'git.push' : 'git.push.tried';
  const named = remote === url ? null : remote;
  const payload = { ...facts, remote: named, url: withoutCredentials(url), refs, refs_count: lines.length };
  return event(type, payload, [String(facts['at']), String(gitPid)]);
}

async function pushResult(remote: string, ref: string, to: string): Promise<'pushed' | 'refused' | 'unknown'> {
  const name = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
  if (name === undefined || (await git('config', '--get', `remote.${remote}.fetch`)) === undefined) return 'unknown';
  const seen = await git('rev-parse', '--quiet', '--verify', `refs/remotes/${remote}/${name}`);
  return (seen ?? '') === (NOTHING.test(to) ? '' : to) ? 'pushed' : 'refused';
}

async function ended(pid: number): Promise<void> {
  const until = Date.now() + PUSH_LIMIT_MS;
  for (let pause = 20; isAlive(pid) && Date.now() < until; pause = Math.min(pause * 1.5, 1_000)) await delay(pause);
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function repositoryFacts(): Promise<Payload> {
  const [top, gitDir, origin] = await Promise.all([
    git('rev-parse', '--show-toplevel'),
    git('rev-parse', '--absolute-git-dir'),
    git('config', '--get', 'remote.origin.url'),
  ]);
  const repository = basename(top ?? gitDir ?? '').replace(/\.git$/, '');
  return { repository, ...(origin === undefined ? {} : { origin: withoutCredentials(origin) }) };
}

async function commitFacts(commit: string): Promise<Payload> {
  const [shown, size] = await Promise.all([
    git('show', '--no-patch', '--no-show-signature', '--format=%P%x00%aN%x00%cI%x00%s', commit),
    git('diff-tree', '--root', '-r', '--no-ext-diff', '--no-textconv', '--no-commit-id', '--shortstat', commit),
  ]);
  if (shown === undefined) return {};
  const [parents = '', author = '', committedAt = '', subject = ''] = shown.split('\0');
  const count = (words: RegExp) => Number(words.exec(size ?? '')?.[1] ?? 0);
  return {
    parents: parents === '' ? 0 : parents.split(' ').length,
    author: masked(author, 100),
    committed_at: committedAt,
    subject: masked(subject, 200),
    files: count(/(\d+) files? changed/),
    insertions: count(/(\d+) insertion/),
    deletions: count(/(\d+) deletion/),
  };
}

const run = promisify(execFile);

async function git(...words: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', words, {
      timeout: GIT_LIMIT_MS,
      maxBuffer: 1024 * 1024,
      // Nothing here may ask somebody, or wait for another git.
      env: { ...process.env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_PAGER: 'cat' },
    });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}

// The same happening has the same id, so that it is recognised when it is reported twice.
function event(event_type: string, payload: Payload, key: readonly string[]): HookEvent {
  const repository = String(payload['repository']);
  const id = `hook:${digest(event_type, repository, String(payload['origin']), ...key).slice(0, 40)}`;
  return { id, event_type, payload, subject: `repository:${repository}`.slice(0, 200) };
}

function linesOf(input: string): string[][] {
  return input
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(' '));
}
