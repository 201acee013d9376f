// `quarterdeck job work` as a user runs it, against a real server.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openTestServer, type TestServer } from '../../../../../test/support/server.ts';

const MAIN = resolve(import.meta.dirname, '../../../../main.ts');
const PATIENCE = { timeout: 30_000, interval: 50 };

/** A command that says who it is by the credential it was given. */
const INSPECT = `
import { readFileSync } from 'node:fs';
const { QUARTERDECK_URL, QUARTERDECK_TOKEN, QUARTERDECK_JOB } = process.env;
const answer = await fetch(QUARTERDECK_URL + '/v1/me', { headers: { authorization: 'Bearer ' + QUARTERDECK_TOKEN } });
const payload = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify({ payload, me: (await answer.json()).kind, job: QUARTERDECK_JOB }));
`;

let t: TestServer;
let dir: string;
beforeAll(async () => {
  t = await openTestServer();
});
afterAll(() => t.close());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-job-work-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

interface Started {
  readonly child: ChildProcess;
  said(): string;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

function start(token: string, ...words: string[]): Started {
  const child = spawn(process.execPath, [MAIN, 'job', 'work', ...words], {
    cwd: dir,
    env: { PATH: process.env['PATH'], HOME: dir, QUARTERDECK_URL: t.url, QUARTERDECK_TOKEN: token },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    said += part;
  });
  const closed = once(child, 'close');
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await closed;
    return child.exitCode;
  };
  onTestFinished(async () => {
    // Polite first: a worker that is killed leaves its commands behind.
    const limit = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await end('SIGTERM');
    clearTimeout(limit);
  });
  return { child, said: () => said, end };
}

async function ask(method: string, path: string, body?: unknown) {
  const answer = await t.request(method, path, { token: await t.operatorToken(), body });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body;
}

async function add(kind: string, payload: object = {}, queue = 'shell'): Promise<string> {
  return (await ask('POST', '/v1/jobs', { kind, queue, payload })).jobs[0].id;
}

const comesTo = (job: string, state: string) =>
  vi.waitFor(async () => {
    const found = await ask('GET', `/v1/jobs/${job}`);
    expect(found).toMatchObject({ state });
    return found;
  }, PATIENCE);

const textOf = (name: string) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8').trim() : '');

function isAlive(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
}

describe('job work', () => {
  it('gives payload and surroundings to the command, and takes its last line as the result', async () => {
    writeFileSync(join(dir, 'inspect.mjs'), INSPECT);
    const print = `"${process.execPath}" inspect.mjs`;
    start(await t.agentToken('shell-1'), '--queues', 'shell', '--exec', `echo starting; ${print}`);
    const id = await add('inspect', { sku: 'A1' });
    expect(await comesTo(id, 'done')).toMatchObject({ result: { payload: { sku: 'A1' }, me: 'job', job: id } });
  });

  it('fails for good, tries again later, or lets a payload lie, as the exit code says', async () => {
    const command = 'case $QUARTERDECK_JOB_KIND in bad) echo "no such sku" >&2; exit 3;; later) exit 75;; esac';
    const worker = start(await t.agentToken('shell-2'), '--queues', 'shell', '--exec', command, '--concurrency', '3');
    const [bad, later, fine] = [await add('bad'), await add('later'), await add('fine', { x: 'y'.repeat(100_000) })];
    expect(await comesTo(bad, 'dead')).toMatchObject({ error: 'the command ended with exit code 3: no such sku' });
    expect(await comesTo(later, 'scheduled')).toMatchObject({ error: 'the command ended with exit code 75' });
    expect(await comesTo(fine, 'done')).toMatchObject({ result: null });
    expect(worker.said()).toContain('no such sku');
  });

  it('ends the whole process group when the job is cancelled', async () => {
    const command = 'sleep 600 & echo $! > pid; wait';
    const words = ['--queues', 'shell', '--lease-seconds', '5', '--exec', command];
    const worker = start(await t.agentToken('shell-3'), ...words);
    const id = await add('long');
    await vi.waitFor(() => expect(textOf('pid')).not.toBe(''), PATIENCE);
    const pid = textOf('pid');
    expect(isAlive(pid)).toBe(true);
    await ask('POST', '/v1/jobs/cancellations', { jobs: [id], reason: 'not wanted' });
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), PATIENCE);
    await vi.waitFor(() => expect(worker.said()).toContain('was lost'), PATIENCE);
    expect(await comesTo(id, 'cancelled')).toMatchObject({ error: 'not wanted' });
  });

  it('finishes what runs when it is told to leave, and gives back what does not end in time', async () => {
    const command = 'echo x >> begun; while [ ! -f go ]; do sleep 0.1; done; echo 1';
    const token = await t.agentToken('shell-4');
    const words = ['--queues', 'leaving', '--exec', command, '--stop-seconds'];
    const hurried = start(token, ...words, '0');
    const id = await add('waits', {}, 'leaving');
    await vi.waitFor(() => expect(textOf('begun')).toBe('x'), PATIENCE);
    expect(await hurried.end('SIGTERM'), hurried.said()).toBe(0);
    const given = await ask('GET', `/v1/jobs/${id}`);
    expect(given).toMatchObject({ error: 'the worker left' });
    expect(['queued', 'scheduled']).toContain(given.state);
    await t.app.work.queueDue(t.app.systemCall());
    const patient = start(token, ...words, '60');
    await vi.waitFor(() => expect(textOf('begun')).toBe('x\nx'), PATIENCE);
    const ended = patient.end('SIGTERM');
    writeFileSync(join(dir, 'go'), '');
    expect(await ended, patient.said()).toBe(0);
    expect(await comesTo(id, 'done')).toMatchObject({ result: 1 });
  });

  it('is for agents, and says what to do', async () => {
    const operator = start(await t.operatorToken(), '--queues', 'shell', '--exec', 'true');
    await vi.waitFor(() => expect(operator.child.exitCode).toBe(4), PATIENCE);
    expect(operator.said()).toContain('quarterdeck agent add');
    const nothing = start(await t.agentToken('shell-5'), '--exec', 'true');
    await vi.waitFor(() => expect(nothing.child.exitCode).toBe(2), PATIENCE);
    expect(nothing.said()).toContain('work on what?');
  });
});
