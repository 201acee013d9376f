// pg-boss with what its manual offers for speed: batches, fetching on while they come full, wake-ups by NOTIFY.
import pg from 'pg';
import { PgBoss, type WorkOptions } from 'pg-boss';
import { peerVersion } from '../peers.ts';
import { type Contender, stopwatch } from './contender.ts';
import type { PeerDatabase } from './peer-database.ts';

const QUEUE = 'bench';
const WORK: WorkOptions = {
  batchSize: 100,
  burstWhenBatchFull: true,
  localConcurrency: 4,
  pollingIntervalSeconds: 0.5,
};

export async function openPgBoss({ name: database, url }: PeerDatabase): Promise<Contender> {
  const boss = new PgBoss({ connectionString: url, max: 10, useListenNotify: true });
  boss.on('error', (error) => {
    throw error;
  });
  await boss.start();
  await boss.createQueue(QUEUE, { notify: true });
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const work = async (handler: (n: number) => void) => {
    await boss.work<{ n: number }>(QUEUE, WORK, async (jobs) => {
      for (const { data } of jobs) handler(data.n);
    });
    return { stop: () => boss.offWork(QUEUE) };
  };
  return {
    name: `pg-boss ${peerVersion('pg-boss')}`,
    database,
    drains: [
      {
        how: 'batches of 100',
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
    add: (n) => boss.send(QUEUE, { n }),
    addMany: (numbers) =>
      boss.insert(
        QUEUE,
        numbers.map((n) => ({ data: { n } })),
      ),
    serve: work,
    async left() {
      return Number(
        (await pool.query(`SELECT count(*) AS jobs FROM pgboss.job WHERE state < 'completed'`)).rows[0].jobs,
      );
    },
    async clear() {
      await boss.deleteAllJobs(QUEUE);
      await pool.query('VACUUM pgboss.job');
    },
    async close() {
      await boss.stop({ graceful: false });
      await pool.end();
    },
  };
}
