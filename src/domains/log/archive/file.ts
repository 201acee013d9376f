// An archive file: NDJSON in zstd, one frame a sealed segment, one after the other. `zstd -d` reads it as a whole; where
// each frame begins is kept beside it, so that one segment is read without those before it.
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { type Line, SegmentDigest, splitLines } from '../seals/canonical.ts';
import type { SealOutline } from '../seals/store.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** A file that is missing, cut, or not what its seals say. */
export class ArchiveDamaged extends Error {
  override readonly name = 'ArchiveDamaged';
}

export interface Frames {
  readonly path: string;
  readonly firstSeal: number;
  readonly offsets: readonly number[];
  readonly bytes: number;
}

/** Writes frames to a path of its own and makes them durable; who calls gives the file its name. */
export class FrameWriter {
  readonly offsets: number[] = [];
  bytes = 0;
  readonly #file: Awaited<ReturnType<typeof open>>;

  private constructor(file: Awaited<ReturnType<typeof open>>) {
    this.#file = file;
  }

  static async create(path: string): Promise<FrameWriter> {
    return new FrameWriter(await open(path, 'wx', 0o600));
  }

  async add(lines: readonly Line[]): Promise<void> {
    const text = Buffer.concat(lines.map((line) => line.text));
    const frame = await compress(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    this.offsets.push(this.bytes);
    for (let at = 0; at < frame.length; ) {
      at += (await this.#file.write(frame, at, frame.length - at, this.bytes + at)).bytesWritten;
    }
    this.bytes += frame.length;
  }

  async end(): Promise<void> {
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** The rows of a segment as the file has them. Throws ArchiveDamaged; a missing file is ENOENT. */
export async function readFrame(frames: Frames, seal: Pick<SealOutline, 'number' | 'bytes'>): Promise<Line[]> {
  const place = seal.number - frames.firstSeal;
  const start = frames.offsets[place];
  const end = frames.offsets[place + 1] ?? frames.bytes;
  if (start === undefined || !(end > start)) throw new ArchiveDamaged(`the file has no frame of seal ${seal.number}`);
  const file = await open(frames.path, 'r');
  try {
    const frame = Buffer.alloc(end - start);
    const { bytesRead } = await file.read(frame, 0, frame.length, start);
    if (bytesRead < frame.length) throw new ArchiveDamaged('the file ends too early');
    const lines = splitLines(await unpacked(frame, seal.bytes));
    if (lines === undefined) throw new ArchiveDamaged(`the frame of seal ${seal.number} holds other than events`);
    return lines;
  } finally {
    await file.close();
  }
}

// A frame that was changed may unpack to anything, also to more than memory: a little above what was sealed is enough
// to name a row that was put in.
async function unpacked(frame: Buffer, bytes: number): Promise<Buffer> {
  try {
    return await decompress(frame, { maxOutputLength: bytes * 2 + 1024 * 1024 });
  } catch (cause) {
    throw new ArchiveDamaged(`a frame cannot be unpacked: ${(cause as Error).message}`, { cause });
  }
}

/** Whether these rows are the ones that the seal was put on. */
export function isAsSealed(seal: SealOutline, lines: readonly Line[]): boolean {
  const digest = new SegmentDigest(seal.from_seq - 1);
  for (const line of lines) digest.add(line);
  return digest.rows === seal.rows && digest.end().rows_hash.equals(seal.rows_hash);
}

/** Makes a rename or a new name in the directory outlast a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
