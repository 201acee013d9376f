import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type ReadFamily, readExposition, seriesValue } from '../../test/support/exposition.ts';
import { startInstallation } from '../../test/support/installation.ts';

const LIMIT = { timeout: 30_000, interval: 100 };

it('one look tells of every role on the machine, of the database and of the disk; of a dead role it says so', async () => {
  const installation = await startInstallation();
  onTestFinished(installation.stop);
  const bearer = { authorization: `Bearer ${installation.token}` };
  // On a busy machine the database may seem away for a moment, and then nobody is let in.
  const look = (): Promise<Map<string, ReadFamily>> => vi.waitFor(lookOnce, LIMIT);
  const lookOnce = async (): Promise<Map<string, ReadFamily>> => {
    const response = await fetch(`${installation.url}/metrics`, { headers: bearer });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return readExposition(text);
  };
  const families = await vi.waitFor(async () => {
    expect((await fetch(`${installation.url}/v1/me`, { headers: bearer })).status).toBe(200);
    const told = await lookOnce();
    for (const role of ['api', 'engine', 'host']) {
      expect(seriesValue(told, 'quarterdeck_role_up', { role })).toBe(1);
      expect(seriesValue(told, 'quarterdeck_process_resident_memory_bytes', { role })).toBeGreaterThan(1e7);
      expect(seriesValue(told, 'quarterdeck_database_up', { role })).toBe(1);
      expect(seriesValue(told, 'quarterdeck_database_pool_most', { role })).toBeGreaterThan(0);
    }
    expect(seriesValue(told, 'quarterdeck_data_free_bytes')).toBeGreaterThan(0);
    expect(seriesValue(told, 'quarterdeck_database_size_bytes')).toBeGreaterThan(1e6);
    expect(seriesValue(told, 'quarterdeck_scrape_whole')).toBe(1);
    return told;
  }, LIMIT);
  await vi.waitFor(async () => {
    expect(seriesValue(await look(), 'quarterdeck_wakeups_listening', { role: 'api' })).toBe(1);
  }, LIMIT);

  const engine = (await installation.processes()).find(({ name }) => name === 'engine')!;
  process.kill(engine.pid, 'SIGSTOP');
  onTestFinished(() => {
    try {
      process.kill(engine.pid, 'SIGCONT');
    } catch {
      // It has been replaced by then.
    }
  });
  const stopped = await vi.waitFor(async () => {
    const told = await lookOnce();
    expect(seriesValue(told, 'quarterdeck_role_up', { role: 'engine' })).toBe(0);
    expect(seriesValue(told, 'quarterdeck_role_up', { role: 'host' })).toBe(1);
    return told;
  }, LIMIT);

  // The metrics page lists what there is, and nothing else.
  const page = readFileSync(join(import.meta.dirname, '../../docs/operations/metrics.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `(quarterdeck_\w+)`/gm)].map((match) => match[1]!);
  const there = [...new Set([...families.keys(), ...stopped.keys()])];
  const rare = [
    'quarterdeck_loop_failures_total',
    'quarterdeck_trace_spans_total',
    'quarterdeck_agents',
    'quarterdeck_jobs',
  ];
  expect(there.filter((name) => !listed.includes(name))).toEqual([]);
  expect(listed.filter((name) => !there.includes(name) && !rare.includes(name))).toEqual([]);

  process.kill(engine.pid, 'SIGCONT');
  await vi.waitFor(async () => {
    expect(seriesValue(await look(), 'quarterdeck_role_up', { role: 'engine' })).toBe(1);
  }, LIMIT);
});
