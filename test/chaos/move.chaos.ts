// The database moves to another PostgreSQL and back under a living installation: agents run on, jobs keep their leases,
// readers go on or are told `reset`, and nothing that was acknowledged is lost or there twice.
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startEmbedded } from '../../src/platform/db/embedded/server.ts';
import { readReport } from '../../src/roles/keeper/move/progress.ts';
import { type Installation, runQuarterdeck, startInstallation } from '../support/installation.ts';
import { note } from './random.ts';
import { startReaders } from './readers.ts';

const MANIFEST = `agents:
  sleeper:
    command: [sleep, "100000"]
  talker:
    command: [sh, -c, "while :; do echo tick; sleep 0.5; done"]
`;
const EVENTS = 200_000;
const LEASE_SECONDS = 12;
const LONG = { timeout: 30_000, interval: 100 };

interface Place {
  readonly url: string;
  readonly adminUrl: string;
  readonly urlFile: string;
}

it('to another PostgreSQL and back, with agents, readers, writers and a job under way', {
  timeout: 300_000,
}, async () => {
  const own = await startOwn();
  const installation = await startInstallation({ config: MANIFEST });
  onTestFinished(() => installation.stop());
  const embedded = adminUrlOf(installation.dataDir);
  await fillLog(embedded);

  const ask = asker(installation);
  const token = (await ask('POST', '/v1/agents', { agent: 'worker', kind: 'external' })).body.token;
  const worker = asker({ url: installation.url, token });
  const agents = await pidsOf(ask);
  const start = (await ask('GET', '/v1/events?limit=1&order=desc')).body.as_of as string;
  const readers = startReaders(installation, 'type:move.*', start);
  onTestFinished(() => {
    for (const reader of readers) reader.stop();
  });
  await ask('POST', '/v1/jobs', { jobs: [{ kind: 'long', payload: { n: 1 } }] });
  const claim = { queues: ['long'], lease_seconds: LEASE_SECONDS };
  const held = (await worker('POST', '/v1/jobs/claims', claim)).body.jobs[0];
  const holding = keepHolding(worker, held);
  onTestFinished(() => holding.stop());
  const writer = startWriter(ask);
  onTestFinished(() => writer.stop());
  await vi.waitFor(() => expect(writer.acknowledged.length).toBeGreaterThan(0), LONG);

  const there = await moved(installation, ['--url-file', own.urlFile]);
  expect(there).toMatchObject({ moved: true, verified: true, from: 'embedded', running: true });
  expect(there.rows).toBeGreaterThan(EVENTS);
  expect(await pidsOf(ask)).toEqual(agents);
  // Judged by more than the program's own measure: what was left is the beginning of what is there.
  const stopped = await startEmbedded({ dataDir: installation.dataDir, log: () => undefined });
  const left = await summaryOf(inDatabase(stopped.adminUrl));
  await stopped.stop();
  expect(await summaryOf(own.adminUrl, left.last)).toEqual(left);
  const between = (await ask('GET', '/v1/events?limit=1&order=desc')).body.as_of as string;

  const back = await moved(installation, ['embedded']);
  expect(back).toMatchObject({ moved: true, verified: true, to: 'embedded' });
  expect(await pidsOf(ask)).toEqual(agents);
  await holding.stop();
  expect(holding.lost).toEqual([]);
  expect(holding.renewals).toBeGreaterThan(1);
  const done = { id: held.id, lease: held.lease, outcome: 'done', result: {} };
  expect((await worker('POST', '/v1/jobs/completions', { jobs: [done] })).body).toMatchObject({ accepted: [held.id] });
  await vi.waitFor(async () => {
    const seen = writer.acknowledged.length;
    await vi.waitFor(() => expect(writer.acknowledged.length).toBeGreaterThan(seen), LONG);
  }, LONG);
  await writer.stop();
  expect(writer.refused).toEqual([]);

  // Everything that was acknowledged is there, once.
  const kept = await idsAfter(ask, start);
  const counts = new Map<string, number>();
  for (const id of kept ?? (await allIds(embedded))) counts.set(id, (counts.get(id) ?? 0) + 1);
  expect(writer.acknowledged.filter((id) => counts.get(id) !== 1)).toEqual([]);
  // A cursor of another database is refused, never taken for a place in this one.
  expect(await idsAfter(ask, between)).toBeUndefined();
  // A reader has seen all of it without a gap, or was told that it has not.
  for (const { transport, resets, seen } of readers) {
    const ids = new Set(seen.map(({ id }) => id));
    const missing = writer.acknowledged.filter((id) => !ids.has(id));
    expect({ transport, told: resets > 0 || missing.length === 0 }).toEqual({ transport, told: true });
  }
  const types = (await ask('GET', '/v1/events?order=desc&limit=500')).body.items.map(
    (event: { event_type: string }) => event.event_type,
  );
  expect(types.filter((type: string) => /silent|crashed|lost|failed/.test(type))).toEqual([]);
  note(`moved ${there.rows} rows there in ${there.stopped_seconds} s and back in ${back.stopped_seconds} s`);
});

