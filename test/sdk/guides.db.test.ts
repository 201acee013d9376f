// The programs in the guides are run as they stand there, beside the SDKs as a user has them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { placeSdks } from '../../src/interfaces/cli/local/example-sdks.ts';
import { openTestServer, type TestServer } from '../support/server.ts';
import { findPython } from './python.ts';

const GUIDES = resolve(import.meta.dirname, '../../docs/guides');
const PATIENCE = { timeout: 15_000, interval: 50 };

let t: TestServer;
let dir: string;
beforeAll(async () => {
  t = await openTestServer();
  dir = mkdtempSync(join(tmpdir(), 'qd-guides-'));
  mkdirSync(join(dir, 'agents'));
  placeSdks(dir);
});
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true });
  await t.close();
});

interface Program {
  readonly process: ChildProcess;
  printed(): string;
  readonly ended: Promise<number | null>;
}

/** Starts the program that stands below the heading, as the agent `pricer`. */
async function start(guide: string, heading: string, command: string): Promise<Program> {
  const text = readFileSync(join(GUIDES, guide), 'utf8');
  const section = text.slice(text.indexOf(`## ${heading}\n`)).split(/\n## /)[0]!;
  const code = /```(?:js|python)\n([\s\S]*?)```/.exec(section)![1]!;
  const file = join(dir, 'agents', guide.includes('python') ? 'guide.py' : 'guide.mjs');
  writeFileSync(file, code);
  const child = spawn(command, [file], {
    cwd: dir,
    env: {
      PATH: process.env['PATH'] ?? '',
      QUARTERDECK_URL: t.url,
      QUARTERDECK_AGENT: 'pricer',
      QUARTERDECK_TOKEN: await t.agentToken('pricer'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (part: string) => {
      printed += part;
    });
  }
  const ended = once(child, 'close').then(() => child.exitCode);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { process: child, printed: () => printed, ended };
}

async function ask(method: string, path: string, body?: unknown) {
  const answer = await t.request(method, path, { token: await t.operatorToken(), body });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body;
}

const events = async (type: string) => (await ask('GET', `/v1/events?event_type=${type}&order=desc`)).items;

describe.each([
  ['sdk-typescript.md', process.execPath],
  ['sdk-python.md', findPython()],
])('the programs of %s', (guide, command) => {
  const isMissing = command === undefined;

  it.skipIf(isMissing)('first event: it is in the log', async () => {
    const program = await start(guide, 'First event', command!);
    expect(await program.ended, program.printed()).toBe(0);
    const [newest] = await events('price.checked');
    expect(newest).toMatchObject({ source_agent: 'pricer', payload: { sku: 'A1' } });
    expect(program.printed().trim()).toBe(newest.cursor);
  });

  it.skipIf(isMissing)('first worker: it does a job, and leaves when it is told to', async () => {
    const program = await start(guide, 'First worker', command!);
    const { jobs } = await ask('POST', '/v1/jobs', { kind: 'reprice', payload: { sku: guide } });
    await vi.waitFor(
      async () =>
        expect(await ask('GET', `/v1/jobs/${jobs[0].id}`), program.printed()).toMatchObject({
          state: 'done',
          agent: 'pricer',
          result: { price: 12.5 },
        }),
      PATIENCE,
    );
    expect((await events('price.checked'))[0]).toMatchObject({ payload: { sku: guide }, subject: `job:${jobs[0].id}` });
    program.process.kill('SIGTERM');
    expect(await program.ended, program.printed()).toBe(0);
    expect(program.printed()).toContain('leaves');
  });

  it.skipIf(isMissing)('every operation: a list to its end', async () => {
    const program = await start(guide, 'Every operation', command!);
    expect(await program.ended, program.printed()).toBe(0);
    expect(program.printed()).toMatch(/^job_/);
  });

  it.skipIf(isMissing)('live: it is told of what happens', async () => {
    const program = await start(guide, 'Live', command!);
    await vi.waitFor(async () => {
      await ask('POST', '/v1/events', { event_type: 'price.changed' });
      expect(program.printed()).toContain('price.changed');
    }, PATIENCE);
  });

  it.skipIf(isMissing)('events that survive: what was emitted arrives', async () => {
    const before = (await events('page.rendered')).length;
    const program = await start(guide, 'Events that survive', command!);
    expect(await program.ended, program.printed()).toBe(0);
    expect(await events('page.rendered')).toHaveLength(before + 1);
  });
});
