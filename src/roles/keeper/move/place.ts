// Where the database of an installation is, once it was moved: one file, replaced in one step, which alone decides. Without
// it DATABASE_URL does, and without that the embedded server. The file holds a password and is its owner's only.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../../../platform/db/embedded/secrets.ts';

export type Place =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'own';
      readonly url: string;
      /** Without the pooler between, where there is one. */
      readonly directUrl?: string | undefined;
    };

/** A place that a move has led to. */
export type MovedPlace = Place & {
  /** The move that led there; the database it came from says the same. */
  readonly move: string;
  /** ISO 8601 */
  readonly since: string;
};

/** Somebody changed the file by hand, or the disk lost it. */
export class PlaceUnreadable extends Error {
  override readonly name = 'PlaceUnreadable';
}

export function placeFile(dataDir: string): string {
  return join(dataDir, 'secrets', 'database.json');
}

/** Undefined when the database was never moved. Throws PlaceUnreadable: guessing would start the wrong one. */
export function readPlace(dataDir: string): MovedPlace | undefined {
  const place = readSecretJson<MovedPlace>(placeFile(dataDir));
  if (place === undefined) return undefined;
  const isWhole = typeof place.move === 'string' && (place.kind === 'embedded' || typeof place.url === 'string');
  if (!isWhole) throw new PlaceUnreadable(`${placeFile(dataDir)} does not say where the database is`);
  return place;
}

/** Writes the new place beside the one that holds, so that the switch itself needs no room on the disk. */
export function preparePlace(dataDir: string, place: MovedPlace): void {
  writeBeside(placeFile(dataDir), place);
}

/** The switch: from now on the prepared place holds. When this returns it is on disk. */
export function switchPlace(dataDir: string): void {
  putInPlace(placeFile(dataDir));
}

/** `db.example.com:5432/quarterdeck`, without user and password. */
export function shownPlace(place: Place): string {
  return place.kind === 'embedded' ? 'embedded' : shownUrl(place.url);
}

export function shownUrl(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

/** Whether two addresses name the same database of the same user; passwords and options may have changed. */
export function isSameAddress(one: string, other: string): boolean {
  const key = (url: string) => {
    const { hostname, port, pathname, username } = new URL(url);
    return [hostname, port || '5432', pathname, username].join(' ');
  };
  return key(one) === key(other);
}

/** Written whole or not at all, its owner's only; on disk when this returns. */
export function writeSecretJson(file: string, value: object): void {
  writeBeside(file, value);
  putInPlace(file);
}

function writeBeside(file: string, value: object): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const descriptor = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(value)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function putInPlace(file: string): void {
  renameSync(`${file}.new`, file);
  syncDirectory(dirname(file));
}

/** Takes back what was prepared for a switch that did not come. */
export function dropPrepared(dataDir: string): void {
  removeSecretFile(`${placeFile(dataDir)}.new`);
}

/** Undefined when there is none. Throws PlaceUnreadable. */
export function readSecretJson<T>(file: string): T | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new PlaceUnreadable(`${file} cannot be read`, { cause });
  }
}

export function removeSecretFile(file: string): void {
  rmSync(file, { force: true });
}
