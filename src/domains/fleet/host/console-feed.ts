// Brings what the agents of this host print into the database: all of them in one transaction, at most ten times a second.

import type { Wakeups } from '../../../platform/bus/wakeups.ts';
import type { Call } from '../../../platform/call.ts';
import { recordSigns } from '../store.ts';
import { type NewChunk, RETAINED_BYTES } from './console-tail.ts';
import { writeConsole } from './store.ts';
import type { SupervisedAgent } from './supervised-agent.ts';

/** One transaction carries at most about this much. */
const MOST_BYTES = 4 * 1024 * 1024;

interface Found {
  readonly agentId: string;
  readonly chunks: readonly NewChunk[];
  commit(): void;
}

/** One round; true when some agent may have more. */
export async function feedConsole(agents: Iterable<SupervisedAgent>, call: Call, wakeups: Wakeups): Promise<boolean> {
  const found: Found[] = [];
  let bytes = 0;
  for (const agent of agents) {
    const next = agent.console.tail?.next();
    if (next === undefined) continue;
    found.push({ agentId: agent.agentId, ...next });
    bytes += next.chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
    if (bytes >= MOST_BYTES) break;
  }
  if (found.length > 0) {
    await call.write(async (tx) => {
      await writeConsole(tx, found, RETAINED_BYTES);
      // What an agent prints is a sign of life.
      await recordSigns(
        tx,
        found.map(({ agentId }) => agentId),
      );
      tx.afterCommit(() => wakeups.notify('console'));
    });
    for (const { commit } of found) commit();
  }
  for (const agent of agents) agent.console.rotateWhenLarge();
  return found.length > 0;
}
