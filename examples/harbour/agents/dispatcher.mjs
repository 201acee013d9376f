// The dispatcher (Node) gives the others work: everything once at its start, then a job every two seconds for ever, for
// documents may have changed meanwhile.
import { beat, call, enqueue, isLeaving, pause } from './client.mjs';
import { listDocuments } from './shelf.mjs';

const EVERY_MS = 2_000;

let lastDesired = 'run';

const seeded = await plan();
await addJobs(seeded);
console.log(`added ${seeded.length} jobs`);

while (!isLeaving()) {
  for (const job of await plan()) {
    await pause(EVERY_MS);
    if (isLeaving()) break;
    // Being paused is for it to heed: it claims nothing that could be held back.
    while ((await desired()) === 'pause' && !isLeaving()) await pause(EVERY_MS);
    await addJobs([job]);
  }
  await pause(EVERY_MS);
}

// A beat is sent at most every few seconds; in between the last answer counts.
async function desired() {
  lastDesired = (await beat('dispatching')) ?? lastDesired;
  return lastDesired;
}

/** One round: each document counted and rendered, the tide now and then, the list of all pages. Only what somebody works on. */
async function plan() {
  const { items } = await call('GET', '/v1/agents?limit=500');
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
function addJobs(jobs) {
  return enqueue(jobs.map((job) => ({ ...job, unique_key: `${job.kind}:${job.payload.document ?? ''}` })));
}
