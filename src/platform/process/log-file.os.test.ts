import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { emptyLargeLog, LOG_LIMITS, LogWriter, rotateLog } from './log-file.ts';

const LIMITS = { bytes: 2_000, ageMs: LOG_LIMITS.ageMs, kept: 3 };
const MODULE = join(import.meta.dirname, 'log-file.ts');

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'qd-log-'));
  file = join(directory, 'api.log');
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

/** The numbers in all files, oldest file first. */
function numbers(): number[] {
  const names = readdirSync(directory).sort((a, b) => place(b) - place(a));
  return names.flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').filter(Boolean).map(Number));
}
const place = (name: string) => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
const line = (number: number) => `${String(number).padStart(9, '0')}\n`;
const upTo = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i);

it('a large file is moved aside while it is written, nothing is lost and the whole stays bounded', () => {
  const writer = new LogWriter(file, LIMITS);
  for (let number = 0; number < 700; number++) writer.write(line(number));
  expect(numbers()).toEqual(upTo(0, 700));
  for (let number = 700; number < 5_000; number++) writer.write(line(number));
  writer.close();
  expect(readdirSync(directory).sort()).toEqual(['api.log', 'api.log.1', 'api.log.2', 'api.log.3']);
  const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(LIMITS.bytes);
  const left = numbers();
  expect(left).toEqual(upTo(left[0]!, 5_000));
});

it('a file that was begun long ago is moved aside', () => {
  const writer = new LogWriter(file, LIMITS);
  writer.write(line(1));
  vi.useFakeTimers({ now: Date.now() + LIMITS.ageMs + 1_000, toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  writer.write(line(2));
  writer.close();
  expect(readFileSync(file, 'utf8')).toBe(line(2));
  expect(readFileSync(`${file}.1`, 'utf8')).toBe(line(1));
});

it('two writers of one file lose nothing', () => {
  const writers = [new LogWriter(file, { ...LIMITS, kept: 9 }), new LogWriter(file, { ...LIMITS, kept: 9 })];
  for (let number = 0; number < 1_000; number++) writers[number % 2]!.write(line(number));
  for (const writer of writers) writer.close();
  expect(numbers().sort((a, b) => a - b)).toEqual(upTo(0, 1_000));
});

it('a free name that a kill left is filled, and nothing is written over', () => {
  writeFileSync(file, line(9).repeat(300));
  writeFileSync(`${file}.1`, 'one');
  writeFileSync(`${file}.3`, 'three');
  rotateLog(file, LIMITS);
  expect(readFileSync(`${file}.2`, 'utf8')).toBe('one');
  expect(readFileSync(`${file}.3`, 'utf8')).toBe('three');
  expect(readFileSync(`${file}.1`, 'utf8')).toBe(line(9).repeat(300));
});

it('a disk that takes nothing costs lines, which are counted, and not the process', () => {
  writeFileSync(join(directory, 'taken'), '');
  const writer = new LogWriter(join(directory, 'taken', 'api.log'), LIMITS);
  for (let number = 0; number < 3; number++) writer.write(line(number));
  rmSync(join(directory, 'taken'));
  writer.write('again\n');
  writer.close();
  const text = readFileSync(join(directory, 'taken', 'api.log'), 'utf8');
  expect(text).toMatch(/"3 lines could not be written before this one"\}\nagain\n$/);
});

it('kill -9 in the middle of it loses no line that was written, and the next writer goes on', async () => {
  const limits = { ...LIMITS, kept: 200 };
  const program = `
    import { writeSync } from 'node:fs';
    import { LogWriter } from ${JSON.stringify(MODULE)};
    const writer = new LogWriter(${JSON.stringify(file)}, ${JSON.stringify(limits)});
    for (let number = Number(process.argv[1]); ; number++) {
      writer.write(String(number).padStart(9, '0') + '\\n');
      writeSync(1, number + '\\n');
    }`;
  let next = 0;
  for (let turn = 0; turn < 3; turn++) {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program, String(next)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    const far = next + 1_500 + turn * 137;
    await new Promise<void>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (child.exitCode === null && Number(said.trimEnd().split('\n').at(-1)) > far) resolve();
      });
    });
    child.kill('SIGKILL');
    await once(child, 'close');
    const written = numbers();
    const acknowledged = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
    expect(written.length).toBeGreaterThan(acknowledged);
    expect(written).toEqual(upTo(0, written.length));
    next = written.length;
  }
});

it('a file that another program holds open is emptied in place, its lines are kept aside', async () => {
  const writer = spawn('sh', ['-c', 'while read word; do echo "$word"; done >>"$0"', file], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  onTestFinished(() => void writer.kill('SIGKILL'));
  writer.stdin.write(upTo(0, 500).map(line).join(''));
  await vi.waitFor(() => expect(statSync(file).size).toBe(5_000), 10_000);
  emptyLargeLog(file, LIMITS);
  expect(statSync(file).size).toBe(0);
  writer.stdin.end(line(500));
  await once(writer, 'close');
  expect(readFileSync(file, 'utf8')).toBe(line(500));
  expect(numbers()).toEqual(upTo(0, 501));
});

it('a small file stays as it is', () => {
  writeFileSync(file, line(1));
  utimesSync(file, 0, 0);
  rotateLog(file, LIMITS);
  emptyLargeLog(file, LIMITS);
  expect(readdirSync(directory)).toEqual(['api.log']);
});
