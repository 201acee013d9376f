import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kill, makeDataDir, query } from '../../../../test/support/embedded-data-dir.ts';
import { processStartTime } from '../../process/facts.ts';
import { startScratchCluster } from './scratch.ts';

test('a scratch cluster lets its user in without a password and leaves nothing when stopped', async () => {
  const dir = makeDataDir();
  const cluster = await startScratchCluster({ dir, settings: { max_connections: '20' } });
  expect(await query(cluster.url, 'SHOW max_connections')).toEqual([{ max_connections: '20' }]);
  expect(await query(cluster.url, 'SHOW fsync')).toEqual([{ fsync: 'off' }]);
  await cluster.stop();
  expect(existsSync(dir)).toBe(false);
  expect(processStartTime(cluster.pid)).toBeUndefined();
});

test('a scratch cluster goes with the process that wanted it, kill -9 included', async () => {
  const dir = makeDataDir();
  const script = `
    import { startScratchCluster } from ${JSON.stringify(join(import.meta.dirname, 'scratch.ts'))};
    const { pid } = await startScratchCluster({ dir: ${JSON.stringify(dir)} });
    process.stdout.write(String(pid));
    setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [text] = (await once(child.stdout, 'data')) as [Buffer];
    await kill(child);
    await expect.poll(() => existsSync(dir), { timeout: 10_000 }).toBe(false);
    expect(processStartTime(Number(text.toString()))).toBeUndefined();
  } finally {
    await kill(child);
  }
});
