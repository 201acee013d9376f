// BullMQ on a Redis of its own with the settings that BullMQ's manual asks for: an append-only file, synced each second.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { findFreePort } from '../../src/platform/db/embedded/port.ts';
import { peerVersion } from '../peers.ts';
import { type Contender, stopwatch } from './contender.ts';

const QUEUE = 'bench';
const CONCURRENCY = 100;

async function startRedis(): Promise<{ port: number; stop(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'qd-bench-redis-'));
  const port = await findFreePort();
  const settings = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'yes', appendfsync: 'everysec' };
  const args = Object.entries({ ...settings, 'maxmemory-policy': 'noeviction' }).flatMap(([key, value]) => [
    `--${key}`,
    String(value),
  ]);
  const server: ChildProcess = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const abandon = () => server.kill('SIGTERM');
  process.once('exit', abandon);
  for await (const line of server.stdout!) if (String(line).includes('Ready to accept connections')) break;
  return {
    port,
    async stop() {
      server.kill('SIGTERM');
      if (server.exitCode === null) await once(server, 'exit');
      process.off('exit', abandon);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
}

export async function openBullMq(): Promise<Contender> {
  const redis = await startRedis();
  const connection = { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null };
  const queue = new Queue<{ n: number }>(QUEUE, { connection, defaultJobOptions: { removeOnComplete: true } });
  await queue.waitUntilReady();
  const work = async (handler: (n: number) => void) => {
    const worker = new Worker<{ n: number }>(QUEUE, async ({ data }) => handler(data.n), {
      connection,
      concurrency: CONCURRENCY,
    });
    await worker.waitUntilReady();
    return { stop: () => worker.close() };
  };
  return {
    name: `BullMQ ${peerVersion('bullmq')} on Redis`,
    database: undefined,
    drains: [
      {
        how: `${CONCURRENCY} at once`,
        singly: false,
        async run(count, done) {
          const watch = stopwatch(count, done);
          const worker = await work(watch.handled);
          const elapsed = await watch.elapsed;
          await worker.stop();
          return elapsed;
        },
      },
    ],
    add: (n) => queue.add(QUEUE, { n }),
    addMany: (numbers) => queue.addBulk(numbers.map((n) => ({ name: QUEUE, data: { n } }))),
    serve: work,
    async left() {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    clear: () => queue.obliterate({ force: true }),
    async close() {
      await queue.close();
      await redis.stop();
    },
  };
}
