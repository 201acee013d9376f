// The copies of the database in <data>/copies, each a directory with the cluster and a label. What makes one is in
// make-copy.ts, what takes one back in restore-copy.ts.
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { EmbeddedFailure } from './failure.ts';
import { ensureDirectory, type Layout } from './layout.ts';
import { endStrayBackends } from './leftovers.ts';
import type { Log } from './log.ts';
import { syncDirectory } from './secrets.ts';
import { pendingSwap } from './swap.ts';

/** Why there is a copy: before migrations, before the next major version of PostgreSQL, or set aside by a way back. */
export type CopyReason = 'migrations' | 'major' | 'restore';

export interface CopyLabel {
  /** The version of Quarterdeck that left the database so, as far as it is known. */
  readonly version: string;
  /** ISO 8601. */
  readonly made_at: string;
  readonly reason: CopyReason;
  /** Names of the migrations it has. */
  readonly migrations: readonly string[];
  /** Version of PostgreSQL whose files they are. */
  readonly postgres: string;
  readonly bytes: number;
  /** SHA-256 of the file `manifest`, which holds one of each file; null when the directory itself was set aside. */
  readonly manifest_sha256: string | null;
}

export interface Copy extends CopyLabel {
  readonly name: string;
}

const KEPT = 2;
const LABEL = 'copy.json';
const MANIFEST = 'manifest';
const HALF = '.half';
// The names that beginCopy gives; whatever is called otherwise was put there by somebody else.
const OURS = /-\d{8}T\d{6}Z(-\d+)?(\.half)?$/;

/** What there is, newest first. */
export function listCopies(layout: Layout): Copy[] {
  const found = namesIn(layout).flatMap((name) => {
    const label = readLabel(layout, name);
    return label !== undefined && existsSync(clusterOfCopy(layout, name)) ? [{ name, ...label }] : [];
  });
  return found.sort((a, b) => (a.made_at < b.made_at ? 1 : -1));
}

/** Versions of PostgreSQL without which copies of another major version could not be opened any more. */
export function enginesOfCopies(layout: Layout, major: number): string[] {
  return listCopies(layout)
    .map(({ postgres }) => postgres)
    .filter((version) => Number.parseInt(version, 10) !== major);
}

/** Throws EmbeddedFailure when there is none of this name. */
export function getCopy(layout: Layout, name: string): Copy {
  const copies = listCopies(layout);
  const copy = copies.find((one) => one.name === name);
  if (copy !== undefined) return copy;
  const names = copies.map((one) => one.name).join(', ');
  throw new EmbeddedFailure('copy_not_found', `there is no copy ${JSON.stringify(name)} in ${layout.copies}`, {
    hint: names === '' ? 'There are no copies.' : `There are: ${names}.`,
  });
}

export function clusterOfCopy(layout: Layout, name: string): string {
  return join(layout.copies, name, 'postgres');
}

/** Begins one; it counts once it is finished. Answers its name, made of version and time. */
export function beginCopy(layout: Layout, version: string, now: Date, isFinal = false): string {
  ensureDirectory(layout.copies, 0o711);
  const second = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const plain = `${version.replaceAll(/[^\w.-]/g, '-')}-${second}`;
  const taken = new Set(namesIn(layout).map((one) => one.replace(HALF, '')));
  let name = plain;
  for (let count = 2; taken.has(name); count += 1) name = `${plain}-${count}`;
  const directory = isFinal ? name : `${name}${HALF}`;
  mkdirSync(join(layout.copies, directory));
  ensureDirectory(join(layout.copies, directory), 0o711);
  // On disk before a database is put into it.
  syncDirectory(layout.copies);
  syncDirectory(layout.root);
  return directory;
}

