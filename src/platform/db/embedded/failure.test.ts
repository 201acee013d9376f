import { expect, test } from 'vitest';
import { readLastWords } from './failure.ts';

test.each([
  ['FATAL:  could not write to file "pg_wal/xlogtemp.51": No space left on device', 'disk_full'],
  ['FATAL:  could not create any TCP/IP sockets', 'port_taken'],
  ['FATAL:  pre-existing shared memory block (key 262279, ID 3) is still in use', 'stray_backends'],
  ['FATAL:  lock file "postmaster.pid" already exists', 'stray_backends'],
  ['FATAL:  lock file "postmaster.pid" is empty', 'stray_backends'],
  ['FATAL:  database files are incompatible with server', 'wrong_major'],
  ['initdb: error: could not look up effective user ID 4711: user does not exist', 'no_account'],
  ['PANIC:  could not locate a valid checkpoint record', undefined],
])('«%s» is read as %s', (words, code) => {
  expect(readLastWords(words)).toBe(code);
});
