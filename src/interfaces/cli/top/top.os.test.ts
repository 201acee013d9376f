// `top` on a terminal: it shows, follows, fits, and whatever ends it, the terminal is what it was.
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findPython } from '../../../../test/sdk/python.ts';
import { plainEnvironment, runQuarterdeck } from '../../../../test/support/installation.ts';
import { openStandIn, type StandIn } from '../../../../test/support/stand-in.ts';
import { openTerminal, type Terminal } from '../../../../test/support/terminal.ts';
import { summary } from '../../../domains/work/operations.ts';

const MAIN = resolve(import.meta.dirname, '../../../main.ts');
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const python = findPython();
const why = python === undefined ? ' (skipped: there is no Python ≥ 3.9 here)' : '';

let home: string;
let server: StandIn;
/** The feed that was opened last. */
let feed: PromiseWithResolvers<ServerResponse>;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'qd-top-'));
  server = await openStandIn();
});
afterAll(async () => {
  await server?.close();
  rmSync(home, { recursive: true, force: true });
});

const event = (cursor: string, type: string) => ({
  cursor,
  at: '2026-01-01T00:00:00Z',
  source_agent: 'scout',
  event_type: type,
  subject: 'job:\u001b[2J',
});

function serve(agents = 3): void {
  feed = Promise.withResolvers();
  const items = Array.from({ length: agents }, (_, i) => ({
    agent: `agent-${i}`,
    tenant: 'acme',
    state: i === 0 ? 'late' : 'healthy',
    state_reason: 'Silent for 94 s.',
    status: 'counting',
  }));
  server.json('/v1/status', {
    agents: { total: agents, by_state: { healthy: agents - 1, late: 1 } },
    needs: [{ severity: 'warn', subject: 'agent-0', text: 'it is late', command: 'quarterdeck agent show agent-0' }],
    events_per_second: 1.5,
  });
  server.json('/v1/agents', { items });
  server.json(summary.path, {
    running: 2,
    queued: 7,
    dead_1h: 0,
    oldest_queued_seconds: 12,
    queues: [{ queue: 'prices', queued: 7, running: 2 }],
  });
  server.json('/v1/events', { items: [event('c2', 'price.second'), event('c1', 'price.first')] });
  server.on('/v1/live', (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: state\ndata: {"state":"resumed"}\n\n');
    feed.resolve(response);
  });
}

const environment = () =>
  plainEnvironment(home, { QUARTERDECK_URL: server.url, QUARTERDECK_TOKEN: 'qd_operator_top', TERM: 'xterm-256color' });

async function openTop(...nodeOptions: string[]): Promise<Terminal> {
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', ...nodeOptions, MAIN, 'top'];
  const terminal = openTerminal(python!, command, { env: environment(), cwd: home });
  onTestFinished(() => terminal.close());
  await terminal.until((drawn) => drawn.includes('price.first'));
  return terminal;
}

/** Each picture, as lines. */
const pictures = (drawn: string) =>
  drawn
    .split('\u001b[?2026h\u001b[H')
    .slice(1)
    .map((picture) => picture.split('\r\n'));
