// Event append: 64 writers over HTTP, one event and 100 events a request, beside the raw floor: what is asked for in one
// turn joined into one INSERT into a bare table, by the same driver on the same server in the same run. And one append
// alone beside one commit. Command: node bench/append.ts

import { ms, perSecond, print, quantile } from './figures.ts';
import { openClient } from './http.ts';
import { startInstallation } from './installation.ts';
import { openRaw } from './raw-insert.ts';

const WRITERS = 64;
const ROUND_MS = 4_000;
const ROUNDS = 3;
const SINGLES = 300;
const BATCH = 100;
const TEXT = 'x'.repeat(100);

async function underLoad(append: (n: number) => Promise<unknown>, each = 1): Promise<number> {
  const end = performance.now() + ROUND_MS;
  const begun = performance.now();
  let count = 0;
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      while (performance.now() < end) await append(count++);
    }),
  );
  return perSecond(count * each, performance.now() - begun);
}

async function median(append: (n: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < SINGLES; n++) {
    const begun = performance.now();
    await append(n);
    times.push(performance.now() - begun);
  }
  return quantile(times.slice(SINGLES / 10), 0.5);
}

const installation = await startInstallation();
const client = openClient(installation.url, installation.token, WRITERS);
const raw = await openRaw(installation);
try {
  const event = (n: number) => ({ event_type: 'bench.appended', subject: 'bench:1', payload: { n, text: TEXT } });
  const one = (n: number) => client.post('/v1/events', JSON.stringify(event(n)));
  const many = (n: number) =>
    client.post('/v1/events', JSON.stringify({ events: Array.from({ length: BATCH }, () => event(n)) }));
  await underLoad(one);
  await underLoad(many, BATCH);
  const rates = { one: [] as number[], oneFloor: [] as number[], many: [] as number[], manyFloor: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    rates.oneFloor.push(await underLoad((n) => raw.append([n])));
    rates.one.push(await underLoad(one));
    rates.manyFloor.push(await underLoad((n) => raw.append(Array.from({ length: BATCH }, () => n)), BATCH));
    rates.many.push(await underLoad(many, BATCH));
  }
  const alone = { append: await median(one), commit: await median((n) => raw.commitOne(n)) };
  const row = (what: string, ours: number[], floor: number[]) => {
    const [a, b] = [quantile(ours, 0.5), quantile(floor, 0.5)];
    return [what, String(a), String(b), (a / b).toFixed(2)];
  };
  print([
    [`median of ${ROUNDS} rounds`, 'Quarterdeck', 'floor', 'ratio'],
    row(`${WRITERS} writers, one event a request: events/s`, rates.one, rates.oneFloor),
    row(`${WRITERS} writers, ${BATCH} events a request: events/s`, rates.many, rates.manyFloor),
    ['one append alone, p50', ms(alone.append), ms(alone.commit), (alone.append / alone.commit).toFixed(2)],
  ]);
} finally {
  client.close();
  await raw.close();
  await installation.stop();
}
