import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestApp, type TestApp } from '../../../../test/support/app.ts';
import { openSmallLog, type SmallLog } from '../../../../test/support/small-log.ts';
import { LogAudit } from '../audit.ts';
import { exportHead, HEADS_FILE } from './heads.ts';

let t: TestApp;
let small: SmallLog;
let dataDir: string;
beforeAll(async () => {
  t = await openTestApp();
  small = await openSmallLog(t, 1_000, 3);
  dataDir = mkdtempSync(join(tmpdir(), 'qd-heads-'));
});
afterAll(async () => {
  await small?.close();
  await t?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const HOUR = 3_600_000;
const start = Date.parse('2026-01-01T00:00:00Z');
const lines = () => readFileSync(join(dataDir, HEADS_FILE), 'utf8').split('\n');
const add = async () => {
  await small.fill(1, 3);
  await small.seal();
};

it('writes a new head down at most once an hour, each true for ever, and goes on behind a line that was cut', async () => {
  expect(await exportHead(t.app.db, dataDir, start)).toBe(false);
  await add();
  expect(await exportHead(t.app.db, dataDir, start)).toBe(true);
  expect(await exportHead(t.app.db, dataDir, start + 2 * HOUR)).toBe(false);
  await add();
  expect(await exportHead(t.app.db, dataDir, start + HOUR / 2)).toBe(false);
  expect(await exportHead(t.app.db, dataDir, start + HOUR)).toBe(true);
  expect(lines()).toHaveLength(2);
  const audit = new LogAudit(t.app.log, undefined);
  for (const line of lines()) {
    const { head } = JSON.parse(line);
    expect(await audit.verify(t.app.systemCall(), { after: 0, limit: 100, head })).toMatchObject({ intact: true });
  }
  appendFileSync(join(dataDir, HEADS_FILE), '\n{"head":"3-');
  expect(await exportHead(t.app.db, dataDir, start + HOUR)).toBe(true);
  expect(JSON.parse(lines().at(-1)!).head).toBe((await audit.head(t.app.systemCall())).head);
});
