// Workers claim, renew and complete while PostgreSQL and the roles are killed -9. No lease is ever handed out twice, no
// attempt number of a job comes twice, every job ends once, and no position of the log is told for two events.
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Installation, startInstallation } from '../support/installation.ts';
import { killer } from './killer.ts';
import { note, type Random, seededRandom } from './random.ts';

const JOBS = 800;
const WORKERS = 6;
const KILLS = 6;

interface Claimed {
  readonly id: string;
  readonly lease: string;
  readonly attempt: number;
}

describe('claims while PostgreSQL and the roles are killed', () => {
  it('never give one lease twice, and every job ends once', async () => {
    const random = seededRandom();
    const installation = await startInstallation();
    onTestFinished(() => installation.stop());
    const call = caller(installation);
    for (let n = 0; n < JOBS; n += 100) {
      const jobs = Array.from({ length: 100 }, (_, i) => ({ kind: 'chaos', payload: { n: n + i }, max_attempts: 100 }));
      expect((await call(installation.token, 'POST', '/v1/jobs', { jobs })).status).toBe(201);
    }
    let working = true;
    onTestFinished(() => {
      working = false;
    });
    const claims: Claimed[] = [];
    const accepted: string[] = [];
    const tokens = await Promise.all(Array.from({ length: WORKERS }, (_, n) => addAgent(call, installation, `w${n}`)));
    const workers = tokens.map((token) => work(call, token, random, () => working, claims, accepted));
    const kill = killer(installation, random);
    const killed: string[] = [];
    while (killed.length < KILLS) {
      await pause(random.between(1_500, 3_000));
      const name = await kill();
      if (name !== undefined) killed.push(name);
    }
    await untilAllEnded(call, installation);
    working = false;
    await Promise.all(workers);

    const leases = claims.map((claim) => claim.lease);
    expect(new Set(leases).size).toBe(leases.length);
    const attempts = claims.map((claim) => `${claim.id}#${claim.attempt}`);
    expect(new Set(attempts).size).toBe(attempts.length);
    // A completion was accepted at most once a job, and the history has each job once.
    expect(new Set(accepted).size).toBe(accepted.length);
    const ended = await allEnded(call, installation);
    expect(ended).toHaveLength(JOBS);
    expect(new Set(ended).size).toBe(JOBS);
    note(`killed ${killed.join(', ')}; ${claims.length} claims for ${JOBS} jobs`);
  });
});

type Call = ReturnType<typeof caller>;

async function work(
  call: Call,
  token: string,
  random: Random,
  working: () => boolean,
  claims: Claimed[],
  accepted: string[],
): Promise<void> {
  while (working()) {
    const answer = await call(token, 'POST', '/v1/jobs/claims', {
      queues: ['chaos'],
      limit: random.between(1, 5),
      wait: 1,
      lease_seconds: 5,
    }).catch(() => undefined);
    if (answer?.status !== 200) {
      await pause(50);
      continue;
    }
    const jobs = answer.body['jobs'] as Claimed[];
    claims.push(...jobs);
    await pause(random.between(100, 500));
    for (const { id, lease } of jobs) await report(call, token, { id, lease }, accepted);
  }
}

// Repeated until it is answered: the same completion twice must not end the job twice.
async function report(
  call: Call,
  token: string,
  job: { id: string; lease: string },
  accepted: string[],
): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await call(token, 'POST', '/v1/jobs/completions', { jobs: [{ ...job, outcome: 'done' }] }).catch(
      () => undefined,
    );
    if (answer?.status === 200) {
      accepted.push(...(answer.body['accepted'] as string[]));
      return;
    }
    await pause(50);
  }
}

async function untilAllEnded(call: Call, installation: Installation): Promise<void> {
  const deadline = performance.now() + 90_000;
  for (;;) {
    const answer = await call(installation.token, 'GET', '/v1/work/summary').catch(() => undefined);
    const body = answer?.status === 200 ? answer.body : undefined;
    if (body !== undefined && body['queued'] === 0 && body['running'] === 0 && body['scheduled'] === 0) return;
    if (performance.now() > deadline) throw new Error(`not all ended: ${JSON.stringify(body)}`);
    await pause(200);
  }
}

async function allEnded(call: Call, installation: Installation): Promise<string[]> {
  const ids: string[] = [];
  for (let after = ''; ; ) {
    const { body } = await call(installation.token, 'GET', `/v1/jobs?state=done&limit=500${after}`);
    ids.push(...(body['items'] as { id: string }[]).map((job) => job.id));
    if (body['next_cursor'] === null) return ids;
    after = `&after=${encodeURIComponent(String(body['next_cursor']))}`;
  }
}

async function addAgent(call: Call, installation: Installation, agent: string): Promise<string> {
  const { body } = await call(installation.token, 'POST', '/v1/agents', { agent });
  return body['token'] as string;
}

function caller(installation: Installation) {
  return async (token: string, method: string, path: string, body?: unknown) => {
    const response = await fetch(installation.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
}

// How long a worker takes, or until the next kill: what is chosen here, not a wait for something to happen.
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
