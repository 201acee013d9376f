// The work room beside graphile-worker, pg-boss and BullMQ on Redis, in one run on one PostgreSQL with the settings of the
// product: adding jobs one by one and by the thousand, draining them, from added to started on an idle worker, what a job
// costs the server, and one claim behind a backlog that may not run. Every drain checks that each job was done once.
// Command: node bench/queue.ts [--quick] [--jobs N] [--singly N] [--rounds N] [--samples N] [--blocked N] [--ended N]
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { ms, printTable, quantile } from './figures.ts';
import { type Installation, startInstallation } from './installation.ts';
import { openClaim } from './queue/claim.ts';
import { inTurn, listContenders, type OpenContender } from './queue/contenders.ts';
import { COSTS_SETTINGS, openCosts } from './queue/costs.ts';
import { drainAll, enqueueMany, enqueueSingly, startLatency } from './queue/measures.ts';
import { addAgent, openInProcess } from './queue/quarterdeck.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    singly: { type: 'string' },
    rounds: { type: 'string' },
    samples: { type: 'string' },
    blocked: { type: 'string' },
    ended: { type: 'string' },
  },
});
const size = (name: 'jobs' | 'singly' | 'rounds' | 'samples' | 'blocked' | 'ended', full: number, quick: number) =>
  Number(values[name] ?? (values.quick ? quick : full));
const JOBS = size('jobs', 20_000, 5_000);
const SINGLY = size('singly', 2_000, 800);
const ROUNDS = size('rounds', 3, 1);
const SAMPLES = size('samples', 100, 30);
const BLOCKED = size('blocked', 100_000, 20_000);
const ENDED = size('ended', 1_000_000, 100_000);
const PEER = 'graphile-worker';
const ADD_MS = values.quick ? 500 : 1_500;

const note = (line: string) => process.stderr.write(`${line}\n`);
const rate = (value: number) => value.toLocaleString('en-US');

/** The values of a contender's rounds. */
class Result {
  readonly singly: number[] = [];
  readonly many: number[] = [];
  readonly drains = new Map<string, { readonly jobs: number; readonly rates: number[] }>();
}

async function timedRounds(contenders: readonly OpenContender[]): Promise<void> {
  const results = new Map<string, Result>();
  for (let round = 1; round <= ROUNDS; round++) {
    for (const open of contenders) {
      await inTurn(open, async (contender) => {
        note(`round ${round} of ${ROUNDS}: ${contender.name}`);
        const result = results.get(contender.name) ?? new Result();
        results.set(contender.name, result);
        result.singly.push(await enqueueSingly(contender, ADD_MS));
        for (const drain of contender.drains) {
          const jobs = drain.singly ? SINGLY : JOBS;
          const added = await enqueueMany(contender, jobs);
          if (!drain.singly) result.many.push(added);
          const { rates } = result.drains.get(drain.how) ?? { rates: [] };
          result.drains.set(drain.how, { jobs, rates: [...rates, await drainAll(contender, drain, jobs)] });
          await contender.clear();
        }
      });
    }
  }
  printRates(results);
}

function printRates(results: ReadonlyMap<string, Result>): void {
  const median = (values: readonly number[]) => quantile(values, 0.5);
  // Of the peers it is the one that keeps its jobs in PostgreSQL and is the fastest there.
  const peer = [...results].find(([name]) => name.startsWith(PEER))?.[1];
  const best = peer && Math.max(...[...peer.drains.values()].map(({ rates }) => median(rates)));
  const beside = (value: number, other: number | undefined) => (other === undefined ? '' : (value / other).toFixed(2));
  const ratio = `ratio to ${PEER}`;
  printTable([
    [`adding, median of ${ROUNDS}`, 'one by one, 10 producers', ratio, 'by 1,000', ratio],
    ...[...results].map(([name, { singly, many }]) => [
      name,
      `${rate(median(singly))}/s`,
      beside(median(singly), peer && median(peer.singly)),
      `${rate(median(many))}/s`,
      beside(median(many), peer && median(peer.many)),
    ]),
  ]);
  printTable([
    [`draining, median of ${ROUNDS}`, 'jobs at once', 'jobs', 'rate', `${ratio} at its best`],
    ...[...results].flatMap(([name, { drains }]) =>
      [...drains].map(([how, { jobs, rates }]) => [
        name,
        how,
        rate(jobs),
        `${rate(median(rates))}/s`,
        beside(median(rates), best),
      ]),
    ),
  ]);
}

async function latencies(contenders: readonly OpenContender[]): Promise<void> {
  const rows: string[][] = [[`added → started, idle worker, ${SAMPLES} jobs`, 'p50', 'p95']];
  for (const open of contenders) {
    await inTurn(open, async (contender) => {
      note(`latency: ${contender.name}`);
      const took = await startLatency(contender, SAMPLES);
      rows.push([contender.name, ms(quantile(took, 0.5)), ms(quantile(took, 0.95))]);
    });
  }
  printTable(rows);
}

async function claims(installation: Installation): Promise<void> {
  const contender = await openInProcess(installation, await addAgent(installation, 'bench-claim'));
  const claim = await openClaim(installation, contender.hands);
  const rows: string[][] = [
    ['one claim, p50', 'work.claim, in the database', 'the whole claim', 'plain ordered claim'],
  ];
  const measure = async (what: string) => {
    note(`claim: ${what}`);
    const { inDatabase, whole, plain } = await claim.measure(SAMPLES);
    rows.push([what, ms(inDatabase), ms(whole), ms(plain)]);
  };
  try {
    await measure('nothing in front');
    await claim.clear();
    await claim.block(BLOCKED);
    await claim.endMany(ENDED);
    await measure(`${rate(BLOCKED)} blocked in front, ${rate(ENDED)} ended`);
  } finally {
    await claim.close();
    await contender.close();
  }
  printTable(rows);
}

async function costs(): Promise<void> {
  const counted = await startInstallation(COSTS_SETTINGS);
  const counting = await openCosts(counted);
  const rows: string[][] = [
    ['a job, added by 1,000 and done', 'jobs at once', 'WAL bytes', 'statements', 'transactions'],
  ];
  try {
    for (const open of await listContenders(counted, () => undefined)) {
      await inTurn(open, async (contender) => {
        const { name, database, drains } = contender;
        if (database === undefined) return;
        for (const drain of drains) {
          note(`costs: ${name}, ${drain.how}`);
          const jobs = Math.ceil((drain.singly ? SINGLY : JOBS) / 4);
          const a = await counting.measure(contender, database, drain, jobs);
          const each = [a.statements.toFixed(2), a.transactions.toFixed(2)];
          rows.push([name, drain.how, rate(Math.round(a.walBytes)), ...each]);
        }
      });
    }
  } finally {
    await counting.close();
    await counted.stop();
  }
  printTable(rows);
}

const begun = performance.now();
const load = () => loadavg()[0]!.toFixed(1);
note(`load average ${load()} at the start`);
const installation = await startInstallation();
try {
  const contenders = await listContenders(installation, note);
  await timedRounds(contenders);
  await latencies(contenders);
  await claims(installation);
} finally {
  await installation.stop();
}
await costs();
note(`${Math.round((performance.now() - begun) / 1000)} s; load average ${load()} at the end`);
