// Event append: 64 writers over HTTP beside the raw floor, a batched INSERT into a bare table by the same driver on the
// same server in the same run; and one append alone beside one commit. Command: node bench/append.ts

import { ms, perSecond, print, quantile } from './figures.ts';
import { openClient } from './http.ts';
import { startInstallation } from './installation.ts';
import { openRaw } from './raw-insert.ts';

const WRITERS = 64;
const ROUND_MS = 4_000;
const ROUNDS = 3;
const SINGLES = 300;

async function underLoad(append: (n: number) => Promise<unknown>): Promise<number> {
  const end = performance.now() + ROUND_MS;
  const begun = performance.now();
  let count = 0;
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      while (performance.now() < end) await append(count++);
    }),
  );
  return perSecond(count, performance.now() - begun);
}

async function alone(append: (n: number) => Promise<unknown>): Promise<number> {
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
  const body = (n: number) =>
    JSON.stringify({ event_type: 'bench.appended', subject: 'bench:1', payload: { n, text: 'x'.repeat(100) } });
  const overHttp = (n: number) => client.post('/v1/events', body(n));
  await underLoad(overHttp);
  const http: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    floor.push(await underLoad((n) => raw.append(n)));
    http.push(await underLoad(overHttp));
  }
  const [httpMedian, floorMedian] = [quantile(http, 0.5), quantile(floor, 0.5)];
  const [httpAlone, commitAlone] = [await alone(overHttp), await alone((n) => raw.commitOne(n))];
  print([
    ['what', 'Quarterdeck', 'floor', 'ratio'],
    [
      `${WRITERS} writers, events/s (median of ${ROUNDS})`,
      String(httpMedian),
      String(floorMedian),
      (httpMedian / floorMedian).toFixed(2),
    ],
    ['one append alone, p50', ms(httpAlone), ms(commitAlone), (httpAlone / commitAlone).toFixed(2)],
  ]);
} finally {
  client.close();
  await raw.close();
  await installation.stop();
}
