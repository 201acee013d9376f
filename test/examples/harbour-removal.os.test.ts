// An example leaves nothing when it goes: while Quarterdeck runs, and when its folder is gone at the next start.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Installation, runQuarterdeck, startInstallation } from '../support/installation.ts';

const PATIENCE = { timeout: 30_000, interval: 100 };
const OWN = 'agents:\n  keepsake:\n    command: [sleep, "100000"]\n';
const SIX = ['bosun', 'builder', 'clerk', 'dispatcher', 'inspector', 'librarian'];

interface Agent {
  readonly agent: string;
  readonly tenant: string;
  readonly state: string;
  readonly pid: number | null;
}

async function get({ url, token }: Installation, path: string) {
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status, path).toBe(200);
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  return (await response.json()) as any;
}

async function agentsOf(installation: Installation): Promise<Agent[]> {
  return (await get(installation, '/v1/agents')).items;
}

async function whenAllAreWell(installation: Installation): Promise<Agent[]> {
  return vi.waitFor(async () => {
    const agents = await agentsOf(installation);
    expect(agents.map(({ agent, tenant, state }) => `${agent} of ${tenant} is ${state}`)).toEqual(
      [...SIX.map((agent) => `${agent} of harbour is healthy`), 'keepsake of fleet is healthy'].sort(),
    );
    return agents;
  }, PATIENCE);
}

/** Processes that one of the six, of this installation, is or brought up. */
function strays({ url }: Installation): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const variables = new Set(readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0'));
      return (
        variables.has(`QUARTERDECK_URL=${url}`) && SIX.some((agent) => variables.has(`QUARTERDECK_AGENT=${agent}`))
      );
    } catch {
      // No process, or one that has just ended.
      return false;
    }
  });
}

function expectNoFiles(dataDir: string): void {
  expect(existsSync(join(dataDir, 'examples'))).toBe(false);
  expect(readdirSync(join(dataDir, 'agents')).sort()).toEqual(['fleet', 'host-id', 'lock.json', 'lock.sqlite']);
  expect(readdirSync(join(dataDir, 'agents', 'fleet'))).toEqual(['keepsake']);
}

const example = (words: string[], dataDir: string) =>
  runQuarterdeck(['example', ...words, '--json', '--data', dataDir]);

it('removed while it runs: its agents, processes, tokens and files are gone, all else goes on; added again it runs', {
  timeout: 120_000,
}, async () => {
  const installation = await startInstallation({ config: OWN, args: ['--example', 'harbour'] });
  onTestFinished(() => installation.stop());
  const agents = await whenAllAreWell(installation);
  expect(strays(installation).length).toBeGreaterThanOrEqual(SIX.length);
  const parts = await installation.processes();
  await vi.waitFor(async () => {
    const { items } = await get(installation, '/v1/jobs?state=done&limit=5');
    expect(new Set(items.map(({ tenant }: { tenant: string }) => tenant))).toEqual(new Set(['harbour']));
  }, PATIENCE);

  const removed = await example(['remove', 'harbour'], installation.dataDir);
  expect(removed, removed.stderr).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(removed.stdout)).toMatchObject({ example: 'harbour', agents: SIX, left: [], with_next_start: [] });
  const keepsake = agents.filter(({ agent }) => agent === 'keepsake');
  expect(await agentsOf(installation)).toMatchObject(keepsake.map(({ agent, pid }) => ({ agent, pid })));
  for (const { agent, pid } of agents) expect(existsSync(`/proc/${pid}`), agent).toBe(agent === 'keepsake');
  expect(strays(installation)).toEqual([]);
  expectNoFiles(installation.dataDir);
  const tokens: { revoked_at: string | null }[] = (await get(installation, '/v1/tokens?tenant=harbour')).items;
  expect(tokens.filter(({ revoked_at }) => revoked_at === null)).toEqual([]);
  expect(await installation.processes()).toEqual(parts);
  // The log is append-only: what happened stays.
  expect((await get(installation, '/v1/events?tenant=harbour&event_type=access.agent.removed')).items).toHaveLength(6);
  expect((await example(['remove', 'harbour'], installation.dataDir)).exitCode).toBe(3);

  const added = await example(['add', 'harbour'], installation.dataDir);
  expect(added, added.stderr).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(added.stdout).agents.sort()).toEqual(SIX);
  await whenAllAreWell(installation);
  const list = await example(['list'], installation.dataDir);
  expect(JSON.parse(list.stdout).items).toContainEqual({ example: 'harbour', here: true });
});

it('its folder deleted by hand: the next start takes its agents and their files away, and nobody else’s', {
  timeout: 120_000,
}, async () => {
  const installation = await startInstallation({ config: OWN, args: ['--example', 'harbour'] });
  onTestFinished(() => installation.stop());
  const agents = await whenAllAreWell(installation);
  const ended = new Promise((resolve) => installation.keeper.once('exit', resolve));
  installation.keeper.kill('SIGTERM');
  await ended;
  rmSync(join(installation.dataDir, 'examples'), { recursive: true });
  // From a directory without a manifest, which decides nothing about the operator's own agents.
  const next = await startInstallation({ dataDir: installation.dataDir });
  onTestFinished(() => next.stop());
  expect((await agentsOf(next)).map(({ agent }) => agent)).toEqual(['keepsake']);
  await vi.waitFor(() => expectNoFiles(installation.dataDir), PATIENCE);
  for (const { pid } of agents) expect(existsSync(`/proc/${pid}`)).toBe(false);
});

it('removed while nothing runs: its folder goes at once, its agents with the next start', {
  timeout: 120_000,
}, async () => {
  const installation = await startInstallation({ config: OWN, args: ['--example', 'harbour', '--only', 'api'] });
  onTestFinished(() => installation.stop());
  expect(await agentsOf(installation)).toHaveLength(7);
  const ended = new Promise((resolve) => installation.keeper.once('exit', resolve));
  installation.keeper.kill('SIGTERM');
  await ended;
  const removed = await example(['remove', 'harbour'], installation.dataDir);
  expect(removed, removed.stderr).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(removed.stdout)).toMatchObject({ agents: [], left: [], with_next_start: ['agents'] });
  expect(existsSync(join(installation.dataDir, 'examples'))).toBe(false);
  const next = await startInstallation({ dataDir: installation.dataDir });
  onTestFinished(() => next.stop());
  expect((await agentsOf(next)).map(({ agent }) => agent)).toEqual(['keepsake']);
});
