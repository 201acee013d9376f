// Seals the log after the fact: writers are never held up, because only rows below the horizon are taken. A segment ends
// at a committed row, or with its partition once a later row is committed: a bare number may be drawn again after a crash.
import type { Call } from '../../../platform/call.ts';
import { type Database, fleetScope } from '../../../platform/db/database.ts';
import { announce } from '../../../platform/signals.ts';
import { logEvents } from '../events.ts';
import type { Log } from '../service.ts';
import { newestSeq, readHorizon } from '../store.ts';
import { formatHead, genesisHash, type Line, SegmentDigest, sealHash } from './canonical.ts';
import * as store from './store.ts';

export interface SealLimits {
  /** Rows of a full segment. */
  readonly rows: number;
  /** Bytes of a full segment in canonical form. */
  readonly bytes: number;
  /** A segment that is not full is sealed when its oldest row is this old. */
  readonly ageSeconds: number;
}

export const sealLimits: SealLimits = { rows: 10_000, bytes: 16 * 1024 * 1024, ageSeconds: 3_600 };

/** Payloads may be 256 KiB: what is read at once stays below some 50 MB. */
const PAGE = 200;

/** Seals the next segment when there is one to seal; answers whether there may be another at once. */
export async function sealNext(db: Database, log: Log, call: Call, limits = sealLimits): Promise<boolean> {
  const range = await nextRange(db, limits);
  if (range === undefined) return false;
  const { last, from, sealedAt } = range;
  const digest = new SegmentDigest(from - 1);
  const to = await digestRows(db, digest, range, limits);
  const prev_hash = last?.hash ?? genesisHash(await db.read(fleetScope, store.logIdentity));
  const { rows, bytes, first_at, last_at } = digest;
  const number = (last?.number ?? 0) + 1;
  const facts = { number, from_seq: from, to_seq: to, rows, bytes, first_at, last_at, prev_hash, sealed_at: sealedAt };
  const whole = { ...facts, ...digest.end() };
  const hash = sealHash(whole);
  const isFirst = await db.write(fleetScope, async (tx) => {
    if (!(await store.insertSeal(tx, { ...whole, hash }))) return false;
    const head = formatHead(number, hash);
    await log.append(tx, call, [logEvents.make('segment.sealed', { head, from_seq: from, to_seq: to, rows })]);
    return true;
  });
  if (isFirst) announce('log.sealed', number);
  return true;
}

interface SealRange {
  readonly last: store.Seal | undefined;
  readonly from: number;
  /** The highest number that the segment may hold. */
  readonly most: number;
  readonly sealedAt: string;
}

async function nextRange(db: Database, limits: SealLimits): Promise<SealRange | undefined> {
  // The horizon first, in a statement of its own; rows up to it are final.
  const horizon = await db.read(fleetScope, readHorizon);
  return db.read(fleetScope, async (tx) => {
    const [last, newest, partitions] = await Promise.all([
      store.lastSeal(tx),
      newestSeq(tx, horizon.seq),
      store.partitions(tx),
    ]);
    const from = (last?.to_seq ?? 0) + 1;
    if (newest < from) return undefined;
    // No segment reaches over the end of a partition, so that a partition's file holds whole segments.
    const end = partitions.find(({ upper_bound }) => upper_bound > from)?.upper_bound;
    const isClosed = end !== undefined && newest >= end;
    const most = isClosed ? end - 1 : newest;
    const waiting = await store.waitingRows(tx, from, most, limits.rows);
    const isDue = isClosed || waiting.rows >= limits.rows || waiting.age >= limits.ageSeconds;
    return isDue ? { last, from, most, sealedAt: waiting.now } : undefined;
  });
}

// Answers the number at which the segment ends.
async function digestRows(
  db: Database,
  digest: SegmentDigest,
  { from, most }: SealRange,
  limits: SealLimits,
): Promise<number> {
  for (let next = from; ; ) {
    const page = Math.min(PAGE, limits.rows - digest.rows);
    const lines: Line[] = await db.read(fleetScope, (tx) => store.readLines(tx, next, most, page));
    for (const line of lines) {
      digest.add(line);
      if (digest.rows >= limits.rows || digest.bytes >= limits.bytes) return line.seq;
    }
    if (lines.length < page) return most;
    next = lines.at(-1)!.seq + 1;
  }
}
