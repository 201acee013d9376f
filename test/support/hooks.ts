// A machine of its own for tests of hooks: home, state directory, git without anybody's configuration, and an end for every
// process that a hook left behind.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { runQuarterdeck } from './installation.ts';

export interface HookMachine {
  readonly dir: string;
  readonly env: Record<string, string>;
  /** The state directory of the hooks. */
  readonly state: string;
  /** A new repository with one commit. */
  repository(name: string): string;
  git(dir: string, ...words: string[]): Promise<string>;
  /** The command line, which has to succeed; answers its JSON. */
  hook(...words: string[]): Promise<Record<string, unknown>>;
  tryHook(...words: string[]): ReturnType<typeof runQuarterdeck>;
  /** What hooks noted and nobody has taken yet. */
  waiting(): { event_type: string; payload: Record<string, unknown>; id: string }[];
}

const run = promisify(execFile);

export function openHookMachine(connection: { readonly url: string; readonly token: string }): HookMachine {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'qd-hooks-')));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: dir,
    XDG_STATE_HOME: join(dir, 'state'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
    // Git refuses local clones into submodules otherwise.
    GIT_ALLOW_PROTOCOL: 'file',
  };
  const state = join(dir, 'state', 'quarterdeck', 'hooks');
  onTestFinished(async () => {
    await endReporters(state);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  const git = async (at: string, ...words: string[]) => (await run('git', words, { cwd: at, env })).stdout.trim();
  const cliEnv = { ...env, QUARTERDECK_URL: connection.url, QUARTERDECK_TOKEN: connection.token };
  const tryHook = (...words: string[]) => runQuarterdeck(['--json', 'hook', ...words], cliEnv, dir);
  return {
    dir,
    env,
    state,
    git,
    tryHook,
    repository(name) {
      const at = join(dir, name);
      mkdirSync(at, { recursive: true });
      execFileSync('git', ['init', '--quiet', '--initial-branch=main'], { cwd: at, env });
      execFileSync('git', ['commit', '--quiet', '--allow-empty', '-m', 'first'], { cwd: at, env });
      return at;
    },
    async hook(...words) {
      const { exitCode, stdout, stderr } = await tryHook(...words);
      if (exitCode !== 0) throw new Error(`hook ${words.join(' ')} ended with ${exitCode}:\n${stdout}${stderr}`);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
    waiting() {
      const boxes = join(state, 'boxes');
      const names = existsSync(boxes) ? readdirSync(boxes) : [];
      return names.flatMap((box) => waitingIn(join(boxes, box)));
    },
  };
}

function waitingIn(box: string): ReturnType<HookMachine['waiting']> {
  const spool = join(box, 'spool');
  const spooled = existsSync(spool) ? readdirSync(spool).filter((name) => !name.startsWith('.')) : [];
  const outbox = join(box, 'outbox');
  const lines = existsSync(outbox) ? readFileSync(outbox, 'utf8').split('\n') : [];
  const texts = [...lines.slice(0, -1), ...spooled.map((name) => readIfThere(join(spool, name)))];
  const events = texts.filter((text) => text !== '').map((text) => JSON.parse(text) as { id?: string });
  // What is being moved from one to the other is in both.
  const byId = new Map(events.filter(({ id }) => id !== undefined).map((event) => [event.id, event]));
  return [...byId.values()] as ReturnType<HookMachine['waiting']>;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

// Known by the state directory in their words, which is this test's alone.
async function endReporters(state: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { stdout } = await run('ps', ['-eo', 'pid=,args=']);
    const pids = stdout
      .split('\n')
      .filter((line) => line.includes(`${state} `))
      .map((line) => Number.parseInt(line, 10));
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }
  }
  throw new Error(`processes of hooks in ${state} do not end`);
}
