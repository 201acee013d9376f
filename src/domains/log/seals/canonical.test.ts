import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CanonicalRow,
  formatHead,
  genesisHash,
  type Line,
  lineOf,
  rowDifferences,
  type SealFacts,
  SegmentDigest,
  sealHash,
  splitLines,
} from './canonical.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const optional = fc.option(text);
const row: fc.Arbitrary<CanonicalRow> = fc.record({
  seq: fc.integer({ min: 1, max: 2 ** 52 }),
  id: text,
  at: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }).map((date) => date.toISOString()),
  tenant_id: fc.uuid(),
  event_type: text,
  source_agent: text,
  subject: optional,
  correlation_id: optional,
  causation_id: optional,
  payload: fc.json({ maxDepth: 2 }).filter((json) => !json.includes('\n')),
});

/** Rows with rising numbers. */
const rows = fc
  .tuple(
    fc.array(row, { maxLength: 30 }),
    fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 30, maxLength: 30 }),
  )
  .map(([found, steps]) => {
    let seq = 0;
    return found.map((one, i) => {
      seq += steps[i]!;
      return { ...one, seq };
    });
  });

function digestOf(lines: readonly Line[]) {
  const digest = new SegmentDigest(0);
  for (const line of lines) digest.add(line);
  return { digest, ...digest.end() };
}

describe('the line of an event', () => {
  it('is JSON that says the same, ends its line and has no other line end', () => {
    fc.assert(
      fc.property(row, (one) => {
        const line = lineOf(one).text.toString();
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(JSON.parse(line)).toEqual({ ...one, payload: JSON.parse(one.payload) });
      }),
    );
  });

  it('keeps the payload as it was written, also numbers that JavaScript cannot hold', () => {
    fc.assert(
      fc.property(row, (one) => {
        const payload = '{"n": 12345678901234567890.10}';
        expect(lineOf({ ...one, payload }).text.toString()).toContain(`"payload":${payload}`);
      }),
    );
  });

  it('is found again among others, with its number and time', () => {
    fc.assert(
      fc.property(rows, (found) => {
        const lines = found.map(lineOf);
        expect(splitLines(Buffer.concat(lines.map((line) => line.text)))).toEqual(lines);
      }),
    );
  });

  it('is not taken for one when it is cut or something else', () => {
    expect(splitLines(Buffer.from('{"seq":1'))).toBeUndefined();
    expect(splitLines(Buffer.from('{"seq":"x"}\n'))).toBeUndefined();
    expect(splitLines(Buffer.from('no event\n'))).toBeUndefined();
  });
});

describe('the leaves of a segment', () => {
  it('name exactly the rows that were changed, taken out and put in', () => {
    const change = fc.record({
      changed: fc.array(fc.nat(29), { maxLength: 3 }),
      deleted: fc.array(fc.nat(29), { maxLength: 3 }),
      inserted: fc.array(fc.integer({ min: 1, max: 3_000_000 }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(rows, change, row, (found, { changed, deleted, inserted }, extra) => {
        const numbers = new Set(found.map(({ seq }) => seq));
        const gone = new Set(deleted.map((i) => found[i]?.seq));
        const touched = new Set(changed.map((i) => found[i]?.seq).filter((seq) => !gone.has(seq)));
        const added = [...new Set(inserted)].filter((seq) => !numbers.has(seq));
        const now = [
          ...found
            .filter(({ seq }) => !gone.has(seq))
            .map((one) => (touched.has(one.seq) ? { ...one, event_type: `${one.event_type}!` } : one)),
          ...added.map((seq) => ({ ...extra, seq })),
        ].sort((a, b) => a.seq - b.seq);
        const { leaves } = digestOf(found.map(lineOf));
        const expected = [
          ...[...touched].filter((seq) => seq !== undefined).map((seq) => ({ kind: 'row_changed', seq })),
          ...[...gone].filter((seq) => seq !== undefined).map((seq) => ({ kind: 'row_deleted', seq })),
          ...added.map((seq) => ({ kind: 'row_inserted', seq })),
        ].sort((a, b) => a.seq - b.seq);
        expect(rowDifferences(0, leaves, now.map(lineOf))).toEqual(expected);
      }),
    );
  });

  it('that hold anything at all end no reader', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(Array.isArray(rowDifferences(0, Buffer.from(bytes), []))).toBe(true);
      }),
    );
  });
});

describe('the hash of a seal', () => {
  const facts: SealFacts = {
    number: 3,
    from_seq: 11,
    to_seq: 20,
    rows: 9,
    bytes: 900,
    first_at: '2026-01-01T00:00:00.000001Z',
    last_at: '2026-01-02T00:00:00.000001Z',
    rows_hash: Buffer.alloc(32, 1),
    leaves: Buffer.alloc(81, 2),
    prev_hash: genesisHash('a'),
    sealed_at: '2026-01-03T00:00:00.000001Z',
  };

  it('covers every fact of it', () => {
    const other: SealFacts = {
      number: 4,
      from_seq: 12,
      to_seq: 21,
      rows: 8,
      bytes: 901,
      first_at: null,
      last_at: null,
      rows_hash: Buffer.alloc(32, 3),
      leaves: Buffer.alloc(81, 3),
      prev_hash: genesisHash('b'),
      sealed_at: '2026-01-03T00:00:00.000002Z',
    };
    const hashes = (Object.keys(facts) as (keyof SealFacts)[]).map((key) =>
      formatHead(1, sealHash({ ...facts, [key]: other[key] })),
    );
    expect(new Set([...hashes, formatHead(1, sealHash(facts))]).size).toBe(hashes.length + 1);
  });
});
