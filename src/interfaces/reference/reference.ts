// The generated pages of docs/reference: what can be read off the code is never written by hand.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { cliPage } from './cli-page.ts';
import { errorsPage } from './errors-page.ts';
import { eventsPage } from './events-page.ts';
import { operationsPage } from './operations-page.ts';
import { settingsPage } from './settings-page.ts';

const directory = fileURLToPath(new URL('../../../docs/reference/', import.meta.url));

const pages: Readonly<Record<string, () => string>> = {
  'operations.md': operationsPage,
  'cli.md': cliPage,
  'errors.md': errorsPage,
  'events.md': eventsPage,
  'settings.md': settingsPage,
};

/** Writes every page; answers their names. */
export async function writePages(): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  for (const [name, page] of Object.entries(pages)) await writeFile(directory + name, page());
  return Object.keys(pages).map((name) => `docs/reference/${name}`);
}

/** Names of the pages that differ from what the code says. */
export async function stalePages(): Promise<string[]> {
  const stale: string[] = [];
  for (const [name, page] of Object.entries(pages)) {
    const written = await readFile(directory + name, 'utf8').catch(() => '');
    if (written !== page()) stale.push(`docs/reference/${name}`);
  }
  return stale;
}
