// The clerk (Node) shares the queue `documents` with the librarian (Python): who is free counts the next document, and
// both count alike. It also reads the tide gauge, which fails now and then on purpose.
import { work } from '@quarterdeck/sdk';
import { LEASE_SECONDS, readDocument, writeOutput } from './shelf.mjs';

const handlers = { 'count-document': countDocument, 'read-gauge': readGauge };
await work(['documents', 'gauges'], handlers, { concurrency: 4, leaseSeconds: LEASE_SECONDS });

async function countDocument(job) {
  const { document } = job.payload;
  const counts = countsOf(await readDocument(document));
  await writeOutput(`counts/${document}.json`, `${JSON.stringify({ document, ...counts }, null, 2)}\n`);
  await job.emit('document.counted', { document, words: counts.words }, { once: 'counted' });
  return { document, ...counts };
}

// The same rules as in librarian.py; test/examples/harbour.os.test.ts holds both to them.
function countsOf(text) {
  const words = (text.match(/\p{L}+/gu) ?? []).map((word) => word.toLowerCase());
  const times = new Map();
  for (const word of words) if (word.length > 3) times.set(word, (times.get(word) ?? 0) + 1);
  const frequent = [...times].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 5);
  return {
    lines: text.split('\n').length - 1,
    headings: text.match(/(?:^|\n)#{1,6} /g)?.length ?? 0,
    links: text.match(/\]\([^)]+\)/g)?.length ?? 0,
    words: words.length,
    frequent: frequent.map(([word]) => word),
  };
}

// Amplitude in metres and period in hours, as in documents/tides.md.
const PULLS = [
  [1.42, 12.4206],
  [0.48, 12],
  [0.11, 23.9345],
  [0.09, 25.8193],
];

// An instrument that is not always in the mood: the queue tries again, after a pause, and the second or third time it is.
async function readGauge(job) {
  if (Math.random() < 0.3) {
    throw new Error('the gauge gave no reading (this job fails now and then on purpose; the queue tries it again)');
  }
  const hours = Date.parse(job.created_at) / 3_600_000;
  const height = PULLS.reduce(
    (sum, [amplitude, period]) => sum + amplitude * Math.cos((2 * Math.PI * hours) / period),
    2,
  );
  return { at: job.created_at, metres_above_datum: Number(height.toFixed(2)) };
}
