// What is done with every contender, and how it is made sure that the work was really done.
import { setTimeout as sleep } from 'node:timers/promises';
import { perSecond } from '../figures.ts';
import type { Contender, Drain } from './contender.ts';

const PRODUCERS = 10;
const BULK = 1_000;
const APART_MS = 50;
const ARRIVAL_LIMIT_MS = 10_000;

/** One job a call by ten producers; answers jobs a second. */
export async function enqueueSingly(contender: Contender, forMs: number): Promise<number> {
  const begun = performance.now();
  let count = 0;
  await Promise.all(
    Array.from({ length: PRODUCERS }, async () => {
      while (performance.now() - begun < forMs) await contender.add(count++);
    }),
  );
  const elapsed = performance.now() - begun;
  await expectLeft(contender, count);
  await contender.clear();
  return perSecond(count, elapsed);
}

/** A thousand jobs a call, one call after the other; answers jobs a second. */
export async function enqueueMany(contender: Contender, count: number): Promise<number> {
  const begun = performance.now();
  for (let from = 0; from < count; from += BULK) {
    await contender.addMany(Array.from({ length: Math.min(BULK, count - from) }, (_, i) => from + i));
  }
  const elapsed = performance.now() - begun;
  await expectLeft(contender, count);
  return perSecond(count, elapsed);
}

/** Does `count` jobs that wait, and sees that each was done, once, and none is left; answers jobs a second. */
export async function drainAll(contender: Contender, drain: Drain, count: number): Promise<number> {
  const times = new Uint8Array(count);
  const elapsed = await drain.run(count, (n) => {
    times[n] = times[n]! + 1;
  });
  const wrong = times.filter((one) => one !== 1).length;
  if (wrong > 0)
    throw new Error(`${contender.name}, ${drain.how}: ${wrong} of ${count} jobs were not done exactly once`);
  await expectLeft(contender, 0);
  return perSecond(count, elapsed);
}

/** From just before a job is added until its handler begins, on one worker with nothing else to do. */
export async function startLatency(contender: Contender, samples: number): Promise<number[]> {
  const startedAt = new Map<number, number>();
  const latencies: number[] = [];
  let arrived: (() => void) | undefined;
  const worker = await contender.serve((n) => {
    startedAt.set(n, performance.now());
    arrived?.();
  });
  try {
    // The first ones make connections and are not counted.
    for (let n = 0; n < samples + 5; n++) {
      await sleep(APART_MS);
      const arrival = new Promise<void>((resolve, reject) => {
        arrived = resolve;
        setTimeout(() => reject(new Error(`${contender.name}: job ${n} never started`)), ARRIVAL_LIMIT_MS).unref();
      });
      const begun = performance.now();
      await Promise.all([contender.add(n), arrival]);
      if (n >= 5) latencies.push(startedAt.get(n)! - begun);
    }
  } finally {
    await worker.stop();
  }
  await contender.clear();
  return latencies;
}

// A worker may report the last jobs a moment after their handlers have ended.
async function expectLeft(contender: Contender, count: number): Promise<void> {
  const deadline = performance.now() + ARRIVAL_LIMIT_MS;
  for (;;) {
    const left = await contender.left();
    if (left === count) return;
    if (performance.now() > deadline)
      throw new Error(`${contender.name}: ${left} jobs are there where ${count} should`);
    await sleep(10);
  }
}
