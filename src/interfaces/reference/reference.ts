// The generated files: the pages of docs/reference and the methods of both SDKs. What can be read off the code is never
// written by hand.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allOperations } from '../../operations.ts';
import { pythonOperations } from '../sdk/python.ts';
import { typescriptOperations } from '../sdk/typescript.ts';
import { cliPage } from './cli-page.ts';
import { errorsPage } from './errors-page.ts';
import { eventsPage } from './events-page.ts';
import { operationsPage } from './operations-page.ts';
import { parityPage } from './parity-page.ts';
import { settingsPage } from './settings-page.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

const generated: Readonly<Record<string, () => string>> = {
  'docs/reference/operations.md': operationsPage,
  'docs/reference/parity.md': parityPage,
  'docs/reference/cli.md': cliPage,
  'docs/reference/errors.md': errorsPage,
  'docs/reference/events.md': eventsPage,
  'docs/reference/settings.md': settingsPage,
  'sdk/src/operations.ts': () => typescriptOperations(allOperations),
  'python/quarterdeck/operations.py': () => pythonOperations(allOperations),
};

/** Writes every file; answers their paths. */
export async function writeGenerated(): Promise<string[]> {
  for (const [path, text] of Object.entries(generated)) {
    await mkdir(dirname(root + path), { recursive: true });
    await writeFile(root + path, text());
  }
  return Object.keys(generated);
}

/** Paths of the files that differ from what the code says. */
export async function staleGenerated(): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, text] of Object.entries(generated)) {
    const written = await readFile(root + path, 'utf8').catch(() => '');
    if (written !== text()) stale.push(path);
  }
  return stale;
}
