// What goes into a bundle, part by part. A part that cannot be had is left out and said; nothing here needs anything to run.
import { lstatSync, readdirSync } from 'node:fs';
import { arch, cpus, freemem, loadavg, platform, release, totalmem, uptime } from 'node:os';
import { join } from 'node:path';
import { freeBytes } from '../../../../platform/db/embedded/free-bytes.ts';
import { layoutOf } from '../../../../platform/db/embedded/layout.ts';
import { version } from '../../../../platform/version.ts';
import { survey } from '../../../../roles/keeper/survey.ts';
import { readPlace, settingRows } from '../config-report.ts';
import type { Place } from '../place.ts';
import { askDatabase, embeddedUrl } from './database-facts.ts';
import { logFiles, logTail } from './log-tails.ts';

export interface Part {
  readonly name: string;
  readonly text: string;
}

export interface Missing {
  readonly name: string;
  readonly why: string;
}

const MOST_ENTRIES = 200_000;
const LOGS_BYTES = 8 * 1024 * 1024;

export interface Collected {
  readonly parts: readonly Part[];
  readonly missing: readonly Missing[];
}

/** `dataDir` may be missing: then there is little, and that is said. */
export async function collect(dataDir: string, exists: boolean, place: Place): Promise<Collected> {
  const parts: Part[] = [];
  const missing: Missing[] = [];
  const add = async (name: string, make: () => unknown) => {
    try {
      parts.push({ name, text: `${JSON.stringify(await make(), null, 2)}\n` });
    } catch (error) {
      missing.push({ name, why: (error as Error).message });
    }
  };
  await add('program.json', programFacts);
  await add('settings.json', () => settingsFacts(place));
  if (!exists)
    return { parts, missing: [...missing, { name: 'the rest', why: `there is no data directory ${dataDir}` }] };
  await add('parts.json', () => survey(dataDir));
  await add('disk.json', () => diskFacts(dataDir));
  await addLogs(join(dataDir, 'logs'), parts, missing);
  await addDatabase(dataDir, place, parts, missing);
  return { parts, missing };
}

function programFacts() {
  return {
    quarterdeck: version,
    node: process.version,
    platform: platform(),
    arch: arch(),
    kernel: release(),
    libc:
      (process.report.getReport() as { header?: { glibcVersionRuntime?: string } }).header?.glibcVersionRuntime ?? null,
    is_root: process.getuid?.() === 0,
    cpus: cpus().length,
    memory_bytes: totalmem(),
    memory_free_bytes: freemem(),
    load: loadavg(),
    machine_up_seconds: Math.round(uptime()),
    at: new Date().toISOString(),
  };
}

function settingsFacts(place: Place) {
  const explained = readPlace(place);
  return {
    settings: settingRows(explained).map(({ key, value, origin }) => ({ key, value, origin })),
    problems: explained.problems.map(({ place: at, key, expected }) => ({ place: at, key, expected })),
  };
}

function diskFacts(dataDir: string) {
  const sizes = readdirSync(dataDir).map((name) => ({ name, ...sizeOf(join(dataDir, name)) }));
  return { free_bytes: freeBytes(dataDir), below_the_data_directory: sizes };
}

// Up to a number of entries: a directory of millions must not hold up the report about it.
function sizeOf(path: string): { bytes: number; entries: number; is_complete: boolean } {
  let bytes = 0;
  let entries = 0;
  const open = [path];
  while (open.length > 0 && entries < MOST_ENTRIES) {
    const next = open.pop()!;
    entries++;
    const facts = lstatSync(next, { throwIfNoEntry: false });
    if (facts === undefined) continue;
    bytes += (facts.blocks ?? 0) * 512;
    if (facts.isDirectory()) open.push(...namesIn(next).map((name) => join(next, name)));
  }
  return { bytes, entries, is_complete: open.length === 0 };
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

async function addLogs(logs: string, parts: Part[], missing: Missing[]): Promise<void> {
  try {
    let room = LOGS_BYTES;
    for (const name of logFiles(logs)) {
      if (room <= 0) {
        missing.push({ name: `logs/${name}`, why: 'the newer ones take all the room' });
        continue;
      }
      const text = logTail(logs, name);
      room -= text.length;
      parts.push({ name: `logs/${name}`, text });
    }
  } catch (error) {
    missing.push({ name: 'logs', why: (error as Error).message });
  }
}

async function addDatabase(dataDir: string, place: Place, parts: Part[], missing: Missing[]): Promise<void> {
  try {
    const external = readPlace(place).settings.find(({ key }) => key === 'database_url')?.value;
    const url = typeof external === 'string' ? external : embeddedUrl(layoutOf(dataDir).root);
    if (url === undefined) {
      missing.push({ name: 'database', why: 'the embedded database does not run' });
      return;
    }
    for (const { name, rows, problem } of await askDatabase(url)) {
      if (rows === undefined) missing.push({ name: `database/${name}.json`, why: problem ?? 'no answer' });
      else parts.push({ name: `database/${name}.json`, text: `${JSON.stringify(rows, null, 2)}\n` });
    }
  } catch (error) {
    missing.push({ name: 'database', why: (error as Error).message });
  }
}