it('a keeper killed with -9 in the middle leaves the old database, and a second move beside the first is refused', {
  timeout: 240_000,
}, async () => {
  const own = await startOwn();
  const installation = await startInstallation({ config: MANIFEST });
  onTestFinished(() => installation.stop());
  await fillLog(adminUrlOf(installation.dataDir));
  const agents = await pidsOf(asker(installation));

  const words = ['database', 'move', '--data', installation.dataDir, '--url-file', own.urlFile, '--json'];
  const first = runQuarterdeck(words);
  await vi.waitFor(() => expect(readReport(installation.dataDir)?.progress.phase).toBe('copying'), LONG);
  const second = await runQuarterdeck(words);
  expect(second).toMatchObject({ exitCode: 5, stdout: expect.stringContaining('move_under_way') });
  expect(readReport(installation.dataDir)?.state).toBe('running');
  process.kill(installation.pid, 'SIGKILL');
  expect(await first).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('move_interrupted') });

  const again = await startInstallation({ dataDir: installation.dataDir });
  onTestFinished(() => again.stop());
  const ask = asker(again);
  expect(await pidsOf(ask)).toEqual(agents);
  expect((await ask('POST', '/v1/events', { event_type: 'move.after', payload: {} })).status).toBe(201);
  const { stdout } = await runQuarterdeck(['status', '--data', again.dataDir, '--json']);
  expect(stdout).toContain('embedded, log');
  expect(await moved(again, ['--url-file', own.urlFile])).toMatchObject({ moved: true, verified: true });
  expect(await pidsOf(ask)).toEqual(agents);
  for (const part of ['keeper', 'api', 'engine', 'host']) {
    const text = readFileSync(join(again.dataDir, 'logs', `${part}.log`), 'utf8');
    expect(text.includes(new URL(own.url).password), part).toBe(false);
  }
});

