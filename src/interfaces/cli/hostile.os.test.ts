// What goes wrong on a command line: names that are no names, servers that are none, terminals and pipes. Each refusal is a
// sentence, an exit code that scripts can rely on, and never a stack.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { plainEnvironment, runQuarterdeck } from '../../../test/support/installation.ts';
import { listenerPort } from '../../../test/support/listener.ts';
import { openStandIn, type StandIn } from '../../../test/support/stand-in.ts';

const MAIN = resolve(import.meta.dirname, '../../main.ts');
const TOKEN = 'qd_operator_standin';

let home: string;
let server: StandIn;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'qd-cli-'));
  server = await openStandIn();
});
afterAll(async () => {
  await server?.close();
  rmSync(home, { recursive: true, force: true });
});

const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runQuarterdeck(words, { HOME: home, QUARTERDECK_URL: server.url, QUARTERDECK_TOKEN: TOKEN, ...env }, home);

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must never come out
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;
const STACK = /\n\s+at .*[:(]\d+/;

function expectRefusal(result: { exitCode: number | null; stdout: string; stderr: string }, exitCode: number): void {
  expect(result.exitCode).toBe(exitCode);
  expect(result.stderr).not.toMatch(STACK);
  expect(result.stderr + result.stdout).not.toMatch(UNSAFE);
  expect(result.stderr.length).toBeGreaterThan(5);
}

describe('a name that is no name', () => {
  it.each([
    ['an option', '-rf'],
    ['an option behind --', '--', '-rf'],
    ['a path', '../../x'],
    ['a line end', 'a\nb'],
    ['a sequence for the terminal', '\u001b[2Jx'],
    ['a sequence in an option', '--\u001b[2J'],
    ['text that runs the other way', '\u202egnp.x'],
    ['nothing', ''],
    ['64 kilobytes', 'x'.repeat(65_536)],
  ])('is refused with 2 and shown escaped: %s', async (_, ...words) => {
    const before = server.asked.length;
    expectRefusal(await run(['agent', 'show', ...words]), 2);
    expect(server.asked.length).toBe(before);
  });

  it('cannot lead to another address', async () => {
    const before = server.asked.length;
    expectRefusal(await run(['job', 'show', '..']), 2);
    expect(server.asked.length).toBe(before);
    server.json(
      '/v1/jobs/..%2F..%2Ftenants',
      { code: 'work.job_not_found', detail: 'There is no job', hint: 'x' },
      404,
    );
    expectRefusal(await run(['job', 'show', '../../tenants']), 3);
  });
});

describe('words that are not quite right', () => {
  it.each([
    [['agnet', 'list'], 'Did you mean agent?'],
    [['agent', 'lst'], 'Did you mean list?'],
    [['agent', 'list', '--sate', 'late'], 'Did you mean --state?'],
    [['agent', 'list', '--state', 'helthy'], 'Did you mean healthy?'],
    [['agent', 'list', '-o', 'jsn'], 'Did you mean json?'],
    [['agent', 'list', '--fields', 'agent,sate'], 'Did you mean state?'],
    [['agent', 'show'], 'Example: quarterdeck agent show pricer'],
    [['agent', 'show', 'a', 'b'], 'Example: quarterdeck agent show pricer'],
    [['job', 'add', 'x', '--payload', '{broken'], '--payload is not valid JSON'],
    [['agent', 'list', '--json', '-o', 'csv'], 'ask for two forms'],
    [['agent', 'list', '--timeout', 'soon'], '--timeout is not a number of seconds'],
    [['agent', 'list', '--url', 'deck.example.com:80'], 'is not the address of a server'],
    [['agent', 'list', '--url', 'http://ada:geheim@deck.example.com'], 'is not the address of a server'],
    [['api', 'GET', 'https://elsewhere.example/v1/me'], 'a path of the server'],
    [['api', 'GET', '//elsewhere.example/v1/me'], 'a path of the server'],
    [['api', 'FETCH', '/v1/me'], 'one of GET'],
  ])('%j: %s', async (words, said) => {
    const result = await run(words);
    expectRefusal(result, 2);
    expect(result.stderr).toContain(said);
  });

  it('are a problem on stdout for whoever asked for JSON', async () => {
    const { exitCode, stdout } = await run(['agent', 'list', '--state', 'helthy', '--json']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'usage', hint: expect.stringContaining('healthy') });
  });
});

