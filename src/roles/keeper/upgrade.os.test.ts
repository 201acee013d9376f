// A newer version starts on the data of an older one: with a copy made before, beside running agents, and with a way back.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { query } from '../../../test/support/embedded-data-dir.ts';
import { type Installation, NotReady, runQuarterdeck, startInstallation } from '../../../test/support/installation.ts';
import { makeOtherVersion, type OtherVersion } from '../../../test/support/other-version.ts';
import { version } from '../../platform/version.ts';

const LIMIT = { timeout: 30_000, interval: 20 };
const SLEEPER = 'agents:\n  sleeper:\n    command: [sleep, "100000"]\n';
const MIGRATION = '9001-of-tomorrow.sql';

let newer: OtherVersion;
let broken: OtherVersion;
beforeAll(() => {
  newer = makeOtherVersion('99.0.0', { [MIGRATION]: 'CREATE TABLE platform.tomorrow (id int);' });
  broken = makeOtherVersion('98.0.0', { [MIGRATION]: 'CREATE TABLE platform.tomorrow (id int); SELECT 1 / 0;' });
});
afterAll(() => {
  newer?.remove();
  broken?.remove();
});

async function ask(at: Installation, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${at.url}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${at.token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function sleeperOf(at: Installation): Promise<number> {
  return vi.waitFor(async () => {
    const { pid, state } = await ask(at, 'GET', '/agents/sleeper');
    expect(state).toBe('healthy');
    return pid as number;
  }, LIMIT);
}

async function pidsOf(at: Installation): Promise<Record<string, number>> {
  return Object.fromEntries((await at.processes()).map(({ name, pid }) => [name, pid]));
}

async function end(at: Installation): Promise<void> {
  const ended = new Promise((resolve) => at.keeper.once('exit', resolve));
  at.keeper.kill('SIGTERM');
  await ended;
}

function ownerUrl(dataDir: string): string {
  const password = readFileSync(join(dataDir, 'secrets', 'postgres.owner'), 'utf8').trim();
  const port = readFileSync(join(dataDir, 'postgres.port'), 'utf8').trim();
  return `postgres://quarterdeck:${password}@127.0.0.1:${port}/quarterdeck`;
}

async function isMigrated(dataDir: string): Promise<boolean> {
  const [row] = await query(ownerUrl(dataDir), `SELECT to_regclass('platform.tomorrow') IS NOT NULL AS there`);
  return row!['there'] as boolean;
}

async function copiesOf(dataDir: string): Promise<{ name: string; version: string; reason: string }[]> {
  const { stdout } = await runQuarterdeck(['database', 'copies', '--json', '--data', dataDir]);
  return (JSON.parse(stdout) as { items: { name: string; version: string; reason: string }[] }).items;
}

test('beside running agents it replaces keeper and roles, the agents stay; an older version is refused with the way back, and the way back works', async () => {
  const old = await startInstallation({ config: SLEEPER });
  onTestFinished(() => old.stop());
  const { dataDir } = old;
  const agent = await sleeperOf(old);
  const before = await pidsOf(old);
  await ask(old, 'POST', '/events', { event_type: 'test.before', payload: {} });
  expect(await copiesOf(dataDir)).toEqual([]);

  const next = await startInstallation({ dataDir, main: newer.main, args: ['--replace'] });
  onTestFinished(() => next.stop());
  const after = await pidsOf(next);
  for (const part of ['keeper', 'api', 'engine', 'host']) expect(after[part]).not.toBe(before[part]);
  expect(existsSync(`/proc/${before['keeper']}`)).toBe(false);
  expect(next.url).toBe(old.url);
  expect(await sleeperOf(next)).toBe(agent);
  expect(existsSync(`/proc/${agent}`)).toBe(true);
  expect(await isMigrated(dataDir)).toBe(true);
  const [copy] = await copiesOf(dataDir);
  expect(copy).toMatchObject({ version, reason: 'migrations' });
  const log = readFileSync(join(dataDir, 'logs', 'keeper.log'), 'utf8');
  expect(log).toContain(`quarterdeck database restore-copy ${copy!.name}`);

  // Nothing may run while a copy is taken back.
  const early = await runQuarterdeck(['database', 'restore-copy', copy!.name, '--data', dataDir]);
  expect(early).toMatchObject({ exitCode: 73, stdout: '' });
  await ask(next, 'POST', '/events', { event_type: 'test.after', payload: {} });
  await end(next);

  const refused = await startInstallation({ dataDir }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(NotReady);
  const words = (refused as NotReady).stdout + (refused as NotReady).stderr;
  expect(words).toContain('9001-of-tomorrow');
  expect(words).toContain(`quarterdeck database restore-copy ${copy!.name}`);

  const back = await runQuarterdeck(['database', 'restore-copy', copy!.name, '--json', '--data', dataDir]);
  expect(back.exitCode).toBe(0);
  const { set_aside } = JSON.parse(back.stdout) as { set_aside: string };
  const again = await startInstallation({ dataDir });
  onTestFinished(() => again.stop());
  expect(again.token).toBe(old.token);
  expect(await isMigrated(dataDir)).toBe(false);
  const { items } = (await ask(again, 'GET', '/events?limit=200')) as { items: { event_type: string }[] };
  const types = items.map(({ event_type }) => event_type);
  expect(types).toContain('test.before');
  expect(types).not.toContain('test.after');
  expect((await copiesOf(dataDir)).map(({ name }) => name)).toEqual([set_aside, copy!.name]);
}, 180_000);

test('a migration that fails leaves the data of before, and the older version starts on it', async () => {
  const old = await startInstallation();
  onTestFinished(() => old.stop());
  const { dataDir } = old;
  await end(old);
  const failed = await startInstallation({ dataDir, main: broken.main }).catch((error: unknown) => error);
  expect(failed).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/9001-of-tomorrow failed.*division by zero[\s\S]*Start the version of before/),
  });
  const again = await startInstallation({ dataDir });
  onTestFinished(() => again.stop());
  expect(await isMigrated(dataDir)).toBe(false);
  // Each try has its copy, and the third would push the first out.
  expect(await copiesOf(dataDir)).toHaveLength(1);
}, 120_000);

test('without a copy, when that was said; and a start with nothing to migrate makes none', async () => {
  const old = await startInstallation();
  onTestFinished(() => old.stop());
  const { dataDir } = old;
  await end(old);
  const next = await startInstallation({ dataDir, main: newer.main, args: ['--upgrade-without-copy'] });
  onTestFinished(() => next.stop());
  expect(await isMigrated(dataDir)).toBe(true);
  await end(next);
  const later = await startInstallation({ dataDir, main: newer.main });
  onTestFinished(() => later.stop());
  expect(await copiesOf(dataDir)).toEqual([]);
}, 120_000);
