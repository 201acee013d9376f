// The one form in which an event is hashed and archived, and the hashes over it. The payload is PostgreSQL's own text of
// it and the time has microseconds: what JavaScript would make of a long number or a time is not what was logged.
import { createHash } from 'node:crypto';

/** An event as `canonicalColumns` reads it. */
export interface CanonicalRow {
  readonly seq: number;
  readonly id: string;
  readonly at: string;
  readonly tenant_id: string;
  readonly event_type: string;
  readonly source_agent: string;
  readonly subject: string | null;
  readonly correlation_id: string | null;
  readonly causation_id: string | null;
  /** JSON text. */
  readonly payload: string;
}

/** One event as a line of NDJSON. */
export interface Line {
  readonly seq: number;
  readonly at: string;
  /** With its line feed. */
  readonly text: Buffer;
}

/** What a seal says of its segment; its hash covers all of it. */
export interface SealFacts {
  readonly number: number;
  readonly from_seq: number;
  readonly to_seq: number;
  readonly rows: number;
  readonly bytes: number;
  readonly first_at: string | null;
  readonly last_at: string | null;
  readonly rows_hash: Buffer;
  readonly leaves: Buffer;
  readonly prev_hash: Buffer;
  readonly sealed_at: string;
}

const LEAF_BYTES = 8;
const LINE_START = /^\{"seq":([1-9][0-9]{0,15}),"id":"(?:[^"\\]|\\.)*","at":"([^"]+)"/;

export function lineOf(row: CanonicalRow): Line {
  const { seq, id, at, tenant_id, event_type, source_agent, subject, correlation_id, causation_id } = row;
  const head = JSON.stringify({
    seq,
    id,
    at,
    tenant_id,
    event_type,
    source_agent,
    subject,
    correlation_id,
    causation_id,
  });
  return { seq, at, text: Buffer.from(`${head.slice(0, -1)},"payload":${row.payload}}\n`) };
}

/** The lines of an archived segment; undefined when it does not consist of such lines. */
export function splitLines(text: Buffer): Line[] | undefined {
  const lines: Line[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf(10, start);
    if (end === -1) return undefined;
    const line = text.subarray(start, end + 1);
    const match = LINE_START.exec(line.toString('utf8', 0, 600));
    if (match === null) return undefined;
    lines.push({ seq: Number(match[1]), at: match[2]!, text: line });
    start = end + 1;
  }
  return lines;
}

/** Takes the rows of a segment in order and keeps of each only its leaf. */
export class SegmentDigest {
  rows = 0;
  bytes = 0;
  first_at: string | null = null;
  last_at: string | null = null;
  #before: number;
  readonly #hash = createHash('sha256');
  readonly #leaves: Buffer[] = [];

  /** `before`: the number in front of the segment. */
  constructor(before: number) {
    this.#before = before;
  }

  add(line: Line): void {
    this.rows++;
    this.bytes += line.text.length;
    // Times have one form and one zone, so text compares as time does.
    if (this.first_at === null || line.at < this.first_at) this.first_at = line.at;
    if (this.last_at === null || line.at > this.last_at) this.last_at = line.at;
    this.#hash.update(line.text);
    this.#leaves.push(varint(line.seq - this.#before), leafOf(line));
    this.#before = line.seq;
  }

  /** Once, at the end. */
  end(): { readonly rows_hash: Buffer; readonly leaves: Buffer } {
    return { rows_hash: this.#hash.digest(), leaves: Buffer.concat(this.#leaves) };
  }
}

export function sealHash(facts: SealFacts): Buffer {
  const { number, from_seq, to_seq, rows, bytes, first_at, last_at, rows_hash, leaves, prev_hash, sealed_at } = facts;
  const leavesHash = createHash('sha256').update(leaves).digest('hex');
  const words = [number, from_seq, to_seq, rows, bytes, first_at, last_at, sealed_at, rows_hash.toString('hex')];
  return createHash('sha256')
    .update(prev_hash)
    .update(JSON.stringify(['quarterdeck.seal.1', ...words, leavesHash]))
    .digest();
}

/** What the first seal has before it: the log's own identity, so that a chain fits one log only. */
export function genesisHash(identity: string): Buffer {
  return createHash('sha256').update(`quarterdeck.log.${identity}`).digest();
}

/** How a head is written outside: number and hash. */
export function formatHead(number: number, hash: Buffer): string {
  return `${number}-${hash.toString('hex')}`;
}

export interface RowDifference {
  readonly kind: 'row_changed' | 'row_deleted' | 'row_inserted';
  readonly seq: number;
}

/** Which rows differ from what the leaves remember, by number. `before`: the number in front of the segment. */
export function rowDifferences(before: number, leaves: Buffer, lines: readonly Line[]): RowDifference[] {
  const remembered = readLeaves(before, leaves);
  const found = new Map(lines.map((line) => [line.seq, leafOf(line)]));
  const differences: RowDifference[] = [];
  for (const [seq, leaf] of remembered) {
    const now = found.get(seq);
    if (now === undefined) differences.push({ kind: 'row_deleted', seq });
    else if (!now.equals(leaf)) differences.push({ kind: 'row_changed', seq });
  }
  for (const seq of found.keys()) if (!remembered.has(seq)) differences.push({ kind: 'row_inserted', seq });
  return differences.sort((a, b) => a.seq - b.seq);
}

function leafOf(line: Line): Buffer {
  return createHash('sha256').update(line.text).digest().subarray(0, LEAF_BYTES);
}

// Bytes that somebody changed may say anything; they are read as far as they make sense.
function readLeaves(before: number, leaves: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  let seq = before;
  for (let at = 0; at < leaves.length; ) {
    let step = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = leaves[at++];
      if (byte === undefined || factor > 128 ** 7) return found;
      step += (byte & 127) * factor;
      if (byte < 128) break;
    }
    seq += step;
    if (at + LEAF_BYTES > leaves.length) return found;
    found.set(seq, leaves.subarray(at, at + LEAF_BYTES));
    at += LEAF_BYTES;
  }
  return found;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
