import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Chunk, decode } from './console.ts';

function chunksOf(bytes: Buffer, sizes: readonly number[]): Chunk[] {
  const chunks: Chunk[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const part = bytes.subarray(at, at + (sizes[i % sizes.length] ?? 1));
    chunks.push({ start_offset: at, end_offset: at + part.length, bytes: part });
    at += part.length;
  }
  return chunks;
}

test('reading on from each answer’s end gives the text whole, however it was cut', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 4, max: 30 }),
      (text, sizes, most) => {
        const bytes = Buffer.from(text);
        const chunks = chunksOf(bytes, sizes);
        let read = '';
        let after = 0;
        for (let turn = 0; after < bytes.length && turn < 1_000; turn++) {
          const part = decode(chunks, after, most);
          read += part.text;
          after = part.next_offset;
        }
        expect(read).toBe(bytes.toString());
      },
    ),
  );
});

test('a character that is not printed to its end yet waits for its rest', () => {
  const bytes = Buffer.from('aé').subarray(0, 2);
  expect(decode(chunksOf(bytes, [10]), 0, 100)).toEqual({ text: 'a', offset: 0, next_offset: 1 });
});

test('a chunk that stands for what was left out is shown whole and passed in one step', () => {
  const gap: Chunk = { start_offset: 10, end_offset: 5_000, bytes: Buffer.from('[left out]') };
  const next: Chunk = { start_offset: 5_000, end_offset: 5_004, bytes: Buffer.from('more') };
  expect(decode([gap, next], 10, 100)).toEqual({ text: '[left out]more', offset: 10, next_offset: 5_004 });
});
