// One process per outbox: two would cut off each other's events. A lock file with the pid of its holder; that of a dead
// process is taken over.
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';

/** Held in this very process: after a restart in a container the pid is often the same, and then proves nothing. */
const ours = new Set<string>();

/** Answers how to let go. Throws when a living process has it. */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  const own = `${path}.${process.pid}`;
  await writeFile(own, String(process.pid));
  try {
    // A link appears with its content, or not at all.
    while (!(await tryLink(own, path))) await removeStale(path);
  } finally {
    await rm(own, { force: true });
  }
  ours.add(path);
  return async () => {
    ours.delete(path);
    await rm(path, { force: true });
  };
}

async function tryLink(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function removeStale(path: string): Promise<void> {
  const holder = await pidIn(path);
  if (holder !== undefined && isHolding(holder, path)) {
    throw new Error(`the outbox is held by process ${holder}; give each process one of its own (${path})`);
  }
  // Moved before it is removed: whoever else found it stale may have put a lock of its own there meanwhile.
  const aside = `${path}.stale.${process.pid}`;
  await rename(path, aside).catch(ignoreMissing);
  const moved = await pidIn(aside);
  if (moved !== undefined && isHolding(moved, path)) await tryLink(aside, path);
  await rm(aside, { force: true });
}

async function pidIn(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(ignoreMissing);
  return text === undefined ? undefined : Number(text);
}

function isHolding(pid: number, path: string): boolean {
  if (pid === process.pid) return ours.has(path);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
