import { expect, test } from 'vitest';
import { listenArguments, renderSettings } from './settings.ts';

test('what an acknowledged write rests on is on', () => {
  const text = renderSettings();
  for (const line of ["fsync = 'on'", "synchronous_commit = 'on'", "full_page_writes = 'on'"]) {
    expect(text).toContain(line);
  }
});

test('a quote in a value cannot end it', () => {
  expect(renderSettings({ a: "it's" })).toContain("a = 'it''s'");
});

test('without a usable socket path the server is told to open none', () => {
  expect(listenArguments(5433, undefined)).toContain('unix_socket_directories=');
  // PostgreSQL reads a comma as the end of one directory unless it is quoted.
  expect(listenArguments(5433, '/a, b')).toContain('unix_socket_directories="/a, b"');
});

test('the server listens on loopback only', () => {
  expect(listenArguments(5433, undefined)).toContain('listen_addresses=127.0.0.1');
});
