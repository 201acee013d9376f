import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../../../test/support/server.ts';
import { openSmallLog, type SmallLog } from '../../../test/support/small-log.ts';

let t: TestServer;
let small: SmallLog;
let home: string;
beforeAll(async () => {
  t = await openTestServer();
  small = await openSmallLog(t, 1_000, 3);
  home = mkdtempSync(join(tmpdir(), 'qd-verify-'));
  await small.fill(1, 60);
  await small.seal(5);
});
afterAll(async () => {
  await small?.close();
  await t?.close();
  rmSync(home, { recursive: true, force: true });
});

async function verify(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const main = join(import.meta.dirname, '../../main.ts');
  const env = { ...process.env, HOME: home, QUARTERDECK_TOKEN: await t.operatorToken(), QUARTERDECK_URL: t.url };
  const child = spawn(process.execPath, [main, 'log', 'verify', ...words], { env });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, out, err };
}

it('goes from page to page to the end and makes one answer of them', async () => {
  const { code, out } = await verify('--limit', '3', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ intact: true, seals: 12, rows: 60, problems: [], next_after: null });
});

it('ends with 1 where something was found, with every problem of every page in one document', async () => {
  await small.admin.query('SET session_replication_role = replica');
  await small.admin.query(`UPDATE log.event_log SET subject = 'x' WHERE seq IN (2, 33, 58)`);
  const { code, out, err } = await verify('--limit', '3', '--json');
  expect(code).toBe(1);
  const { problems, intact } = JSON.parse(out);
  expect(intact).toBe(false);
  expect(problems.map(({ cursor }: { cursor: string }) => cursor.split('-')[1])).toEqual(['2', '33', '58']);
  expect(err).toContain('not as it was sealed');
  expect((await verify()).code).toBe(1);
});
