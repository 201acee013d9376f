// graphile-worker, as its manual sets it for speed (a local queue, completions in batches) and plain.
import { Logger, makeWorkerUtils, type Runner, type RunnerOptions, run } from 'graphile-worker';
import pg from 'pg';
import { peerVersion } from '../peers.ts';
import { type Contender, type Drain, stopwatch } from './contender.ts';
import type { PeerDatabase } from './peer-database.ts';

const TASK = 'bench';
const logger = new Logger(() => () => undefined);

type Settings = NonNullable<NonNullable<RunnerOptions['preset']>['worker']>;

const LOCAL: Settings = {
  concurrentJobs: 24,
  maxPoolSize: 10,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};
const PLAIN: Settings = { concurrentJobs: 10, maxPoolSize: 10 };

export async function openGraphileWorker({ name: database, url }: PeerDatabase): Promise<Contender> {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  // It warns of a pool without these. What fails in a measurement fails the measurement.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const utils = await makeWorkerUtils({ pgPool: pool, logger });
  await utils.migrate();

  const start = (settings: Settings, handler: (n: number) => void): Promise<Runner> =>
    run({
      preset: { worker: { ...settings, connectionString: url } },
      logger,
      noHandleSignals: true,
      taskList: { [TASK]: async (payload) => handler((payload as { n: number }).n) },
    });
  const drain = (how: string, singly: boolean, settings: Settings): Drain => ({
    how,
    singly,
    async run(count, done) {
      const watch = stopwatch(count, done);
      const runner = await start(settings, watch.handled);
      const elapsed = await watch.elapsed;
      await runner.stop();
      return elapsed;
    },
  });

  return {
    name: `graphile-worker ${peerVersion('graphile-worker')}`,
    database,
    drains: [drain('plain, 10 at once', true, PLAIN), drain('local queue of 500', false, LOCAL)],
    add: (n) => utils.addJob(TASK, { n }),
    addMany: (numbers) => utils.addJobs(numbers.map((n) => ({ identifier: TASK, payload: { n } }))),
    serve: (started) => start(LOCAL, started),
    async left() {
      return Number((await pool.query('SELECT count(*) AS jobs FROM graphile_worker.jobs')).rows[0].jobs);
    },
    async clear() {
      await pool.query('DELETE FROM graphile_worker._private_jobs');
      await pool.query('VACUUM graphile_worker._private_jobs');
    },
    async close() {
      await utils.release();
      await pool.end();
    },
  };
}
