// Eight workers in three processes share two limited channels while workers, engine, api and PostgreSQL are killed -9. No
// window ever holds more than it allows and never more run than may, neither by the times of the database nor by what the
// workers wrote down; no lease is given twice, and every job ends once.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Installation, startInstallation } from '../support/installation.ts';
import { killer } from './killer.ts';
import { note, seededRandom } from './random.ts';

const WORKER = fileURLToPath(new URL('./channel-worker.ts', import.meta.url));
const LOOPS = [3, 3, 2];
const KILLS = 8;
const JOBS = { wide: 400, narrow: 60 };
const NARROW = { limit: 12, window_seconds: 4 };
const CONCURRENCY = 3;
const LEASE_MS = 5_000;
const CONFIG = `channels:
  wide: { concurrency: ${CONCURRENCY} }
  narrow: { limits: [{ limit: ${NARROW.limit}, window_seconds: ${NARROW.window_seconds} }] }
`;

interface Grant {
  readonly job: string;
  readonly attempt: number;
  readonly channel: string;
  readonly from: number;
  to: number;
}

describe('limited channels while workers and parts are killed', () => {
  it('allow no more than they say, and every job ends once', { timeout: 240_000 }, async () => {
    const random = seededRandom();
    const installation = await startInstallation({ config: CONFIG });
    onTestFinished(() => installation.stop());
    const crew = await muster(installation);
    const channelOf = new Map<string, string>();
    for (const [channel, count] of Object.entries(JOBS)) {
      const jobs = Array.from({ length: count }, () => ({ kind: channel, channel, max_attempts: 100 }));
      for (const { id } of (await ask(installation, 'POST', '/v1/jobs', { jobs })).jobs) channelOf.set(id, channel);
    }

    const kill = killer(installation, random, () => crew.parts());
    const killed: string[] = [];
    while (killed.length < KILLS) {
      await pause(random.between(800, 2_000));
      const name = await kill();
      if (name !== undefined) killed.push(name);
    }
    await untilAllEnded(installation);
    await crew.stop();

    const grants = await grantsFromLog(installation, channelOf);
    expect(new Set(grants.map(({ job, attempt }) => `${job}#${attempt}`)).size).toBe(grants.length);
    const narrow = grants.filter(({ channel }) => channel === 'narrow').map(({ from }) => from);
    expect(mostWithin(narrow, NARROW.window_seconds * 1_000)).toBeLessThanOrEqual(NARROW.limit);
    const wide = grants.filter(({ channel }) => channel === 'wide');
    expect(mostAtOnce(wide)).toBeLessThanOrEqual(CONCURRENCY);
    // The limit was felt: the test would say nothing otherwise.
    expect(mostAtOnce(wide)).toBe(CONCURRENCY);
    expect(mostWithin(narrow, NARROW.window_seconds * 1_000)).toBeGreaterThan(NARROW.limit / 2);
    expect(mostAtOnce(crew.heldOf('wide'))).toBeLessThanOrEqual(CONCURRENCY);

    const ended = await allEnded(installation);
    expect(ended.filter(({ state }) => state !== 'done')).toEqual([]);
    expect(ended.map(({ id }) => id).sort()).toEqual([...channelOf.keys()].sort());
    note(`killed ${killed.join(', ')}; ${grants.length} grants for ${channelOf.size} jobs`);
  });
});

/** Three processes of workers; each is started again when it is killed, until they are stopped. */
async function muster(installation: Installation) {
  const children = new Map<string, ChildProcess>();
  const files: string[] = [];
  let over = false;
  const start = (name: string, tokens: readonly string[]) => {
    const file = join(installation.dir, `${name}-${files.length}.ndjson`);
    files.push(file);
    const child = spawn(process.execPath, [WORKER, installation.url, file, ...tokens], { stdio: 'ignore' });
    children.set(name, child);
    child.once('exit', () => {
      children.delete(name);
      if (!over) start(name, tokens);
    });
  };
  const stop = async () => {
    over = true;
    const living = [...children.values()];
    await Promise.all(
      living.map(async (child) => {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }),
    );
  };
  onTestFinished(stop);
  for (const [n, loops] of LOOPS.entries()) {
    const tokens = [];
    for (let loop = 0; loop < loops; loop++) {
      tokens.push((await ask(installation, 'POST', '/v1/agents', { agent: `worker-${n}-${loop}` })).token);
    }
    start(`worker-${n}`, tokens);
  }
  return {
    parts: () => [...children].flatMap(([name, { pid }]) => (pid === undefined ? [] : [{ name, pid }])),
    stop,
    /** What the workers wrote down of this channel. A line that a kill cut short is left out. */
    heldOf: (channel: string): Grant[] =>
      files
        .filter(existsSync)
        .flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1))
        .map((line) => JSON.parse(line))
        .filter((held) => held.channel === channel),
  };
}

// When each grant began and ended by the database's clock: the lease says when it was given, and the event of the
// outcome, which comes before the transaction's end, when it was over at the earliest.
async function grantsFromLog(installation: Installation, channelOf: ReadonlyMap<string, string>): Promise<Grant[]> {
  const open = new Map<string, Grant>();
  const grants: Grant[] = [];
  for (let after = ''; ; ) {
    const page = await ask(installation, 'GET', `/v1/events?event_type=work.job.*&order=asc&limit=500${after}`);
    for (const { event_type, at, payload } of page.items) {
      for (const { id, attempt, lease_until } of payload.jobs) {
        if (event_type === 'work.job.claimed') {
          const from = Date.parse(lease_until) - LEASE_MS;
          const grant = { job: id, attempt, channel: channelOf.get(id)!, from, to: Number.POSITIVE_INFINITY };
          grants.push(grant);
          open.set(id, grant);
        } else if (event_type === 'work.job.completed' || event_type === 'work.job.lost') {
          open.get(id)!.to = Date.parse(at);
        }
      }
    }
    if (page.next_cursor === null || page.items.length === 0) return grants;
    after = `&after=${encodeURIComponent(page.next_cursor)}`;
  }
}

/** Most of these moments in any stretch of that length. */
function mostWithin(moments: readonly number[], lengthMs: number): number {
  const sorted = [...moments].sort((a, b) => a - b);
  let first = 0;
  return sorted.reduce((most, moment, place) => {
    while (sorted[first]! <= moment - lengthMs) first++;
    return Math.max(most, place - first + 1);
  }, 0);
}

/** Most of these that hold at one moment; what ends when another begins does not count. */
function mostAtOnce(spans: readonly Pick<Grant, 'from' | 'to'>[]): number {
  const steps = spans.flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ]);
  steps.sort((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  return steps.reduce((most, { by }) => {
    now += by;
    return Math.max(most, now);
  }, 0);
}

async function untilAllEnded(installation: Installation): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const left = await ask(installation, 'GET', '/v1/work/summary').catch(() => undefined);
    if (left !== undefined && left.queued + left.running + left.scheduled === 0) return;
    if (performance.now() > deadline) throw new Error(`not all ended: ${JSON.stringify(left)}`);
    await pause(200);
  }
}

async function allEnded(installation: Installation): Promise<{ id: string; state: string }[]> {
  const items = [];
  for (let after = ''; ; ) {
    const page = await ask(installation, 'GET', `/v1/jobs?limit=500${after}`);
    items.push(...page.items);
    if (page.next_cursor === null) return items;
    after = `&after=${encodeURIComponent(page.next_cursor)}`;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
async function ask({ url, token }: Installation, method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

// Until the next kill: what is chosen here, not a wait for something to happen.
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
