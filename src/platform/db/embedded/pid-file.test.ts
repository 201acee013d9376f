import { expect, test } from 'vitest';
import { parsePidFile } from './pid-file.ts';

test('a full pid file gives pid, port and status', () => {
  const text = '4711\n/var/lib/qd/postgres\n1767323045\n5433\n/run\n127.0.0.1\n  262279         3\nready   \n';
  expect(parsePidFile(text)).toEqual({ pid: 4711, port: 5433, status: 'ready' });
});

test('a pid file that is still being written gives what it has', () => {
  expect(parsePidFile('4711\n/var/lib/qd/postgres\n1767323045\n')).toEqual({
    pid: 4711,
    port: undefined,
    status: undefined,
  });
});

test('an empty file or one with other text is no pid file', () => {
  for (const text of ['', '\n', 'hello', '0\n']) expect(parsePidFile(text)).toBeUndefined();
});
