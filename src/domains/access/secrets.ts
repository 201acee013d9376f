// The form of secrets: `qd_<kind>_<random>_<checksum>`. The checksum lets a scanner and this server tell a real one from
// a typing mistake without asking the database; only the SHA-256 is stored (178 random bits need no slow hash).
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { findUuid, randomBase62, wireId } from '../../platform/ids.ts';

export type SecretKind = 'operator' | 'agent' | 'job' | 'session' | 'link';

const FORM = /^qd_(operator|agent|job|session|link)_([0-9A-Za-z]{30,52})_([0-9a-z]{7})$/;
const RANDOM_LENGTH = 30;
const ID_LENGTH = 22;

export interface Secret {
  readonly text: string;
  readonly hash: Buffer;
  /** First and last characters, to recognise it by. */
  readonly display: string;
}

export function newSecret(kind: SecretKind): Secret {
  return secretOf(kind, randomBase62(RANDOM_LENGTH));
}

/** The kind of a well-formed secret with a right checksum, else undefined. */
export function kindOfSecret(text: string): SecretKind | undefined {
  const match = FORM.exec(text);
  if (match === null || checksum(`qd_${match[1]}_${match[2]}`) !== match[3]) return undefined;
  return match[1] as SecretKind;
}

export function hashSecret(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The random part of a job's token: drawn before the claim says which jobs it is for. */
export function newJobSecret(): string {
  return randomBase62(RANDOM_LENGTH);
}

/** A job's token names its job, so that it is looked up by the job's key and needs no row of its own. */
export function jobToken(jobUuid: string, random: string): Secret {
  return secretOf('job', wireId('job', jobUuid).slice('job_'.length) + random);
}

/** The job that a job's token names. */
export function jobOfToken(text: string): string | undefined {
  return findUuid('job', `job_${text.slice('qd_job_'.length, 'qd_job_'.length + ID_LENGTH)}`);
}

/** What is stored of a job's token: the hash of its random part. */
export function hashJobSecret(random: string): Buffer {
  return hashSecret(random);
}

/** The hash to compare a job's token with. */
export function hashOfJobToken(text: string): Buffer {
  const start = 'qd_job_'.length + ID_LENGTH;
  return hashSecret(text.slice(start, start + RANDOM_LENGTH));
}

function secretOf(kind: SecretKind, random: string): Secret {
  const body = `qd_${kind}_${random}`;
  const text = `${body}_${checksum(body)}`;
  return { text, hash: hashSecret(text), display: `qd_${kind}_${random.slice(0, 4)}…${text.slice(-4)}` };
}

function checksum(body: string): string {
  return crc32(body).toString(36).padStart(7, '0');
}
