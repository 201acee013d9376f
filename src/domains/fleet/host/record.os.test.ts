import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostIdOf } from './host-id.ts';
import { findRecords, readRecord } from './record.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-record-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test.each(['', '{"agentId":"a', 'null', '\0\0\0\0'])('a record that a power cut left as %j counts as none', (text) => {
  const agent = join(dir, 'fleet', 'pricer');
  mkdirSync(agent, { recursive: true });
  writeFileSync(join(agent, 'process.json'), text);
  expect(readRecord(agent)).toBeUndefined();
  expect(findRecords(dir)).toEqual([]);
});

test('a host keeps its id, gets a new one for an empty file and leaves nothing beside it', () => {
  const first = hostIdOf(dir);
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(hostIdOf(dir)).toBe(first);
  writeFileSync(join(dir, 'agents', 'host-id'), '');
  const second = hostIdOf(dir);
  expect(second).toMatch(/^[0-9a-f-]{36}$/);
  expect(second).not.toBe(first);
  expect(hostIdOf(dir)).toBe(second);
  expect(readdirSync(join(dir, 'agents'))).toEqual(['host-id']);
});
