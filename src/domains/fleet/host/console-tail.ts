// Follows what one agent prints, from the log file to chunks by byte offset: masked, in rows of a useful size, and with a
// cap on how much a flood may put into the database. It reads files; the database is written by console-feed.ts.
import { closeSync, fstatSync, readSync } from 'node:fs';
import { openPart } from './log-file.ts';
import { heldBack, mask } from './masking.ts';

export interface NewChunk {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/** One file, or an older part of it, with the console offset of its first byte. */
interface Segment {
  readonly fd: number;
  readonly base: number;
}

/** Kept in the database for each agent; what is further behind than this is not sent at all. */
export const RETAINED_BYTES = 4 * 1024 * 1024;
const KEPT_OF_FLOOD = 1024 * 1024;
const READ_BYTES = 256 * 1024;
/** A flood gets this much a second once the allowance of RETAINED_BYTES is used up. */
const REFILL_PER_MS = 262_144 / 1000;
/** A chunk smaller than this grows with the next output instead of being followed by another row. */
const SMALL_CHUNK = 2_048;
const LARGEST_CHUNK = 32 * 1024;
/** What may be the beginning of a secret waits so long for its rest. */
const HOLD_MS = 1_000;

export class ConsoleTail {
  readonly #dir: string;
  #secrets: readonly string[] = [];
  #segments: Segment[] = [];
  #position: number;
  #open: NewChunk | undefined;
  #allowance = RETAINED_BYTES;
  #refilled = performance.now();
  #heldSince: number | undefined;

  /** `position`: the offset up to which the database has it; `base`: that of the log file's first byte. */
  constructor(dir: string, position: number, base: number) {
    this.#dir = dir;
    this.#position = position;
    const current = openPart(dir, 0);
    if (current !== undefined) this.#segments.push({ fd: current, base });
    if (position < base) this.#reopenOlder(base);
  }

  /** Secrets of the processes whose output is still to be read. */
  get secrets(): readonly string[] {
    return this.#secrets;
  }

  // The longest first: one that begins with another would keep its rest.
  set secrets(secrets: readonly string[]) {
    this.#secrets = [...new Set(secrets)].sort((a, b) => b.length - a.length);
  }

  get size(): number {
    const segment = this.#segments.at(-1);
    return segment === undefined ? 0 : fstatSync(segment.fd).size;
  }

  /** The log file was renamed and begun anew; the first byte of the new one has this offset. */
  followRenamed(base: number): void {
    const current = openPart(this.#dir, 0);
    if (current !== undefined) this.#segments.push({ fd: current, base });
  }

  /** The log file was copied and emptied; the copy begins at one offset, what comes next at the other. */
  followCopied(copyBase: number, base: number): void {
    const emptied = this.#segments.pop();
    const copy = openPart(this.#dir, 1);
    if (copy !== undefined && this.#position < base) this.#segments.push({ fd: copy, base: copyBase });
    else if (copy !== undefined) closeSync(copy);
    if (emptied !== undefined) this.#segments.push({ fd: emptied.fd, base });
  }

  /** What is to be written now, without counting it as written; undefined when there is nothing. */
  next(now: number = performance.now()): { chunks: NewChunk[]; commit(): void } | undefined {
    this.#refill(now);
    this.#dropFinished();
    this.#noticeTruncation();
    const segment = this.#segments[0];
    if (segment === undefined) return undefined;
    const from = Math.max(this.#position, segment.base);
    const behind = this.#behind();
    if (from > this.#position || behind > RETAINED_BYTES) {
      return this.#leaveOut(Math.max(from, this.#position + behind - KEPT_OF_FLOOD));
    }
    const most = Math.min(READ_BYTES, Math.floor(this.#allowance));
    if (behind <= 0 || most <= 0) return undefined;
    const raw = read(segment.fd, from - segment.base, Math.min(most, behind));
    const bytes = this.#mask(raw, now);
    if (bytes.length === 0) return undefined;
    const chunks = this.#toChunks(from, bytes);
    return {
      chunks,
      commit: () => {
        this.#position = from + bytes.length;
        this.#allowance -= bytes.length;
        const last = chunks.at(-1)!;
        this.#open = last.bytes.length < SMALL_CHUNK ? last : undefined;
      },
    };
  }

  close(): void {
    for (const { fd } of this.#segments.splice(0)) closeSync(fd);
  }

  // A beginning of a secret at the end stays back, but not for ever: it may be ordinary text.
  #mask(raw: Buffer, now: number): Buffer {
    const masked = mask(raw, this.#secrets);
    const held = heldBack(masked, this.#secrets);
    if (held === 0) this.#heldSince = undefined;
    else this.#heldSince ??= now;
    const isOver = this.#heldSince !== undefined && now - this.#heldSince >= HOLD_MS;
    if (isOver) this.#heldSince = undefined;
    return isOver ? masked : masked.subarray(0, masked.length - held);
  }

  #toChunks(from: number, bytes: Buffer): NewChunk[] {
    const grows = this.#open !== undefined && this.#open.end === from;
    const start = grows ? this.#open!.start : from;
    const all = grows ? Buffer.concat([this.#open!.bytes, bytes]) : bytes;
    const chunks: NewChunk[] = [];
    for (let at = 0; at < all.length; at += LARGEST_CHUNK) {
      const part = all.subarray(at, at + LARGEST_CHUNK);
      chunks.push({ start: start + at, end: start + at + part.length, bytes: part });
    }
    return chunks;
  }

  #leaveOut(until: number): { chunks: NewChunk[]; commit(): void } {
    const start = this.#position;
    const text = `\n[quarterdeck: ${until - start} bytes are left out here; the log files on the host may have them]\n`;
    return {
      chunks: [{ start, end: until, bytes: Buffer.from(text) }],
      commit: () => {
        this.#position = until;
        this.#open = undefined;
        this.#allowance = Math.max(this.#allowance, KEPT_OF_FLOOD);
      },
    };
  }

  // Bytes that lie ready over all segments.
  #behind(): number {
    const last = this.#segments.at(-1)!;
    return last.base + fstatSync(last.fd).size - this.#position;
  }

  #dropFinished(): void {
    while (this.#segments.length > 1) {
      const { fd, base } = this.#segments[0]!;
      if (this.#position < base + fstatSync(fd).size) return;
      closeSync(fd);
      this.#segments.shift();
    }
  }

  // An agent that reopened its output with "truncate" has emptied the file under us.
  #noticeTruncation(): void {
    const [segment] = this.#segments;
    if (segment === undefined || this.#segments.length > 1) return;
    if (segment.base + fstatSync(segment.fd).size < this.#position) {
      this.#segments[0] = { fd: segment.fd, base: this.#position };
    }
  }

  #refill(now: number): void {
    this.#allowance = Math.min(RETAINED_BYTES, this.#allowance + (now - this.#refilled) * REFILL_PER_MS);
    this.#refilled = now;
  }

  // After a restart of the host the part that was closed last may hold what was not sent yet.
  #reopenOlder(base: number): void {
    const older = openPart(this.#dir, 1);
    if (older !== undefined) this.#segments.unshift({ fd: older, base: base - fstatSync(older).size });
  }
}

function read(fd: number, at: number, most: number): Buffer {
  const buffer = Buffer.allocUnsafe(most);
  return buffer.subarray(0, readSync(fd, buffer, 0, most, at));
}
