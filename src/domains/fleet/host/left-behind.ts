// Agents whose host is gone, ended from outside when a whole installation is taken down. The next host finds in their
// records what happened and tells the log.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AgentProcess, sweep } from './agent-process.ts';
import { findRecords } from './record.ts';

/** `ask`: gives each its grace first. Only when no host of this data directory runs. Answers the names of those it ended. */
export async function endLeftAgents(dataDir: string, how: 'ask' | 'kill'): Promise<string[]> {
  const root = join(dataDir, 'agents');
  if (!existsSync(root)) return [];
  // One that cannot be ended keeps none of the others running.
  const outcomes = await Promise.allSettled(
    findRecords(root).map(async ({ slug, dir, record }) => {
      const running = record.process === null ? undefined : AgentProcess.adopt(record.process, dir);
      if (how === 'ask') await running?.stop();
      else running?.leave();
      // What left the group, and what was killed before it was written down as started.
      if (record.marker !== null) await sweep(record.marker, record.process);
      return running === undefined ? [] : [slug];
    }),
  );
  const reasons: unknown[] = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  if (reasons.length === 1) throw reasons[0];
  if (reasons.length > 1) throw new AggregateError(reasons, `${reasons.length} agents could not be ended`);
  return outcomes.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}