/** Makes a begun copy count. The label comes last but for the name. */
export function finishCopy(
  layout: Layout,
  half: string,
  label: Omit<CopyLabel, 'manifest_sha256'>,
  manifest: string,
): Copy {
  const whole = { ...label, manifest_sha256: sha256(manifest) };
  writeFileSync(join(layout.copies, half, MANIFEST), manifest, { mode: 0o600, flush: true });
  writeLabel(layout, half, whole);
  const name = half.slice(0, -HALF.length);
  renameSync(join(layout.copies, half), join(layout.copies, name));
  syncDirectory(layout.copies);
  return { name, ...whole };
}

export function writeLabel(layout: Layout, name: string, label: CopyLabel): void {
  const text = `${JSON.stringify(label, undefined, 2)}\n`;
  writeFileSync(join(layout.copies, name, LABEL), text, { mode: 0o600, flush: true });
  syncDirectory(join(layout.copies, name));
}

/** The manifest of a copy that has one. Throws EmbeddedFailure when it is not the one of the label. */
export function readManifest(layout: Layout, { name, manifest_sha256 }: Copy): string | undefined {
  if (manifest_sha256 === null) return undefined;
  const text = readIfPresent(join(layout.copies, name, MANIFEST));
  if (text !== undefined && sha256(text) === manifest_sha256) return text;
  throw copyDamaged(name, 'its manifest is not the one that was written');
}

export function copyDamaged(name: string, how: string, cause?: unknown): EmbeddedFailure {
  return new EmbeddedFailure('copy_damaged', `the copy ${name} is damaged: ${how}`, {
    hint: 'Nothing was changed. Take another copy or a backup.',
    cause,
  });
}

/**
 * Removes all but the newest two; answers the names. `justMade` is one of those that stay whatever its date says: the clock
 * may have been ahead when the others were made.
 */
export function removeOldCopies(layout: Layout, justMade: string): string[] {
  const others = listCopies(layout).filter(({ name }) => name !== justMade);
  return removeAll(layout, others.slice(KEPT - 1));
}

/** What goes when one more copy is made, newest first. */
export function copiesToGo(layout: Layout): Copy[] {
  return listCopies(layout).slice(KEPT - 1);
}

export function removeAll(layout: Layout, copies: readonly Copy[]): string[] {
  for (const { name } of copies) removeCopy(layout, name);
  return copies.map(({ name }) => name);
}

/** Ends and removes what a start that died while copying has left. */
export async function removeHalfCopies(layout: Layout, log: Log): Promise<void> {
  const coming = pendingSwap(layout);
  const halves = namesIn(layout)
    .filter((name) => OURS.test(name) && (name.endsWith(HALF) || isOnlyLabel(join(layout.copies, name))))
    .filter((name) => coming?.aside !== `${basename(layout.copies)}/${name}/postgres`)
    .map((name) => join(layout.copies, name));
  const clusters = [layout.restored, layout.next].filter((path) => basename(path) !== coming?.from);
  for (const half of [...halves, ...clusters]) {
    if (!existsSync(half)) continue;
    const cluster = clusters.includes(half) ? half : join(half, 'postgres');
    await endStrayBackends({ ...layout, cluster }, log);
    rmSync(half, { recursive: true, force: true });
  }
}

// Of a set-aside that did not come about. What somebody else put there is let be.
function isOnlyLabel(directory: string): boolean {
  return lstatSync(directory).isDirectory() && readdirSync(directory).every((name) => name === LABEL);
}

// Out of sight first: a removal that is cut short must leave nothing that looks whole.
function removeCopy(layout: Layout, name: string): void {
  const directory = join(layout.copies, name);
  renameSync(directory, `${directory}${HALF}`);
  rmSync(`${directory}${HALF}`, { recursive: true, force: true });
}

function namesIn(layout: Layout): string[] {
  return existsSync(layout.copies) ? readdirSync(layout.copies) : [];
}

function readLabel(layout: Layout, name: string): CopyLabel | undefined {
  if (name.endsWith(HALF)) return undefined;
  const text = readIfPresent(join(layout.copies, name, LABEL));
  try {
    return text === undefined ? undefined : (JSON.parse(text) as CopyLabel);
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
