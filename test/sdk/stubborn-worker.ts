// A worker process for tests that kill or block it. Given: its queue, a directory, and how its handler waits for the file
// `go` there, after it wrote a line into `effects`: `wait` as it should be done, `block` by holding the whole process.
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from '../../sdk/src/index.ts';
import { openOutcomes } from '../../sdk/src/outbox-node.ts';

const [queue = '', directory = '', does = ''] = process.argv.slice(2);

const worker = new Worker({
  queues: [queue],
  leaseSeconds: does === 'block' ? 5 : 60,
  outbox: await openOutcomes(join(directory, 'outcomes')),
});
worker.on('*', async (job) => {
  appendFileSync(join(directory, 'effects'), `${job.id}\n`);
  const nap = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(join(directory, 'go'))) {
    if (does === 'block') Atomics.wait(nap, 0, 0, 20);
    else await delay(20);
  }
  return { by: process.pid };
});
await worker.run();
