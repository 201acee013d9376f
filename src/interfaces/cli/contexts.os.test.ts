// Servers by name: what is kept, how it is closed to others, and which one a command speaks to.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { findPython } from '../../../test/sdk/python.ts';
import { plainEnvironment, runQuarterdeck } from '../../../test/support/installation.ts';
import { openStandIn, type StandIn } from '../../../test/support/stand-in.ts';
import { openTerminal } from '../../../test/support/terminal.ts';
import { findConnection } from './connection.ts';
import { Contexts } from './contexts.ts';

const MAIN = resolve(import.meta.dirname, '../../main.ts');
const TOKEN = 'qd_operator_kept';

let home: string;
let server: StandIn;
beforeAll(async () => {
  server = await openStandIn();
  server.on('/v1/me', (request, response) => {
    const isKnown = request.headers.authorization === `Bearer ${TOKEN}`;
    const answer = isKnown
      ? { name: 'operator:ada', tenant: 'fleet' }
      : { code: 'unauthenticated', detail: 'No', hint: 'x' };
    response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
});
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'qd-context-'));
  return () => rmSync(home, { recursive: true, force: true });
});
afterAll(() => server?.close());

const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runQuarterdeck(words, { HOME: home, ...env }, home);

/** With a token on stdin. */
async function add(words: readonly string[], typed: string) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, 'context', 'add', ...words], {
    cwd: home,
    env: plainEnvironment(home),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  child.stdin.on('error', () => undefined);
  child.stdin.end(typed);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, output };
}

const directory = () => join(home, '.config', 'quarterdeck');
const file = (name: string) => join(directory(), 'contexts', `${name}.json`);

describe('a context', () => {
  it('is kept where only its owner reads it, and its token is never shown', async () => {
    const added = await add(['office', server.url, '--use'], `${TOKEN}\n`);
    expect(added).toMatchObject({ exitCode: 0, output: expect.stringContaining('operator:ada of fleet') });
    expect(statSync(file('office')).mode & 0o777).toBe(0o600);
    expect(statSync(directory()).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(file('office'), 'utf8'))).toEqual({ url: server.url, token: TOKEN });
    const shown = [added.output];
    for (const words of [['list'], ['show'], ['show', 'office', '--json'], ['list', '-o', 'yaml']]) {
      const { exitCode, stdout } = await run(['context', ...words]);
      expect(exitCode).toBe(0);
      expect(stdout).toContain(server.url);
      shown.push(stdout);
    }
    expect(shown.join('')).not.toContain(TOKEN);
    const { exitCode, stdout } = await run(['me', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'operator:ada' });
  });

  it('is not kept when the server refuses its token, nor when the token is none', async () => {
    expect(await add(['office', server.url], 'qd_operator_wrong')).toMatchObject({ exitCode: 4 });
    expect(await add(['office', server.url], 'two words')).toMatchObject({ exitCode: 2 });
    expect(await add(['office', server.url], 'x'.repeat(100_000))).toMatchObject({ exitCode: 2 });
    expect(await add(['office', 'deck.example'], TOKEN)).toMatchObject({ exitCode: 2 });
    expect(await add(['../office', server.url], TOKEN)).toMatchObject({ exitCode: 2 });
    expect(await add(['local', server.url], TOKEN)).toMatchObject({ exitCode: 2 });
    expect(existsSync(directory())).toBe(false);
  });

  it('takes no token as an argument', async () => {
    expect(await add(['office', server.url, TOKEN], '')).toMatchObject({ exitCode: 2 });
    expect(await add(['office', server.url, '--token', TOKEN], '')).toMatchObject({ exitCode: 2 });
    expect(existsSync(directory())).toBe(false);
  });

  it('is kept when its server is away, and says that the token was not tried', async () => {
    const { exitCode, output } = await add(['office', 'http://127.0.0.1:9'], TOKEN);
    expect(exitCode).toBe(0);
    expect(output).toContain('was not tried');
  });

  it('is replaced only when that was said', async () => {
    await add(['office', server.url], TOKEN);
    expect(await add(['office', 'http://127.0.0.1:9'], TOKEN)).toMatchObject({ exitCode: 5 });
    expect(new Contexts({ HOME: home }).get('office').url).toBe(server.url);
    expect(await add(['office', 'http://127.0.0.1:9', '--replace'], TOKEN)).toMatchObject({ exitCode: 0 });
    expect(readdirSync(join(directory(), 'contexts'))).toEqual(['office.json']);
  });

  it('that others can read is refused until it is closed', async () => {
    await add(['office', server.url, '--use'], TOKEN);
    chmodSync(file('office'), 0o644);
    const { exitCode, stderr } = await run(['me']);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('mode 644');
    expect(stderr).toContain('chmod 600');
    expect(stderr).not.toContain(TOKEN);
    expect((await run(['context', 'list'])).stdout).toContain('mode 644');
    chmodSync(file('office'), 0o600);
    expect((await run(['me'])).exitCode).toBe(0);
  });

  it('that is gone is named with the nearest, and forgetting the chosen one goes back to this machine', async () => {
    await add(['office', server.url, '--use'], TOKEN);
    expect(await run(['me', '--context', 'ofice'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('Did you mean office?'),
    });
    expect((await run(['context', 'remove', 'office'])).exitCode).toBe(0);
    expect(existsSync(file('office'))).toBe(false);
    expect(JSON.parse((await run(['context', 'show', '--json'])).stdout)).toMatchObject({ name: 'local' });
  });
});

