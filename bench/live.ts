// Live fan-out: 500 events a second to 100 WebSocket readers; from the moment an event is sent to the moment a reader
// has it, beside the floor: a bare WebSocket server that sends the same frames without storing anything.
// Command: node bench/live.ts
import { WebSocket, WebSocketServer } from 'ws';
import { ms, print, quantile } from './figures.ts';
import { openClient } from './http.ts';
import { startInstallation } from './installation.ts';

const READERS = 100;
const PER_SECOND = 500;
const SECONDS = 8;
const BATCH = 5;

async function openReaders(url: string, headers: Record<string, string>, subscribe: string | undefined) {
  const latencies: number[] = [];
  const sockets = await Promise.all(
    Array.from(
      { length: READERS },
      () =>
        new Promise<WebSocket>((resolve, reject) => {
          const socket = new WebSocket(url, { headers });
          socket.on('error', reject);
          socket.on('open', () => {
            if (subscribe === undefined) resolve(socket);
            else socket.send(subscribe);
          });
          socket.on('message', (data) => {
            const text = String(data);
            if (text.startsWith('{"type":"subscribed"')) resolve(socket);
            const sent = /"sent":([\d.]+)/.exec(text)?.[1];
            if (sent !== undefined) latencies.push(performance.now() - Number(sent));
          });
        }),
    ),
  );
  const close = () => {
    for (const socket of sockets) socket.terminate();
  };
  return { latencies, close };
}

// Evenly spread: what falls behind is sent late, and its lateness counts, because `sent` is when it was due.
async function atRate(send: (due: number) => Promise<unknown>): Promise<void> {
  const begun = performance.now();
  const pending: Promise<unknown>[] = [];
  for (let i = 0; i < (PER_SECOND * SECONDS) / BATCH; i++) {
    const due = begun + (i * 1000 * BATCH) / PER_SECOND;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    pending.push(send(due));
  }
  await Promise.all(pending);
}

async function untilComplete(latencies: readonly number[]): Promise<void> {
  const wanted = READERS * PER_SECOND * SECONDS;
  const deadline = performance.now() + 10_000;
  while (latencies.length < wanted && performance.now() < deadline) await new Promise((r) => setTimeout(r, 50));
  if (latencies.length !== wanted) throw new Error(`${latencies.length} of ${wanted} arrived`);
}

async function measureQuarterdeck(): Promise<number[]> {
  const installation = await startInstallation();
  const client = openClient(installation.url, installation.token, 8);
  try {
    const readers = await openReaders(
      `${installation.url.replace('http', 'ws')}/v1/live`,
      { authorization: `Bearer ${installation.token}` },
      JSON.stringify({ type: 'subscribe', id: 'b', topics: ['type:bench.*'] }),
    );
    await atRate((sent) =>
      client.post(
        '/v1/events',
        JSON.stringify({
          events: Array.from({ length: BATCH }, () => ({ event_type: 'bench.sent', payload: { sent } })),
        }),
      ),
    );
    await untilComplete(readers.latencies);
    readers.close();
    return readers.latencies;
  } finally {
    client.close();
    await installation.stop();
  }
}

async function measureFloor(): Promise<number[]> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const readers = await openReaders(`ws://127.0.0.1:${port}`, {}, undefined);
  await atRate(async (sent) => {
    for (let i = 0; i < BATCH; i++) for (const socket of server.clients) socket.send(`{"payload":{"sent":${sent}}}`);
  });
  await untilComplete(readers.latencies);
  readers.close();
  server.close();
  return readers.latencies;
}

const floor = await measureFloor();
const quarterdeck = await measureQuarterdeck();
print([
  [`${PER_SECOND} events/s to ${READERS} readers`, 'p50', 'p95', 'p99'],
  ...(
    [
      ['Quarterdeck, stored and sent', quarterdeck],
      ['floor: sent only', floor],
    ] as const
  ).map(([name, values]) => [name, ms(quantile(values, 0.5)), ms(quantile(values, 0.95)), ms(quantile(values, 0.99))]),
]);