async function startOwn(): Promise<Place> {
  const dataDir = await mkdtemp(join(tmpdir(), 'qd-own-'));
  const server = await startEmbedded({ dataDir, log: () => undefined });
  onTestFinished(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  const urlFile = join(dataDir, 'target.url');
  writeFileSync(urlFile, `${server.url}\n`, { mode: 0o600 });
  return { url: server.url, adminUrl: inDatabase(server.adminUrl), urlFile };
}

function adminUrlOf(dataDir: string): string {
  const password = readFileSync(join(dataDir, 'secrets', 'postgres.superuser'), 'utf8').trim();
  const port = readFileSync(join(dataDir, 'postgres.port'), 'utf8').trim();
  return `postgres://postgres:${password}@127.0.0.1:${port}/quarterdeck`;
}

function inDatabase(adminUrl: string): string {
  return Object.assign(new URL(adminUrl), { pathname: '/quarterdeck' }).href;
}

async function query<T extends object>(url: string, text: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

async function fillLog(adminUrl: string): Promise<void> {
  await query(
    adminUrl,
    `INSERT INTO log.event_log (event_type, source_agent, payload)
     SELECT 'noise.x', 'test', jsonb_build_object('n', n, 'text', repeat('x', n % 100)) FROM generate_series(1, ${EVENTS}) n`,
  );
}

/** Of the events up to a number; by default of all. */
async function summaryOf(adminUrl: string, last?: number): Promise<{ rows: string; hash: string; last: number }> {
  const [row] = await query<{ rows: string; hash: string; last: number }>(
    adminUrl,
    `SELECT count(*)::text AS rows, md5(string_agg(md5(e::text), '' ORDER BY seq)) AS hash, max(seq)::int AS last
     FROM log.event_log e ${last === undefined ? '' : `WHERE seq <= ${last}`}`,
  );
  return row!;
}

async function allIds(adminUrl: string): Promise<string[]> {
  return (await query<{ id: string }>(adminUrl, `SELECT id FROM log.event_log WHERE event_type = 'move.written'`)).map(
    ({ id }) => id,
  );
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
async function moved(installation: Installation, to: readonly string[]): Promise<any> {
  const words = ['database', 'move', ...to, '--data', installation.dataDir, '--json'];
  const { exitCode, stdout, stderr } = await runQuarterdeck(words);
  expect({ exitCode, stderr, stdout }).toMatchObject({ exitCode: 0 });
  return JSON.parse(stdout);
}

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  readonly body: any;
}

type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>;

function asker({ url, token }: { readonly url: string; readonly token: string }): Ask {
  return async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
}

/** Appends one event after the other, each until it is acknowledged, as an outbox does. */
function startWriter(ask: Ask) {
  const acknowledged: string[] = [];
  // By anything but the truth about a database that cannot be reached.
  const refused: Answer[] = [];
  let isStopped = false;
  const run = async () => {
    for (let n = 1; !isStopped; ) {
      const id = `written-${n}`;
      const answer = await ask('POST', '/v1/events', { event_type: 'move.written', id, payload: { n } }).catch(
        () => undefined,
      );
      if (answer?.status === 201 || answer?.status === 200) {
        acknowledged.push(id);
        n += 1;
      } else if (answer !== undefined && answer.status !== 503) refused.push(answer);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const running = run();
  return {
    acknowledged,
    refused,
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

/** Renews the lease every now and then, as a worker does while it works. */
function keepHolding(worker: Ask, held: { readonly id: string; readonly lease: string }) {
  const state = { lost: [] as unknown[], renewals: 0, stop: async () => undefined as undefined };
  let isStopped = false;
  const run = async () => {
    const jobs = [{ id: held.id, lease: held.lease }];
    while (!isStopped) {
      const asked = worker('POST', '/v1/jobs/renewals', { jobs, lease_seconds: LEASE_SECONDS });
      const answer = await asked.catch(() => undefined);
      if (answer?.status === 200) {
        state.lost.push(...answer.body.lost);
        state.renewals += answer.body.renewed.length;
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };
  const running = run();
  state.stop = async () => {
    isStopped = true;
    await running;
    return undefined;
  };
  return state;
}

/** Ids of the writer's events after a cursor; undefined when it is said that the cursor means nothing any more. */
async function idsAfter(ask: Ask, cursor: string): Promise<string[] | undefined> {
  const ids: string[] = [];
  for (let after = cursor; ; ) {
    const { status, body } = await ask('GET', `/v1/events?after=${after}&limit=500`);
    if (body.code === 'log.cursor_reset') return undefined;
    expect(status).toBe(200);
    ids.push(...body.items.filter((item: { event_type: string }) => item.event_type === 'move.written').map(idOf));
    if (body.next_cursor === null || body.items.length === 0) return ids;
    after = body.next_cursor;
  }
}

const idOf = ({ id }: { id: string }) => id;

/** Pids of the supervised agents; waits until both are well. */
async function pidsOf(ask: Ask): Promise<unknown[]> {
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
  }, LONG);
}
