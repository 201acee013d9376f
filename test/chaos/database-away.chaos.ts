// The database is away for a while: hung, or cut off. Requests are refused quickly and truthfully, nothing is restarted
// or declared dead for it, and afterwards everything goes on by itself.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startEmbedded } from '../../src/platform/db/embedded/server.ts';
import { type Installation, startInstallation } from '../support/installation.ts';
import { startProxy } from '../support/tcp-proxy.ts';
import { frozenTree } from './frozen-tree.ts';
import { note } from './random.ts';
import { startReaders } from './readers.ts';

// One that only runs, and one that would be called silent after ten seconds without a line.
const MANIFEST = `agents:
  sleeper:
    command: [sleep, "100000"]
  talker:
    command: [sh, -c, "while :; do echo tick; sleep 0.5; done"]
    silence_limit: 10s
`;
/** Until the first refusal: what is under way when it goes away is given up by then. */
const NOTICED_MS = 2_600;
const REFUSED_MS = 300;
/** For a loaded machine, beyond what is promised. */
const NOISE_MS = 900;
const BACK = { timeout: 8_000, interval: 50 };
const LEASE_SECONDS = 12;

describe('the database is away', () => {
  it('hung for 30 seconds: refused quickly, nothing is restarted or declared dead, and all goes on', async () => {
    const installation = await startInstallation({ config: MANIFEST });
    onTestFinished(() => installation.stop());
    const postgres = (await installation.processes()).find(({ name }) => name === 'postgres')!;
    const frozen = frozenTree(postgres.pid);
    onTestFinished(() => frozen.thaw());
    await survives(installation, { begin: () => frozen.freeze(), end: () => frozen.thaw(), ms: 30_000 });
  });

  it('cut off for 10 seconds: the same, on a PostgreSQL of the operator’s own', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'qd-own-'));
    const own = await startEmbedded({ dataDir, log: () => undefined });
    onTestFinished(async () => {
      await own.stop();
      await rm(dataDir, { recursive: true, force: true });
    });
    const proxy = await startProxy(own.port);
    onTestFinished(() => proxy.close());
    const url = new URL(own.url);
    url.port = String(proxy.port);
    const installation = await startInstallation({ config: MANIFEST, env: { DATABASE_URL: url.href } });
    onTestFinished(() => installation.stop());
    await survives(installation, { begin: () => proxy.cut(), end: () => proxy.mend(), ms: 10_000 });
  });
});

interface Outage {
  begin(): Promise<void>;
  end(): Promise<void>;
  readonly ms: number;
}

