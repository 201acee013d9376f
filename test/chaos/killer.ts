// Chooses whom to kill -9: every part once in random order, then all over again, so that a short run misses none.
import type { Installation, Part } from '../support/installation.ts';
import type { Random } from './random.ts';

/** Each call kills one living process, never the keeper (its own test is elsewhere); answers its name, if it found one. */
export function killer(
  installation: Installation,
  random: Random,
  more: () => readonly Part[] = () => [],
): () => Promise<string | undefined> {
  let spared = new Set<string>();
  return async () => {
    // The installation may be gone when a failed test is cleaned up.
    const living = [...(await installation.processes().catch(() => [])), ...more()];
    const parts = living.filter((part) => part.name !== 'keeper');
    const left = parts.filter((part) => !spared.has(part.name));
    if (left.length === 0) spared = new Set();
    const candidates = left.length === 0 ? parts : left;
    if (candidates.length === 0) return undefined;
    const victim = random.pick(candidates);
    try {
      process.kill(victim.pid, 'SIGKILL');
    } catch {
      // It ended between the look and the kill.
      return undefined;
    }
    spared.add(victim.name);
    return victim.name;
  };
}
