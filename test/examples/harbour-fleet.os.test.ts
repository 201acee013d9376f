// The example as an operator meets it: `up --example harbour`, and what there is to see within a minute.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { type Installation, startInstallation } from '../support/installation.ts';

const WITHIN_A_MINUTE = { timeout: 60_000, interval: 200 };

let installation: Installation | undefined;

afterEach(() => installation?.stop());

async function get(path: string) {
  const { url, token } = installation!;
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status, path).toBe(200);
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  return (await response.json()) as any;
}

async function statesOfAgents(): Promise<Record<string, string>> {
  const { items } = await get('/v1/agents');
  return Object.fromEntries(items.map(({ agent, state }: { agent: string; state: string }) => [agent, state]));
}

const produced = (folder: string) => {
  const place = join(installation!.dataDir, 'examples', 'harbour', 'output', folder);
  return existsSync(place) ? readdirSync(place) : [];
};

it('lives within a minute, and an agent that is killed comes back', { timeout: 180_000 }, async () => {
  installation = await startInstallation({ args: ['--example', 'harbour'] });
  await vi.waitFor(async () => {
    expect(await statesOfAgents()).toEqual({
      bosun: 'healthy',
      builder: 'healthy',
      clerk: 'healthy',
      dispatcher: 'healthy',
      inspector: 'healthy',
      librarian: 'healthy',
    });
    expect(produced('site')).toContain('index.html');
    expect(produced('counts').length).toBeGreaterThan(10);
    expect((await get('/v1/events?event_type=page.links_broken')).items).not.toEqual([]);
    expect((await get('/v1/agents/bosun/console')).text).toContain('MB free');
  }, WITHIN_A_MINUTE);

  const { pid, restarts } = await get('/v1/agents/builder');
  process.kill(pid, 'SIGKILL');
  await vi.waitFor(async () => {
    const builder = await get('/v1/agents/builder');
    expect(builder).toMatchObject({ state: 'healthy', restarts: restarts + 1 });
    expect(builder.pid).not.toBe(pid);
  }, WITHIN_A_MINUTE);
});

it('says so without python3, and the rest works', { timeout: 120_000 }, async () => {
  installation = await startInstallation({ args: ['--example', 'harbour'], env: { PATH: pathWithoutPython() } });
  const said = readFileSync(join(installation.dataDir, 'logs', 'keeper.log'), 'utf8');
  for (const agent of ['librarian', 'inspector']) {
    expect(said).toContain(`example harbour: ${agent} is left out, because python3 is not on this machine`);
  }
  await vi.waitFor(async () => {
    expect(await statesOfAgents()).toEqual({
      bosun: 'healthy',
      builder: 'healthy',
      clerk: 'healthy',
      dispatcher: 'healthy',
    });
    expect(produced('site')).toContain('index.html');
    expect(produced('counts').length).toBeGreaterThan(10);
  }, WITHIN_A_MINUTE);
  expect((await get('/v1/jobs?queue=links')).items).toEqual([]);
});

/** One directory with a link to every program there is, but for Python's. */
function pathWithoutPython(): string {
  const dir = mkdtempSync(join(tmpdir(), 'qd-path-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  for (const place of (process.env['PATH'] ?? '').split(delimiter).filter((place) => existsSync(place))) {
    for (const name of readdirSync(place)) {
      if (!/^py/.test(name) && !existsSync(join(bin, name))) symlinkSync(join(place, name), join(bin, name));
    }
  }
  return bin;
}
