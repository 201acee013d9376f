// A process and its children stopped as if the machine had hung them (SIGSTOP), and let go again.
import { readdirSync, readFileSync } from 'node:fs';

export interface FrozenTree {
  freeze(): Promise<void>;
  /** Any number of times, also when nothing was stopped. */
  thaw(): Promise<void>;
}

export function frozenTree(root: number): FrozenTree {
  const stopped: number[] = [];
  return {
    async freeze() {
      // The parent first: from then on it makes no more children.
      process.kill(root, 'SIGSTOP');
      stopped.push(root);
      for (const pid of childrenOf(root)) {
        process.kill(pid, 'SIGSTOP');
        stopped.push(pid);
      }
    },
    async thaw() {
      for (const pid of stopped.splice(0).reverse()) {
        try {
          process.kill(pid, 'SIGCONT');
        } catch {
          // It is gone.
        }
      }
    },
  };
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    // The name in parentheses may hold anything, so what follows it counts from the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
