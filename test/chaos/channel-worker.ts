// A worker process of the channels' chaos test: several loops that claim, work a little and complete, and write down what
// they held and when, so that a kill -9 leaves it readable. Given: the server's address, a file, and a token per loop.
import { appendFileSync } from 'node:fs';

const [url = '', file = '', ...tokens] = process.argv.slice(2);
const LEASE_SECONDS = 5;

interface Job {
  readonly id: string;
  readonly lease: string;
  readonly channel: string;
  readonly lease_until: string;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const tell = (line: object) => appendFileSync(file, `${JSON.stringify(line)}\n`);

async function post(token: string, path: string, body: unknown): Promise<{ jobs?: Job[] } | undefined> {
  try {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
    return response.ok ? ((await response.json()) as { jobs?: Job[] }) : undefined;
  } catch {
    return undefined;
  }
}

async function work(token: string): Promise<never> {
  for (;;) {
    const limit = 1 + Math.floor(Math.random() * 3);
    const claim = { queues: ['wide', 'narrow'], limit, wait: 1, lease_seconds: LEASE_SECONDS };
    const answer = await post(token, '/v1/jobs/claims', claim);
    if (answer === undefined) await pause(50);
    await Promise.all((answer?.jobs ?? []).map((job) => finish(token, job)));
  }
}

async function finish(token: string, { id, lease, channel, lease_until }: Job): Promise<void> {
  const from = Date.now();
  await pause(50 + Math.random() * 250);
  // Held until the lease's end at the latest: whoever works on after that is a zombie, which is what the fence is for.
  tell({ id, channel, from, to: Math.min(Date.now(), Date.parse(lease_until)) });
  const jobs = [{ id, lease, outcome: 'done' }];
  for (let tries = 0; tries < 200; tries++) {
    if ((await post(token, '/v1/jobs/completions', { jobs })) !== undefined) return;
    await pause(50);
  }
}

await Promise.all(tokens.map(work));
