// The id of a data directory among all hosts: the next host there inherits claims, and what was declared from there is
// told from what another machine declared.
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Made when it is asked for the first time; it lives as long as the directory. */
export function hostIdOf(dataDir: string): string {
  const root = join(dataDir, 'agents');
  const file = join(root, 'host-id');
  mkdirSync(root, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, `${randomUUID()}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}