const python = findPython();

describe.skipIf(python === undefined)(
  `on a terminal${python === undefined ? ' (skipped: there is no Python ≥ 3.9 here)' : ''}`,
  () => {
    const open = () => {
      const command = [
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        MAIN,
        'context',
        'add',
        'office',
        server.url,
      ];
      const terminal = openTerminal(python!, command, { cwd: home, env: plainEnvironment(home) });
      onTestFinished(() => terminal.close());
      return terminal;
    };

    it('the token is typed without being seen, and corrected by backspace', async () => {
      const terminal = open();
      await terminal.until((drawn) => drawn.includes(`Token for ${server.url}: `));
      terminal.type(`${TOKEN}x\u007f\r`);
      expect(await terminal.ended()).toEqual({ exit: 0, restored: true });
      expect(terminal.drawn).not.toContain(TOKEN);
      expect(new Contexts({ HOME: home }).get('office').token).toBe(TOKEN);
    });

    it('Ctrl-C keeps nothing', async () => {
      const terminal = open();
      await terminal.until((drawn) => drawn.includes('Token for'));
      terminal.type(`${TOKEN}\u0003`);
      expect(await terminal.ended()).toEqual({ exit: 130, restored: true });
      expect(existsSync(directory())).toBe(false);
    });
  },
);

describe('a command speaks to', () => {
  const connectionOf = async (flags: Parameters<typeof findConnection>[0], env: Record<string, string> = {}) =>
    (await findConnection(flags, { HOME: home, ...env })).url;
  const data = () => join(home, 'none');

  beforeEach(() => {
    const contexts = new Contexts({ HOME: home });
    contexts.put('chosen', { url: 'http://chosen.example', token: 'chosen' });
    contexts.put('other', { url: 'http://other.example' });
    contexts.use('chosen');
  });

  it('what was said on the command line, else in the environment, else what was chosen', async () => {
    const env = { QUARTERDECK_URL: 'http://env.example', QUARTERDECK_CONTEXT: 'other' };
    expect(await connectionOf({ url: 'http://flag.example/' }, env)).toBe('http://flag.example');
    expect(await connectionOf({ context: 'other' }, { ...env, QUARTERDECK_CONTEXT: 'chosen' })).toBe(
      'http://other.example',
    );
    expect(await connectionOf({}, env)).toBe('http://env.example');
    expect(await connectionOf({}, { ...env, QUARTERDECK_URL: '' })).toBe('http://other.example');
    expect(await connectionOf({})).toBe('http://chosen.example');
    await expect(connectionOf({ data: data() }, env)).rejects.toMatchObject({ exitCode: 7 });
    await expect(connectionOf({}, { QUARTERDECK_DATA: data() })).rejects.toMatchObject({ exitCode: 7 });
    await expect(connectionOf({ context: 'local', data: data() })).rejects.toMatchObject({ exitCode: 7 });
    await expect(connectionOf({ url: 'http://a.example', context: 'other' })).rejects.toMatchObject({ exitCode: 2 });
  });

  it('each server with its own token', async () => {
    const env = { HOME: home, QUARTERDECK_TOKEN: 'of-the-environment' };
    expect(await findConnection({ context: 'chosen' }, env)).toMatchObject({ token: 'chosen' });
    expect(await findConnection({ context: 'other' }, env)).toMatchObject({ token: 'of-the-environment' });
    expect(await findConnection({ context: 'other' }, { HOME: home })).toMatchObject({ token: undefined });
    expect(await findConnection({ url: 'http://elsewhere.example' }, { HOME: home })).toMatchObject({
      token: undefined,
    });
  });
});
