import { appendFileSync, closeSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConsoleTail, RETAINED_BYTES } from './console-tail.ts';
import { openForAppend, rotateByCopy, rotateByRename } from './log-file.ts';

let dir: string;
let tail: ConsoleTail | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-tail-'));
  closeSync(openForAppend(dir));
});
afterEach(() => {
  tail?.close();
  rmSync(dir, { recursive: true, force: true });
});

const print = (text: string) => appendFileSync(join(dir, 'console.log'), text);

/** Everything that is to be written now, as rows by offset. */
function drain(from: ConsoleTail): Map<number, { end: number; text: string }> {
  const rows = new Map<number, { end: number; text: string }>();
  for (let next = from.next(); next !== undefined; next = from.next()) {
    for (const chunk of next.chunks) rows.set(chunk.start, { end: chunk.end, text: chunk.bytes.toString() });
    next.commit();
  }
  return rows;
}
const textOf = (rows: Map<number, { text: string }>) => [...rows.values()].map((row) => row.text).join('');

test('what is not committed is offered again', () => {
  tail = new ConsoleTail(dir, 0, 0);
  print('once');
  expect(tail.next()!.chunks).toEqual([{ start: 0, end: 4, bytes: Buffer.from('once') }]);
  print(' more');
  const next = tail.next()!;
  expect(next.chunks).toEqual([{ start: 0, end: 9, bytes: Buffer.from('once more') }]);
  next.commit();
  expect(tail.next()).toBeUndefined();
});

test('small chunks grow in place instead of becoming many rows', () => {
  tail = new ConsoleTail(dir, 0, 0);
  const rows = new Map<number, { end: number; text: string }>();
  for (let i = 0; i < 300; i++) {
    print(`line ${String(i).padStart(4, '0')}\n`);
    for (const [start, row] of drain(tail)) rows.set(start, row);
  }
  expect(rows.size).toBeLessThan(4);
  expect(textOf(rows)).toBe(readFileSync(join(dir, 'console.log'), 'utf8'));
});

test('a reader goes on at its place after a restart, also into the part that was closed meanwhile', () => {
  print('abcdef');
  rotateByRename(dir);
  closeSync(openForAppend(dir));
  print('ghi');
  tail = new ConsoleTail(dir, 2, 6);
  expect(textOf(drain(tail))).toBe('cdefghi');
});

test('a rotation under a running writer loses nothing and keeps the offsets', () => {
  const writer = openForAppend(dir);
  try {
    tail = new ConsoleTail(dir, 0, 0);
    writeSync(writer, 'read ');
    const rows = drain(tail);
    writeSync(writer, 'unread ');
    const { size, skipped } = rotateByCopy(dir, 1_000);
    expect([size, skipped]).toEqual([12, 0]);
    tail.followCopied(0, size);
    writeSync(writer, 'new');
    for (const [start, row] of drain(tail)) rows.set(start, row);
    expect(textOf(rows)).toBe('read unread new');
    expect(Math.max(...[...rows.values()].map((row) => row.end))).toBe(15);
    expect(readFileSync(join(dir, 'console.log.1'), 'utf8')).toBe('read unread ');
    expect(readFileSync(join(dir, 'console.log'), 'utf8')).toBe('new');
  } finally {
    closeSync(writer);
  }
});

test('five parts are kept', () => {
  for (let i = 0; i < 8; i++) {
    print(`part ${i}`);
    rotateByRename(dir);
  }
  expect(readFileSync(join(dir, 'console.log.4'), 'utf8')).toBe('part 4');
  expect(() => readFileSync(join(dir, 'console.log.5'))).toThrow(/ENOENT/);
});

test('a flood is passed over with a row that counts what was left out', () => {
  tail = new ConsoleTail(dir, 0, 0);
  print('x'.repeat(RETAINED_BYTES + 100));
  const rows = [...drain(tail).entries()];
  const [start, first] = rows[0]!;
  expect([start, first.end]).toEqual([0, RETAINED_BYTES + 100 - 1024 * 1024]);
  expect(first.text).toContain(`${first.end} bytes are left out here`);
  expect(rows.at(-1)![1].end).toBe(RETAINED_BYTES + 100);
});

test('a file that its agent emptied is read on from its start', () => {
  tail = new ConsoleTail(dir, 0, 0);
  print('before');
  drain(tail);
  truncateSync(join(dir, 'console.log'));
  print('now');
  expect([...drain(tail).entries()]).toEqual([[0, { end: 9, text: 'beforenow' }]]);
});

test('of two secrets that begin alike nothing of the longer one is shown', () => {
  tail = new ConsoleTail(dir, 0, 0);
  tail.secrets = ['swordfish', 'swordfish-and-chips'];
  print('say swordfish-and-chips\n');
  expect(textOf(drain(tail))).toBe(`say ${'*'.repeat(19)}\n`);
});

test('the beginning of a secret waits for its rest, but not for ever', () => {
  tail = new ConsoleTail(dir, 0, 0);
  tail.secrets = ['swordfish-and-chips'];
  print('say swordfish');
  const next = tail.next(1_000)!;
  expect(next.chunks[0]!.bytes.toString()).toBe('say ');
  next.commit();
  expect(tail.next(1_500)).toBeUndefined();
  expect(tail.next(2_100)!.chunks[0]!.bytes.toString()).toBe('say swordfish');
  print('-and-chips');
  expect(tail.next(2_200)!.chunks[0]!.bytes.toString()).toBe(`say ${'*'.repeat(19)}`);
});
