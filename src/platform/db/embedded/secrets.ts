// The passwords of the embedded server: random, one file each (0600), written whole or not at all. Also the form in which
// PostgreSQL keeps them, so that no password stands in a statement that could be logged.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureDirectory } from './layout.ts';

export function superuserSecretFile(secrets: string): string {
  return join(secrets, 'postgres.superuser');
}

export function ownerSecretFile(secrets: string): string {
  return join(secrets, 'postgres.owner');
}

/** Undefined when there is none; an empty file, as a power cut may leave it, is none. */
export function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The secret in the file, made and on disk before this returns when there was none. */
export function ensureSecret(file: string): string {
  const present = readSecret(file);
  if (present) return present;
  ensureDirectory(dirname(file), 0o700);
  const secret = randomBytes(24).toString('base64url');
  const temporary = `${file}.new`;
  const descriptor = openSync(temporary, 'w', 0o600);
  try {
    writeSync(descriptor, `${secret}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  syncDirectory(dirname(file));
  return secret;
}

/** Makes renames in a directory survive a power cut. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const ITERATIONS = 4096;

/** The verifier of RFC 5803 that PostgreSQL stores for a password. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const keyed = (word: string) => createHmac('sha256', salted).update(word).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${keyed('Server Key').toString('base64')}`;
}