describe('the exit code says what the server said', () => {
  it.each([
    [401, 4],
    [403, 4],
    [404, 3],
    [409, 5],
    [422, 2],
    [429, 6],
    [504, 8],
    [500, 1],
    [503, 1],
  ])('%i is %i', async (status, exitCode) => {
    server.json('/v1/me', { code: 'test.refused', detail: 'No\u001b[2J', hint: 'Do\u009b.' }, status);
    const result = await run(['me']);
    expectRefusal(result, exitCode);
    expect(result.stderr).toContain('No\\u001b[2J (test.refused)\nDo\\u009b.');
    const asJson = await run(['me', '--json']);
    expectRefusal(asJson, exitCode);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ code: 'test.refused', detail: 'No\u001b[2J' });
  });
});

describe('a server that is none', () => {
  it('answers HTML: 1, in words', async () => {
    server.on('/v1/me', (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>'),
    );
    const result = await run(['me']);
    expectRefusal(result, 1);
    expect(result.stderr).toContain('not JSON');
  });

  it.each([
    ['broken JSON', '{"a":'],
    ['a bare text', '"ready"'],
    ['nothing', ''],
  ])('answers %s: 1, in words', async (_, body) => {
    server.on('/v1/me', (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(body),
    );
    expectRefusal(await run(['me']), 1);
  });

  it('breaks off in the middle: 1, in words', async () => {
    server.on('/v1/me', (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"a":1', () => response.destroy());
    });
    expectRefusal(await run(['me']), 1);
  });

  it('sends on to another: the token is not carried there', async () => {
    const elsewhere = await openStandIn();
    onTestFinished(() => elsewhere.close());
    server.on('/v1/me', (_, response) => response.writeHead(307, { location: `${elsewhere.url}/v1/me` }).end());
    const result = await run(['me']);
    expectRefusal(result, 1);
    expect(result.stderr).toContain(elsewhere.url);
    expect(elsewhere.asked).toEqual([]);
  });

  it('never answers: 8 when the time is up', async () => {
    server.on('/v1/me', () => undefined);
    expectRefusal(await run(['me', '--timeout', '0.3']), 8);
  });

  it('is not there: 7', async () => {
    const gone = createServer();
    const port = await listenerPort(gone);
    await new Promise((done) => gone.close(done));
    const result = await run(['me'], { QUARTERDECK_URL: `http://127.0.0.1:${port}` });
    expectRefusal(result, 7);
    expect(result.stderr).toContain('ECONNREFUSED');
  });

  it('is a name that nobody knows: 7', async () => {
    expectRefusal(await run(['me'], { QUARTERDECK_URL: 'http://nobody.invalid' }), 7);
  });
});

describe('the token of this machine', () => {
  it('is not sent to a server elsewhere because an address was typed', async () => {
    const data = join(home, 'data');
    mkdirSync(join(data, 'run'), { recursive: true });
    writeFileSync(join(data, 'operator.token'), `${TOKEN}\n`, { mode: 0o600 });
    const { findConnection } = await import('./connection.ts');
    const env = { HOME: home, QUARTERDECK_DATA: data };
    expect(await findConnection({ url: 'https://elsewhere.example' }, env)).toEqual({
      url: 'https://elsewhere.example',
      token: undefined,
    });
    // An installation with an address of its own is known by what it recorded.
    writeFileSync(join(data, 'run', 'api.json'), JSON.stringify({ url: 'https://deck.example' }));
    expect(await findConnection({ url: 'https://deck.example/' }, env)).toMatchObject({ token: TOKEN });
    expect(await findConnection({ url: 'http://127.0.0.1:4600' }, env)).toMatchObject({ token: TOKEN });
  });
});

describe('what is printed', () => {
  const event = {
    cursor: 'c1',
    at: 'now',
    source_agent: 'a',
    event_type: 't',
    subject: '\u001b]0;owned\u0007',
    payload: {},
  };

  it.each(['table', 'json', 'ndjson', 'yaml', 'csv', 'id'])(
    'has nothing in it that a terminal obeys: %s',
    async (format) => {
      server.json('/v1/events', { items: [{ ...event, cursor: '\u009b2Jc1' }], next_cursor: '\u001b[2J', as_of: 'c1' });
      const { exitCode, stdout, stderr } = await run(['event', 'list', '-o', format]);
      expect(exitCode).toBe(0);
      expect(stdout).not.toMatch(UNSAFE);
      expect(stderr).not.toMatch(UNSAFE);
      expect(stdout).toContain('\\u009b2Jc1');
    },
  );

  it('has nothing in it that a terminal obeys: what an agent printed', async () => {
    const text = 'one\r\n\u001b[31mred\u001b[0m \u001b[2J\u001b]8;;http://x\u0007link\n';
    server.json('/v1/agents/a/console', { text, offset: 0, next_offset: 9, first_offset: 0 });
    const { stdout } = await run(['agent', 'logs', 'a']);
    expect(stdout).toBe('one\nred \\u001b[2J\\u001b]8;;http://x\\u0007link\n');
    const exact = await run(['agent', 'logs', 'a', '--json']);
    expect(JSON.parse(exact.stdout).text).toBe(text);
  });

  it('into a pipe that is closed ends without a word', async () => {
    const items = Array.from({ length: 500 }, (_, i) => ({ ...event, subject: `${i}`.padEnd(2000, 'x') }));
    server.json('/v1/events', { items, next_cursor: null, as_of: 'c1' });
    const child = spawn(process.execPath, [MAIN, 'event', 'list', '--json'], {
      env: plainEnvironment(home, { QUARTERDECK_URL: server.url, QUARTERDECK_TOKEN: TOKEN }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(0);
    expect(said.replace(/^.*ExperimentalWarning.*\n.*\n/, '')).toBe('');
  });
});

describe('quarterdeck api', () => {
  it('sends what was typed with the token, and prints the answer', async () => {
    server.json('/v1/things', { items: [{ id: 'x', name: '\u009b' }] }, 201);
    server.asked.length = 0;
    const { exitCode, stdout } = await run([
      ...['api', 'post', '/v1/things?a=1', '--query', 'b=2,3', '--query', 'c= &'],
      ...['-d', '{"x":1}', '-H', 'Idempotency-Key: k1'],
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toBe('{\n  "items": [\n    {\n      "id": "x",\n      "name": "\\u009b"\n    }\n  ]\n}\n');
    expect(server.asked).toEqual([
      { line: 'POST /v1/things?a=1&b=2%2C3&c=+%26', authorization: `Bearer ${TOKEN}`, body: '{"x":1}' },
    ]);
  });

  it('takes its body from a file, and says when there is none', async () => {
    server.json('/v1/things', {});
    writeFileSync(join(home, 'body.json'), '{"from":"file"}');
    server.asked.length = 0;
    expect((await run(['api', 'PUT', '/v1/things', '-d', '@body.json'])).exitCode).toBe(0);
    expect(server.asked[0]?.body).toBe('{"from":"file"}');
    expectRefusal(await run(['api', 'PUT', '/v1/things', '-d', '@missing.json']), 2);
  });

  it.each(['Authorization: Bearer other', 'Host: elsewhere', 'no header', 'X-A: a\nX-B: b'])(
    'refuses the header %j',
    async (line) => {
      const before = server.asked.length;
      expectRefusal(await run(['api', 'GET', '/v1/things', '-H', line]), 2);
      expect(server.asked.length).toBe(before);
    },
  );
});
