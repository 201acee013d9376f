// Writers append while processes of the installation are killed -9 at random, PostgreSQL included. What was
// acknowledged is in the log once, and each reader saw exactly the log, in order, whatever broke under it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type EmbeddedServer, startEmbedded } from '../../src/platform/db/embedded/server.ts';
import { type Installation, startInstallation } from '../support/installation.ts';
import { killer } from './killer.ts';
import { note, type Random, seededRandom } from './random.ts';
import { startReaders, type Target } from './readers.ts';

const WRITERS = 10;
const EVENTS = 20_000;
const MOST_IN_A_BATCH = 20;
/** So that the kills fall into the writing, however fast the machine is. */
const FEWEST_KILLS = 6;

describe('20,000 events by 10 writers while processes are killed', () => {
  it('are in the log once, and every reader saw exactly the log', async () => {
    const random = seededRandom();
    const installation = await startInstallation();
    onTestFinished(() => installation.stop());
    const kill = killer(installation, random);
    await appendUnderFire(installation, random, kill);
  });

  it('also on a PostgreSQL of the operator’s own', async () => {
    const random = seededRandom();
    const dataDir = await mkdtemp(join(tmpdir(), 'qd-own-'));
    const own = await keptServer(dataDir);
    onTestFinished(async () => {
      await own.stop();
      await rm(dataDir, { recursive: true, force: true });
    });
    const installation = await startInstallation({ env: { DATABASE_URL: own.url } });
    onTestFinished(() => installation.stop());
    const kill = killer(installation, random, () => [{ name: 'postgres', pid: own.pid() }]);
    await appendUnderFire(installation, random, kill);
  });
});

async function appendUnderFire(target: Target & Installation, random: Random, kill: () => Promise<string | undefined>) {
  const start = await firstCursor(target);
  const readers = startReaders(target, 'type:chaos.*', start);
  onTestFinished(() => {
    for (const reader of readers) reader.stop();
  });
  const acknowledged = new Map<string, string>();
  let writing = true;
  const killed: string[] = [];
  const killing = (async () => {
    while (writing) {
      await pause(random.between(1_500, 3_500));
      const name = writing ? await kill() : undefined;
      if (name !== undefined) killed.push(name);
    }
  })();
  onTestFinished(() => {
    writing = false;
  });
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      const share = EVENTS / WRITERS;
      for (let n = 0; n < share; ) {
        const size = Math.min(random.between(1, MOST_IN_A_BATCH), share - n);
        const events = Array.from({ length: size }, (_, i) => ({
          event_type: 'chaos.written',
          id: `w${writer}-${n + i}`,
          payload: { writer, n: n + i },
        }));
        for (const event of await appendUntilAcknowledged(target, events)) acknowledged.set(event.id, event.cursor);
        n += size;
        // Writing waits for the killer, so that a fast machine does not finish before the first kill.
        if (killed.length < FEWEST_KILLS * (n / share) - 1) await pause(random.between(5, 40));
      }
    }),
  );
  writing = false;
  await killing;
  const [last] = await appendUntilAcknowledged(target, [{ event_type: 'chaos.last', id: 'last', payload: {} }]);
  acknowledged.set(last!.id, last!.cursor);
  await withLimit(Promise.all(readers.map((reader) => reader.until('last'))), 60_000, () =>
    readers.map((reader) => `${reader.transport}: ${reader.seen.length}`).join(', '),
  );

  const log = await readLog(target, start);
  const counts = new Map<string, number>();
  for (const event of log) counts.set(event.id, (counts.get(event.id) ?? 0) + 1);
  expect([...acknowledged.keys()].filter((id) => counts.get(id) !== 1)).toEqual([]);
  expect(log).toHaveLength(EVENTS + 1);
  // What a writer was told is where the event is: no number was told twice.
  expect(log.filter((event) => acknowledged.get(event.id) !== event.cursor)).toEqual([]);
  for (const reader of readers) {
    expect({ transport: reader.transport, resets: reader.resets }).toEqual({ transport: reader.transport, resets: 0 });
    expect(reader.seen.map((event) => event.id)).toEqual(log.map((event) => event.id));
  }
  note(`killed ${killed.length}: ${summary(killed)}; breaks ${readers.map((r) => `${r.transport} ${r.breaks}`)}`);
}

interface NewEvent {
  readonly event_type: string;
  readonly id: string;
  readonly payload: unknown;
}

async function appendUntilAcknowledged(target: Target, events: readonly NewEvent[]) {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answer = await request(target, 'POST', '/v1/events', { events }).catch(() => undefined);
    if (answer?.status === 201) return answer.body['events'] as { id: string; cursor: string }[];
    const isRefusal = answer !== undefined && answer.status < 500 && answer.status !== 429;
    if (isRefusal) throw new Error(`refused: ${JSON.stringify(answer.body)}`);
    if (performance.now() > deadline) throw new Error(`not acknowledged within a minute: ${JSON.stringify(answer)}`);
    await pause(30);
  }
}

async function readLog(target: Target, after: string): Promise<{ id: string; cursor: string }[]> {
  const events: { id: string; cursor: string }[] = [];
  for (let cursor: string | null = after; cursor !== null; ) {
    const path: string = `/v1/events?limit=500&event_type=chaos.*&after=${cursor}`;
    const { body } = await request(target, 'GET', path);
    events.push(...(body['items'] as { id: string; cursor: string }[]));
    cursor = body['next_cursor'] as string | null;
  }
  return events;
}

async function firstCursor(target: Target): Promise<string> {
  return (await request(target, 'GET', '/v1/events?limit=1')).body['as_of'] as string;
}

async function request(target: Target, method: string, path: string, body?: unknown) {
  const response = await fetch(target.url + path, {
    method,
    headers: {
      authorization: `Bearer ${target.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** A server that is started again on the same port whenever it ends, as an operator's supervisor would. */
async function keptServer(dataDir: string) {
  let stopping = false;
  let server: EmbeddedServer = await startEmbedded({ dataDir, log: () => undefined });
  const { port, url } = server;
  const kept = (async () => {
    for (;;) {
      await server.exited;
      if (stopping) return;
      // Killed again while it starts, it is started again.
      const next = await startEmbedded({ dataDir, port, log: () => undefined }).catch(() => undefined);
      if (next !== undefined) server = next;
    }
  })();
  return {
    url,
    pid: () => server.pid,
    async stop() {
      stopping = true;
      await server.stop();
      await kept;
    },
  };
}

// The interval between two kills is what is being chosen here, not a wait for something to happen.
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function withLimit<T>(work: Promise<T>, limitMs: number, state: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${state()}`)), limitMs);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

function summary(names: readonly string[]): string {
  return [...new Set(names)].map((name) => `${name} ${names.filter((other) => other === name).length}`).join(', ');
}