async function survives(installation: Installation, outage: Outage): Promise<void> {
  const ask = asker(installation.url, installation.token);
  const worker = asker(installation.url, await workerToken(ask));
  const agentsBefore = await healthyAgents(ask);
  const partsBefore = await installation.processes();
  const start = (await ask('GET', '/v1/events?limit=1')).body.as_of as string;
  const readers = startReaders(installation, 'type:away.*', start);
  onTestFinished(() => {
    for (const reader of readers) reader.stop();
  });
  await append(ask, 'before');
  await Promise.all(readers.map((reader) => reader.until('before')));
  await ask('POST', '/v1/jobs', { jobs: [{ kind: 'long', payload: {} }] });
  const held = (await worker('POST', '/v1/jobs/claims', { queues: ['long'], lease_seconds: LEASE_SECONDS })).body
    .jobs[0];
  const waiting = worker('POST', '/v1/jobs/claims', { queues: ['later'], wait: 25 });

  await outage.begin();
  const stoppedAt = performance.now();
  const requests = [
    () => ask('GET', '/v1/events?limit=1'),
    () => ask('GET', '/v1/agents'),
    () => ask('POST', '/v1/events', { event_type: 'away.never', payload: {} }),
    () => ask('POST', '/v1/jobs', { jobs: [{ kind: 'never', payload: {} }] }),
    () => worker('POST', '/v1/jobs/claims', { queues: ['long'], wait: 20 }),
  ];
  for (const answer of await Promise.all(requests.map((request) => request()))) expectRefusal(answer, NOTICED_MS);
  const noticedMs = performance.now() - stoppedAt;
  const refusals: number[] = [];
  while (performance.now() - stoppedAt < outage.ms) {
    for (const answer of await Promise.all(requests.map((request) => request()))) {
      expectRefusal(answer, REFUSED_MS);
      refusals.push(answer.ms);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await outage.end();

  const endedAt = performance.now();
  await vi.waitFor(async () => expect((await ask('GET', '/v1/events?limit=1')).status).toBe(200), BACK);
  const backMs = performance.now() - endedAt;
  await append(ask, 'after');
  await vi.waitFor(() => {
    for (const { transport, resets, seen } of readers) {
      expect({ transport, resets, seen: seen.map(({ id }) => id) }).toEqual({
        transport,
        resets: 0,
        seen: ['before', 'after'],
      });
    }
  }, BACK);
  const readMs = performance.now() - endedAt;
  // Its lease ran out while nobody could renew it.
  const renewed = await worker('POST', '/v1/jobs/renewals', { jobs: [{ id: held.id, lease: held.lease }] });
  expect(renewed.body).toMatchObject({ renewed: [{ id: held.id }], lost: [] });
  const ended = { id: held.id, lease: held.lease, outcome: 'done', result: {} };
  expect((await worker('POST', '/v1/jobs/completions', { jobs: [ended] })).body).toMatchObject({ accepted: [held.id] });
  // A claim that waited all the while gets what is added now.
  await ask('POST', '/v1/jobs', { jobs: [{ kind: 'later', payload: {} }] });
  const claimed = await waiting;
  expect(claimed.status === 200 ? claimed.body.jobs : await claimLater(worker)).toHaveLength(1);

  await vi.waitFor(async () => expect(await healthyAgents(ask)).toEqual(agentsBefore), BACK);
  expect(await installation.processes()).toEqual(partsBefore);
  const { items } = (await ask('GET', `/v1/events?after=${start}&limit=500`)).body;
  const types = (items as { event_type: string }[]).map(({ event_type }) => event_type);
  expect(types.filter((type) => /silent|crashed|ended|lost|failed|never/.test(type))).toEqual([]);
  expect(types.filter((type) => type.startsWith('away.'))).toEqual(['away.before', 'away.after']);
  expect(readFileSync(join(installation.dataDir, 'logs', 'keeper.log'), 'utf8')).not.toMatch(/ended|does not answer/);
  refusals.sort((a, b) => a - b);
  const p95 = refusals[Math.floor(refusals.length * 0.95)]!;
  note(`noticed ${ms(noticedMs)}, refused p95 ${ms(p95)}, back ${ms(backMs)}, read ${ms(readMs)}`);
}

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  readonly body: any;
  readonly retryAfter: string | null;
  readonly ms: number;
}

type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>;

function asker(url: string, token: string): Ask {
  return async (method, path, body) => {
    const startedAt = performance.now();
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: JSON.parse(text),
      retryAfter: response.headers.get('retry-after'),
      ms: performance.now() - startedAt,
    };
  };
}

function expectRefusal({ status, body, retryAfter, ms }: Answer, promisedMs: number): void {
  expect({ status, code: body.code, retryable: body.retryable, retryAfter }).toEqual({
    status: 503,
    code: 'unavailable',
    retryable: true,
    retryAfter: '1',
  });
  expect(ms).toBeLessThan(promisedMs + NOISE_MS);
}

async function workerToken(ask: Ask): Promise<string> {
  return (await ask('POST', '/v1/agents', { agent: 'worker', kind: 'external' })).body.token;
}

async function append(ask: Ask, id: string): Promise<void> {
  const answer = await ask('POST', '/v1/events', { event_type: `away.${id}`, id, payload: {} });
  expect(answer).toMatchObject({ status: 201 });
}

async function claimLater(worker: Ask): Promise<unknown[]> {
  return (await worker('POST', '/v1/jobs/claims', { queues: ['later'], wait: 5 })).body.jobs;
}

/** Pids and restarts of the supervised agents; throws unless all are well. */
async function healthyAgents(ask: Ask): Promise<unknown[]> {
  return vi.waitFor(async () => {
    const { items } = (await ask('GET', '/v1/agents')).body;
    const supervised = (items as { agent: string; state: string; pid: number | null; restarts: number }[]).filter(
      ({ agent }) => agent !== 'worker',
    );
    expect(supervised.map(({ agent, state }) => ({ agent, state }))).toEqual([
      { agent: 'sleeper', state: 'healthy' },
      { agent: 'talker', state: 'healthy' },
    ]);
    return supervised.map(({ agent, pid, restarts }) => ({ agent, pid, restarts }));
  }, BACK);
}

const ms = (value: number) => `${Math.round(value)} ms`;
