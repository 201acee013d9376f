// Completion in the shells themselves: what stands there after TAB. bash is there wherever the tests run; zsh and fish are
// asked where they are installed.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainEnvironment, runQuarterdeck } from '../../../../test/support/installation.ts';
import { openStandIn, type StandIn } from '../../../../test/support/stand-in.ts';
import { allOperations } from '../../../operations.ts';
import { localOperations } from '../local/index.ts';
import { COMPLETE, completionScripts, shells } from './scripts.ts';

const MAIN = resolve(import.meta.dirname, '../../../main.ts');

let home: string;
let server: StandIn;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'qd-completion-'));
  mkdirSync(join(home, 'bin'));
  for (const name of ['quarterdeck', 'qd']) {
    const file = join(home, 'bin', name);
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${MAIN}' "$@"\n`);
    chmodSync(file, 0o755);
  }
  server = await openStandIn();
  const names = ['pricer', 'printer', 'scout', '$(touch pwned)', 'a b', '`x`', 'x;y'];
  server.json('/v1/agents', { items: names.map((agent) => ({ agent })) });
  server.json('/v1/jobs', { items: [{ id: 'job_1a' }, { id: 'job_2b' }] });
});
afterAll(async () => {
  await server?.close();
  rmSync(home, { recursive: true, force: true });
});

const environment = (more: Readonly<Record<string, string>> = {}) => ({
  ...plainEnvironment(home, { QUARTERDECK_URL: server.url, QUARTERDECK_TOKEN: 'x', ...more }),
  PATH: `${join(home, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
});

/** What the program itself answers, without the meanings. */
async function offered(line: string, env: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const { exitCode, stdout } = await runQuarterdeck(['__complete', line], environment(env), home);
  expect(exitCode).toBe(0);
  return stdout
    .split('\n')
    .filter((one) => one !== '')
    .map((one) => one.split('\t')[0]!);
}

describe('what may stand at the cursor', () => {
  it('is every command, each of its words in turn', async () => {
    const known = [...localOperations, ...allOperations].flatMap(({ cli }) =>
      'none' in cli ? [] : [cli.words.split(' ')],
    );
    expect((await offered('qd ')).sort()).toEqual(
      [...new Set(known.flatMap(([first]) => (first === 'whoami' ? [] : [first!]))), 'whoami'].sort(),
    );
    const agentWords = known.filter(([first]) => first === 'agent').map(([, second]) => second!);
    expect((await offered('qd agent ')).sort()).toEqual([...agentWords, 'console'].sort());
  });

  it.each([
    ['qd agent list --sta', ['--state']],
    ['qd agent list --state s', ['silent', 'stopped']],
    ['qd agent list --state=s', ['--state=silent', '--state=stopped']],
    ['qd agent list -o c', ['csv']],
    ['qd agent list --fields agent,ten', ['agent,tenant']],
    ['qd agent show pri', ['pricer', 'printer']],
    ['qd --url http://127.0.0.1:1 agent show ', []],
    ['qd job show ', ['job_1a', 'job_2b']],
    ['qd completion ', ['bash', 'zsh', 'fish']],
    ['qd up --data x', [':files']],
    ['qd context use ', ['local']],
    ['qd agent show pricer ', []],
    ['qd api P', ['POST', 'PUT', 'PATCH']],
    ['qd no such command ', []],
  ])('%s', async (line, expected) => {
    expect(await offered(line)).toEqual(expected);
  });

  it('leaves out names that a shell would take for more than a word', async () => {
    expect(await offered('qd agent show ')).toEqual(['pricer', 'printer', 'scout']);
  });

  it('is nothing, and no word of complaint, when the server is away or refuses', async () => {
    const away = await runQuarterdeck(
      ['__complete', 'qd agent show '],
      environment({ QUARTERDECK_URL: 'http://127.0.0.1:9' }),
      home,
    );
    expect(away).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    server.json('/v1/tenants', { code: 'denied', detail: 'no', hint: 'x' }, 403);
    expect(await offered('qd job list --tenant ')).toEqual([]);
  });
});

const has = (shell: string) => spawnSync(shell, ['--version'], { stdio: 'ignore' }).status === 0;

// Not by spawnSync: the server that is asked lives in this process.
async function inShell(command: readonly string[], script: string): Promise<string> {
  const [program, ...args] = command;
  const child = spawn(program!, [...args, script], {
    cwd: home,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trim();
}

describe('bash', () => {
  // As bash does at TAB: it cuts the line at COMP_WORDBREAKS and calls the function that was named for the command.
  const pressed = async (line: string, words: readonly string[]) =>
    (
      await inShell(
        ['bash', '--norc', '-c'],
        `source <(quarterdeck completion bash)
       complete -p qd | grep -q -- '-F _quarterdeck' || exit 1
       COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length - 1}
       _quarterdeck 2>/dev/null
       printf '%s\\n' "\${COMPREPLY[@]}"`,
      )
    ).split('\n');

  it('completes commands, names and values', async () => {
    expect(await pressed('qd agent sh', ['qd', 'agent', 'sh'])).toEqual(['show']);
    expect(await pressed('qd agent show pri', ['qd', 'agent', 'show', 'pri'])).toEqual(['pricer', 'printer']);
  });

  it('replaces only the piece that bash replaces', async () => {
    expect(await pressed('qd agent list --state=healt', ['qd', 'agent', 'list', '--state', '=', 'healt'])).toEqual([
      'healthy',
    ]);
    expect(await pressed('qd agent list --state=', ['qd', 'agent', 'list', '--state', '='])).toContain('late');
  });

  it('offers files where a file belongs', async () => {
    writeFileSync(join(home, 'my fleet.yaml'), '');
    expect(await pressed('qd up --config my', ['qd', 'up', '--config', 'my'])).toEqual(['my fleet.yaml']);
  });
});

it.each(shells)('the script of %s serves both names of the program and asks the program itself', async (shell) => {
  const { exitCode, stdout } = await runQuarterdeck(['completion', shell], {}, home);
  expect({ exitCode, stdout: stdout.trim() }).toEqual({ exitCode: 0, stdout: completionScripts[shell].trim() });
  expect(stdout).toContain(COMPLETE);
  expect(stdout).toMatch(/quarterdeck[\s\S]*\bqd\b/);
});

// No shell is demanded of whoever runs the tests but bash, so these are there only where theirs is.
if (has('fish')) {
  it('fish completes commands, names and values', async () => {
    const script =
      'quarterdeck completion fish | source; complete -C "qd agent sh"; complete -C "quarterdeck agent show pri"';
    expect(
      (await inShell(['fish', '--no-config', '-c'], script)).split('\n').map((line) => line.split('\t')[0]),
    ).toEqual(['show', 'pricer', 'printer']);
  });
}

if (has('zsh')) {
  it('zsh asks the program for the line, and hands its answers on', async () => {
    writeFileSync(join(home, 'quarterdeck.zsh'), completionScripts.zsh);
    const script = `compdef() { : }
      source ./quarterdeck.zsh
      _describe() { print -l -- "\${(@P)3}" }
      words=(qd agent show pri) CURRENT=4 PREFIX=pri
      _quarterdeck`;
    expect((await inShell(['zsh', '-f', '-c'], script)).split('\n')).toEqual(['pricer:', 'printer:']);
  });
}
