// A disk that is really full: a small file system of its own, which only root can mount.
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, type TestContext, test } from 'vitest';
import { mountDataDir, query, resizeMount } from '../../../../test/support/embedded-data-dir.ts';
import { startEmbedded } from './server.ts';

const log = () => {};

/** Skips the case where this machine lets us mount nothing; under CI that is a failure. */
function mountOrSkip(context: TestContext, size: string): string {
  const dataDir = mountDataDir(size);
  if (dataDir) return dataDir;
  if (process.env['CI'] === 'true') throw new Error('CI runs as root and must be able to mount a tmpfs');
  return context.skip('a full disk needs a mount, which is not possible here (not root, or not allowed)');
}

/** Takes all the room there is, to the last block. */
function fillDisk(dataDir: string): void {
  const descriptor = openSync(join(dataDir, 'filler'), 'a');
  try {
    for (const size of [1024 * 1024, 4096]) {
      const block = Buffer.alloc(size, 1);
      try {
        while (writeSync(descriptor, block) === size);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Writes until the server is gone and gives the number of rows whose commit was answered. */
async function writeUntilTheEnd(url: string, from: number): Promise<number> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  // Goes into the log of writes only, so that this is what meets the full disk, and not a table that cannot grow.
  const filler = randomBytes(200_000).toString('hex');
  let acknowledged = from;
  try {
    for (;;) {
      await client.query('INSERT INTO kept SELECT $1::int FROM pg_logical_emit_message(true, $2, $3)', [
        acknowledged,
        'filler',
        filler,
      ]);
      acknowledged += 1;
    }
  } catch {
    await client.end().catch(() => {});
    return acknowledged;
  }
}

test('a server whose log of writes cannot grow starts on its reserve, says disk full after that, and recovers with room', async (context) => {
  const dataDir = mountOrSkip(context, '400m');
  const first = await startEmbedded({ dataDir, log });
  await expect.poll(() => first.hasReserve(), { timeout: 20_000 }).toBe(true);
  // With blocks for the rows to come.
  await query(
    first.adminUrl,
    'CREATE TABLE kept (id int)',
    'INSERT INTO kept SELECT -1 FROM generate_series(1, 5000)',
    'DELETE FROM kept',
    'VACUUM (TRUNCATE false) kept',
  );
  fillDisk(dataDir);
  const acknowledged = await writeUntilTheEnd(first.adminUrl, 0);
  expect(acknowledged).toBeGreaterThan(0);
  await first.exited;

  const warnings: string[] = [];
  const second = await startEmbedded({
    dataDir,
    log: (level, message) => {
      if (level === 'warn') warnings.push(message);
    },
  });
  expect(warnings).toEqual([expect.stringContaining('reserve')]);
  expect(second.hasReserve()).toBe(false);
  const count = 'SELECT count(*)::int AS rows FROM kept';
  expect((await query(second.adminUrl, count))[0]?.['rows']).toBeGreaterThanOrEqual(acknowledged);

  fillDisk(dataDir);
  const more = await writeUntilTheEnd(second.adminUrl, acknowledged);
  await second.exited;
  fillDisk(dataDir);
  await expect(startEmbedded({ dataDir, log })).rejects.toMatchObject({
    code: 'disk_full',
    retryable: true,
    message: expect.stringContaining('disk full'),
  });

  rmSync(join(dataDir, 'filler'));
  const third = await startEmbedded({ dataDir, log });
  expect((await query(third.adminUrl, count))[0]?.['rows']).toBeGreaterThanOrEqual(more);
  await third.stop();
});

test('a disk too small for the first start is said, leaves no half database, and the start succeeds with room', async (context) => {
  // Enough for the binaries and half of a cluster.
  const dataDir = mountOrSkip(context, '80m');
  await expect(startEmbedded({ dataDir, log })).rejects.toMatchObject({ code: 'disk_full', retryable: true });
  expect(readdirSync(dataDir).filter((name) => name === 'postgres' || name.includes('.init.'))).toEqual([]);
  resizeMount(dataDir, '300m');
  const server = await startEmbedded({ dataDir, log });
  expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await server.stop();
});

test('a disk too small for the binaries is said, and a disk without room for the reserve goes without it', async (context) => {
  const dataDir = mountOrSkip(context, '30m');
  await expect(startEmbedded({ dataDir, log })).rejects.toMatchObject({ code: 'disk_full' });
  resizeMount(dataDir, '180m');
  const server = await startEmbedded({ dataDir, log });
  expect(server.hasReserve()).toBe(false);
  await server.stop();
  expect(server.hasReserve()).toBe(false);
});
