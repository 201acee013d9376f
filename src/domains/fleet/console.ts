// What supervised agents printed, kept by byte offset: reading it as text. The SQL on fleet.console_chunks stands here too,
// because nothing else looks into it.
import type { Tx } from '../../platform/db/database.ts';

export interface Chunk {
  readonly start_offset: number;
  readonly end_offset: number;
  readonly bytes: Buffer;
}

export interface ConsoleText {
  readonly text: string;
  readonly offset: number;
  readonly next_offset: number;
  readonly first_offset: number;
}

export async function consoleBounds(tx: Tx, agentId: string): Promise<{ first: number; end: number }> {
  const [row] = await tx.query<{ first: number | null; end: number | null }>(
    `SELECT (SELECT start_offset FROM fleet.console_chunks WHERE agent_id = $1 ORDER BY start_offset LIMIT 1) AS first,
            (SELECT end_offset FROM fleet.console_chunks WHERE agent_id = $1 ORDER BY start_offset DESC LIMIT 1) AS end`,
    [agentId],
  );
  return { first: row?.first ?? 0, end: row?.end ?? 0 };
}

/** Reads up to `most` bytes from `after`, or the last `most` bytes. */
export async function readConsole(
  tx: Tx,
  agentId: string,
  range: { after: number | undefined; most: number },
): Promise<ConsoleText> {
  const { first, end } = await consoleBounds(tx, agentId);
  // Less than one character could never be answered.
  const most = Math.max(4, range.most);
  const from = Math.min(end, Math.max(first, range.after ?? end - most));
  // The chunk that holds `from` begins before it; 256 chunks of 2 KiB are more than the largest answer.
  const chunks = await tx.query<Chunk>(
    `SELECT start_offset, end_offset, bytes FROM fleet.console_chunks
     WHERE agent_id = $1 AND start_offset < $3 AND start_offset >= coalesce((SELECT max(start_offset)
       FROM fleet.console_chunks WHERE agent_id = $1 AND start_offset <= $2), 0)
     ORDER BY start_offset LIMIT 2000`,
    [agentId, from, from + most],
  );
  return { ...decode(chunks, from, most), first_offset: first };
}

/** The text of neighbouring chunks from an offset on, cut so that no character is torn. */
export function decode(
  chunks: readonly Chunk[],
  from: number,
  most: number,
): { text: string; offset: number; next_offset: number } {
  const parts: Buffer[] = [];
  let next = from;
  let taken = 0;
  for (const chunk of chunks) {
    if (chunk.end_offset <= next) continue;
    const isWhole = chunk.bytes.length === chunk.end_offset - chunk.start_offset;
    if (!isWhole) {
      // It stands for bytes that were left out: shown whole, and passed over in one step.
      if (taken + chunk.bytes.length > most && taken > 0) break;
      parts.push(chunk.bytes);
      taken += chunk.bytes.length;
      next = chunk.end_offset;
      continue;
    }
    const part = chunk.bytes.subarray(Math.max(0, next - chunk.start_offset)).subarray(0, most - taken);
    parts.push(part);
    taken += part.length;
    next = Math.max(next, chunk.start_offset) + part.length;
    if (taken >= most) break;
  }
  const bytes = Buffer.concat(parts);
  const head = leadingRest(bytes);
  const tail = unfinishedTail(bytes);
  return {
    text: bytes.subarray(head, bytes.length - tail).toString('utf8'),
    offset: from + head,
    next_offset: next - tail,
  };
}

// Bytes at the start that continue a character that began before it.
function leadingRest(bytes: Buffer): number {
  let count = 0;
  while (count < 3 && count < bytes.length && (bytes[count]! & 0xc0) === 0x80) count++;
  return count;
}

// Bytes at the end that begin a character without ending it.
function unfinishedTail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
