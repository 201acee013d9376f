// The dispatcher (Node) gives the others work: everything once at its start, then a job every two seconds for ever, for
// documents may have changed meanwhile.
import { setTimeout as delay } from 'node:timers/promises';
import { Quarterdeck } from '@quarterdeck/sdk';
import { listDocuments } from './shelf.mjs';

const EVERY_MS = 2_000;

// A dispatcher has nothing else to do than to wait for the server.
const qd = new Quarterdeck({ retryForMs: Number.POSITIVE_INFINITY });
const leaving = new AbortController();
const { signal } = leaving;
for (const name of ['SIGTERM', 'SIGINT']) process.once(name, () => leaving.abort());

try {
  await dispatch();
} catch (error) {
  if (!signal.aborted) throw error;
  console.log('leaves');
}

async function dispatch() {
  const seeded = await plan();
  await addJobs(seeded);
  console.log(`added ${seeded.length} jobs`);
  for (;;) {
    for (const job of await plan()) {
      await delay(EVERY_MS, undefined, { signal });
      // Being paused is for it to heed: it claims nothing that could be held back.
      while ((await qd.beat('dispatching')) === 'pause') await delay(EVERY_MS, undefined, { signal });
      await addJobs([job]);
    }
    await delay(EVERY_MS, undefined, { signal });
  }
}

/** One round: each document counted and rendered, the tide now and then, the list of all pages. Only what somebody works on. */
async function plan() {
  const { items } = await qd.agent.list({ limit: 500 }, { signal });
  const queues = new Set(items.flatMap((agent) => agent.queues));
  const check = queues.has('links');
  const documents = await listDocuments();
  const gauge = { kind: 'read-gauge', queue: 'gauges', payload: {} };
  const jobs = documents.flatMap((document, place) => [
    { kind: 'count-document', queue: 'documents', payload: { document } },
    { kind: 'render-page', queue: 'pages', payload: { document, check } },
    ...(place % 5 === 0 ? [gauge] : []),
  ]);
  jobs.push({ kind: 'render-index', queue: 'pages', payload: {} });
  return jobs.filter(({ queue }) => queues.has(queue));
}

// A document that still waits for its turn is not put in line again: when nobody works, the queue does not grow.
async function addJobs(jobs) {
  if (jobs.length === 0) return;
  const named = jobs.map((job) => ({ ...job, unique_key: `${job.kind}:${job.payload.document ?? ''}` }));
  await qd.job.add({ jobs: named }, { signal });
}
