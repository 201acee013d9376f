// Quarterdeck twice: by the SDK over HTTP, and by the work room in this process, whose statements are those of the
// service: claim, complete, the events of both, in transactions that wait for the disk.
import pg from 'pg';
import { Quarterdeck, work } from '../../sdk/src/index.ts';
import { createApp } from '../../src/app.ts';
import { operations } from '../../src/domains/work/operations.ts';
import { createLogger } from '../../src/platform/logger.ts';
import type { Installation } from '../installation.ts';
import type { Contender, Drain } from './contender.ts';

const QUEUE = 'bench';
const AT_ONCE = [1, 10, 100];
const LEASE_SECONDS = 600;

interface Claimed {
  readonly id: string;
  readonly lease: string;
  readonly payload: Record<string, unknown>;
}

/** How jobs are claimed and reported. */
export interface Hands {
  claim(limit: number, wait?: number): Promise<readonly Claimed[]>;
  complete(jobs: readonly Claimed[]): Promise<void>;
}

const numbered = (n: number) => ({ kind: QUEUE, payload: { n } });
const ended = (jobs: readonly Claimed[]) => jobs.map(({ id, lease }) => ({ id, lease, outcome: 'done' as const }));

function refuseNone(refused: readonly { readonly code: string }[]): void {
  if (refused.length > 0) throw new Error(`${refused.length} outcomes were refused: ${refused[0]!.code}`);
}

/** An agent of the fleet; answers its token. */
export async function addAgent(installation: Installation, agent: string): Promise<string> {
  const operator = new Quarterdeck({ url: installation.url, token: installation.token });
  return (await operator.agent.add({ agent })).token;
}

// Ten loops one by one; four are enough to keep two cores busy where each round trip carries many.
async function drain(hands: Hands, limit: number, done: (n: number) => void): Promise<number> {
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: limit === 1 ? 10 : 4 }, async () => {
      for (;;) {
        const jobs = await hands.claim(limit);
        if (jobs.length === 0) return;
        await hands.complete(jobs);
        for (const { payload } of jobs) done(payload['n'] as number);
      }
    }),
  );
  return performance.now() - begun;
}

const drainsOf = (hands: Hands): Drain[] =>
  AT_ONCE.map((limit) => ({
    how: `k = ${limit}`,
    singly: limit === 1,
    run: (_, done) => drain(hands, limit, done),
  }));

/** What both have in common: the tables. */
async function openTables(installation: Installation) {
  const admin = new pg.Client({ connectionString: installation.adminUrl });
  await admin.connect();
  return {
    database: (await admin.query('SELECT current_database() AS name')).rows[0].name as string,
    async left(): Promise<number> {
      return Number((await admin.query('SELECT count(*) AS jobs FROM work.jobs')).rows[0].jobs);
    },
    async clear(): Promise<void> {
      await admin.query('DELETE FROM work.jobs');
      await admin.query('VACUUM work.jobs');
    },
    close: () => admin.end(),
  };
}

export async function openOverHttp(installation: Installation, token: string): Promise<Contender> {
  const operator = new Quarterdeck({ url: installation.url, token: installation.token });
  const agent = new Quarterdeck({ url: installation.url, token, agent: 'bench' });
  const tables = await openTables(installation);
  const hands: Hands = {
    async claim(limit) {
      return (await agent.job.claim({ queues: [QUEUE], limit, lease_seconds: LEASE_SECONDS })).jobs;
    },
    async complete(jobs) {
      refuseNone((await agent.job.complete({ jobs: ended(jobs) })).refused);
    },
  };
  return {
    ...tables,
    name: 'Quarterdeck, SDK over HTTP',
    drains: drainsOf(hands),
    add: (n) => operator.job.add(numbered(n)),
    addMany: (numbers) => operator.job.add({ jobs: numbers.map(numbered) }),
    async serve(started) {
      const leave = new AbortController();
      const handler = async ({ payload }: { payload: Record<string, unknown> }) => started(payload['n'] as number);
      const working = work([QUEUE], handler, { qd: agent, signal: leave.signal, log: () => undefined });
      return {
        async stop() {
          leave.abort();
          await working;
        },
      };
    },
  };
}

export async function openInProcess(
  installation: Installation,
  token: string,
): Promise<Contender & { readonly hands: Hands }> {
  const tables = await openTables(installation);
  const app = createApp({
    databaseUrl: installation.databaseUrl,
    connections: 10,
    part: 'bench',
    logger: createLogger('bench', 'silent'),
    publicUrl: () => installation.url,
  });
  app.start();
  const operator = app.call(await app.access.credentials.getCaller(installation.token));
  const caller = await app.access.credentials.getCaller(token);
  const claim = async (limit: number, wait: number, signal?: AbortSignal) => {
    const input = operations.claimJobs.input.parse({ queues: [QUEUE], limit, wait, lease_seconds: LEASE_SECONDS });
    return (await app.work.claim(app.call(caller, signal === undefined ? {} : { signal }), input)).jobs;
  };
  const hands: Hands = {
    claim: (limit, wait = 0) => claim(limit, wait),
    async complete(jobs) {
      const input = operations.completeJobs.input.parse({ jobs: ended(jobs) });
      refuseNone((await app.work.complete(app.call(caller), input)).refused);
    },
  };
  const add = (input: object) => app.work.add(operator, operations.addJobs.input.parse(input));
  return {
    ...tables,
    name: 'Quarterdeck, by SQL in process',
    hands,
    drains: drainsOf(hands),
    add: (n) => add(numbered(n)),
    addMany: (numbers) => add({ jobs: numbers.map(numbered) }),
    async serve(started) {
      const leave = new AbortController();
      const working = (async () => {
        while (!leave.signal.aborted) {
          const jobs = await claim(1, 20, leave.signal);
          for (const { payload } of jobs) started(payload['n'] as number);
          if (jobs.length > 0) await hands.complete(jobs);
        }
      })();
      return {
        async stop() {
          leave.abort();
          await working;
        },
      };
    },
    async close() {
      await app.stop();
      await tables.close();
    },
  };
}