// biome-ignore lint/suspicious/noControlCharactersInRegex: what the picture itself is drawn with
const withoutStyle = (line: string) => line.replace(/\u001b\[[?\d;]*[A-Za-z]/g, '');

describe.skipIf(python === undefined)(`top on a terminal${why}`, () => {
  it('shows the fleet, and q leaves the terminal as it was', async () => {
    serve();
    const terminal = await openTop();
    const shown = pictures(terminal.drawn)[0]!.map(withoutStyle).join('\n');
    expect(shown).toContain('Fleet  3 agents  2 healthy  1 late   Jobs  2 running  7 queued (oldest 12s)');
    expect(shown).toContain('NEEDS YOU 1');
    expect(shown).toMatch(/agent-1 +acme +healthy +counting/);
    expect(shown).toContain('price.second');
    expect(shown).toContain('job:\\u001b');
    terminal.type('q');
    expect(await terminal.ended()).toEqual({ exit: 0, restored: true });
    expect(terminal.drawn.startsWith(ENTER)).toBe(true);
    expect(terminal.drawn.endsWith(LEAVE)).toBe(true);
  });

  it.each([
    ['Ctrl-C', (terminal: Terminal) => terminal.type('\u0003'), 130],
    ['SIGTERM', (terminal: Terminal) => terminal.signal('SIGTERM'), 143],
    ['SIGHUP', (terminal: Terminal) => terminal.signal('SIGHUP'), 129],
  ])('%s leaves the terminal as it was', async (_, end, exit) => {
    serve();
    const terminal = await openTop();
    end(terminal);
    expect(await terminal.ended()).toEqual({ exit, restored: true });
    expect(terminal.drawn.endsWith(LEAVE)).toBe(true);
  });

  it('a token that is refused in the middle ends it in words, on the ordinary screen', async () => {
    serve();
    const terminal = await openTop();
    server.json(
      '/v1/status',
      { code: 'unauthenticated', detail: 'This request needs a credential', hint: 'Sign in.' },
      401,
    );
    expect(await terminal.ended()).toEqual({ exit: 4, restored: true });
    const after = terminal.drawn.slice(terminal.drawn.lastIndexOf(LEAVE));
    expect(after).toContain('This request needs a credential (unauthenticated)');
  });

  it('a crash leaves the terminal as it was, and its words are seen', async () => {
    serve();
    const fault = "process.on('SIGUSR2', () => { throw new Error('a fault') })";
    const terminal = await openTop(`--import=data:text/javascript,${encodeURIComponent(fault)}`);
    terminal.signal('SIGUSR2');
    expect(await terminal.ended()).toEqual({ exit: 1, restored: true });
    expect(terminal.drawn.slice(terminal.drawn.lastIndexOf(LEAVE))).toContain('a fault');
  });

  it('shows an event when it happens', async () => {
    serve();
    const terminal = await openTop();
    (await feed.promise).write(`id: c3\nevent: event\ndata: ${JSON.stringify(event('c3', 'price.third'))}\n\n`);
    await terminal.until((drawn) => drawn.includes('price.third'));
    terminal.type('q');
    await terminal.ended();
  });

  it('says that the server is away, and goes on when it is back', async () => {
    serve();
    const terminal = await openTop();
    server.on('/v1/status', (_, response) => response.destroy());
    await terminal.until((drawn) => drawn.includes('away: '));
    const before = terminal.drawn.length;
    serve(5);
    await terminal.until((drawn) => drawn.includes('Fleet  5 agents'), before);
    terminal.type('q');
    expect(await terminal.ended()).toEqual({ exit: 0, restored: true });
  });

  it('fits the terminal again when its size changes, and scrolls what has no room', async () => {
    serve(60);
    const terminal = await openTop();
    const before = terminal.drawn.length;
    terminal.resize(16, 44);
    // A size that changes is told while the picture of before may still be under way.
    await terminal.until((drawn) => pictures(drawn).some((lines) => lines.length === 16), before);
    const last = pictures(terminal.drawn.slice(before)).findLast((lines) => lines.length === 16)!;
    expect(Math.max(...last.map((line) => withoutStyle(line).length))).toBeLessThanOrEqual(44);
    expect(last.join('\n')).not.toContain('agent-59');
    for (let page = 0; page < 7; page++) terminal.type('\u001b[6~');
    await terminal.until((drawn) => drawn.includes('agent-59'), before);
    terminal.type('q');
    await terminal.ended();
  });

  it('a terminal of no size and of one line is no reason to fail', async () => {
    serve();
    const terminal = await openTop();
    for (const [rows, columns] of [
      [1, 1],
      [0, 0],
      [2, 3],
    ] as const) {
      const before = terminal.drawn.length;
      terminal.resize(rows, columns);
      await terminal.until((drawn) => pictures(drawn).length > 0, before);
    }
    terminal.type('q');
    expect(await terminal.ended()).toEqual({ exit: 0, restored: true });
  });
});

describe('top without a terminal', () => {
  const run = (...words: string[]) =>
    runQuarterdeck(['top', ...words], { HOME: home, QUARTERDECK_URL: server.url, QUARTERDECK_TOKEN: 'x' }, home);

  it('prints one picture and ends', async () => {
    serve();
    const { exitCode, stdout } = await run();
    expect(exitCode).toBe(0);
    expect(stdout).toContain('NEEDS YOU 1');
    expect(stdout).toContain('price.first');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not come out
    expect(stdout).not.toMatch(/\u001b/);
  });

  it('prints one document when that was asked for', async () => {
    serve();
    const { stdout } = await run('--json');
    expect(JSON.parse(stdout)).toMatchObject({ fleet: { agents: { total: 3 } }, work: { queued: 7 } });
  });

  it('leaves out what its token may not read', async () => {
    serve();
    server.json(summary.path, { code: 'denied', detail: 'Lacks work:read', hint: 'x' }, 403);
    const { exitCode, stdout } = await run();
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('Jobs');
  });

  it('is refused in words when nobody answers', async () => {
    const { exitCode, stdout, stderr } = await runQuarterdeck(
      ['top', '--url', 'http://127.0.0.1:9'],
      { HOME: home },
      home,
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: '' });
    expect(stderr).toContain('No server answers');
  });
});
