// The id of a data directory among all hosts: the next host there inherits claims, and what was declared from there is
// told from what another machine declared.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FORM = /^[0-9a-f-]{36}$/;

/** Made when it is asked for the first time; it lives as long as the directory. */
export function hostIdOf(dataDir: string): string {
  const root = join(dataDir, 'agents');
  const file = join(root, 'host-id');
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const known = readId(file);
  if (known !== undefined && FORM.test(known)) return known;
  const made = randomUUID();
  const draft = `${file}.${made}`;
  try {
    // Complete and on the disk before it gets its name, so that no kill and no full disk leaves an empty file there.
    writeFileSync(draft, `${made}\n`, { flag: 'wx', mode: 0o600, flush: true });
    // A link does not replace: of two that make one at the same time the first wins. An empty file names nobody.
    if (known === undefined) linkUnlessThere(draft, file);
    else renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(file, 'utf8').trim();
}

function linkUnlessThere(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function readId(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
