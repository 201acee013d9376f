// Who takes part. Each is opened for its turn only: what idle ones hold and do would be taken from the one that works.
import type { Installation } from '../installation.ts';
import { installPeers } from '../peers.ts';
import type { Contender } from './contender.ts';
import { createPeerDatabase } from './peer-database.ts';
import { addAgent, openInProcess, openOverHttp } from './quarterdeck.ts';

export type OpenContender = () => Promise<Contender>;

/** What is missing is left out and told. */
export async function listContenders(
  installation: Installation,
  tell: (line: string) => void,
): Promise<OpenContender[]> {
  const agent = await addAgent(installation, 'bench');
  const ours: OpenContender[] = [() => openOverHttp(installation, agent), () => openInProcess(installation, agent)];
  if (!installPeers()) {
    tell('all peers are left out: npm could not install what bench/package.json names');
    return ours;
  }
  const { openGraphileWorker } = await import('./graphile-worker.ts');
  const { openPgBoss } = await import('./pg-boss.ts');
  const { hasRedis, openBullMq } = await import('./bullmq.ts');
  const graphile = await createPeerDatabase(installation, 'bench_graphile');
  const boss = await createPeerDatabase(installation, 'bench_pgboss');
  if (!hasRedis()) tell('BullMQ is left out: there is no redis-server (Debian: apt-get install redis-server)');
  return [...ours, () => openGraphileWorker(graphile), () => openPgBoss(boss), ...(hasRedis() ? [openBullMq] : [])];
}

/** Gives a contender its turn, and closes it whatever comes. */
export async function inTurn<T>(open: OpenContender, turn: (contender: Contender) => Promise<T>): Promise<T> {
  const contender = await open();
  try {
    return await turn(contender);
  } finally {
    await contender.close();
  }
}
