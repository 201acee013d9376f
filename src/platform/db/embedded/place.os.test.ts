// Places where such servers usually fail to start: under root, behind closed directories, without shared memory, at the
// end of long paths, without the package of the platform.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { isRoot, makeDataDir, query, rootOrCi } from '../../../../test/support/embedded-data-dir.ts';
import { findOrCreate } from './account.ts';
import { findEngineSource, installEngine } from './engine.ts';
import { startEmbedded } from './server.ts';

const log = () => {};

test.runIf(rootOrCi)(
  'the server runs under a bare number where the machine has no account for it (needs root)',
  async () => {
    const account = await findOrCreate({
      passwd: () => 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n',
      create: async () => false,
    });
    const dataDir = makeDataDir();
    const server = await startEmbedded({ dataDir, log, account });
    expect(statSync(`/proc/${server.pid}`).uid).toBe(account.run.uid);
    expect(statSync(join(dataDir, 'postgres', 'base', '1')).uid).toBe(account.run.uid);
    await server.stop();
    // From then on the owner of the cluster says under which account it runs.
    const again = await startEmbedded({ dataDir, log });
    expect(statSync(`/proc/${again.pid}`).uid).toBe(account.run.uid);
    await again.stop();
  },
);

test.runIf(rootOrCi)('binaries installed where the account cannot go are used all the same (needs root)', async () => {
  const home = makeDataDir();
  symlinkSync(findEngineSource().native, join(home, 'native'));
  const engine = { ...findEngineSource(), native: join(home, 'native') };
  const dataDir = makeDataDir();
  const server = await startEmbedded({ dataDir, log, engine });
  expect(server.pid).toBeGreaterThan(0);
  await server.stop();
});

test.runIf(rootOrCi)(
  'a data directory behind a closed one is refused, naming the closed one (needs root)',
  async () => {
    const closed = makeDataDir();
    const dataDir = join(closed, 'deeper', 'data');
    mkdirSync(dataDir, { recursive: true });
    await expect(startEmbedded({ dataDir, log })).rejects.toMatchObject({
      code: 'data_dir_unreachable',
      message: expect.stringContaining(`cannot enter ${closed}`),
      hint: expect.stringContaining('--data'),
    });
    expect(statSync(closed).mode & 0o777).toBe(0o700);
    chmodSync(closed, 0o711);
    const server = await startEmbedded({ dataDir, log });
    await server.stop();
  },
);

/** Runs a keeper once in a mount namespace of its own, so that what is mounted there is nobody else's. */
function startAmongMounts(context: TestContext, mounts: string, dataDir: string): void {
  const keeper = join(import.meta.dirname, '../../../../test/support/embedded-keeper.ts');
  const args = ['--mount', '/bin/sh', '-ec', `${mounts}\nexec "$0" "$@"`, process.execPath, keeper, dataDir, 'once'];
  const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 50_000 });
  if (stderr.includes('unshare failed') && process.env['CI'] !== 'true') context.skip('no mount namespaces here');
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ adopted: false });
  expect(status).toBe(0);
}

test.runIf(rootOrCi)('a server starts without /dev/shm (needs root for a mount of its own)', (context) => {
  startAmongMounts(context, 'mount -t tmpfs -o ro,size=4k tmpfs /dev/shm', makeDataDir());
});

test.runIf(rootOrCi)('an account is created where the machine has none for a database (needs root)', (context) => {
  const dataDir = makeDataDir();
  const etc = join(makeDataDir(), 'etc');
  const mounts = `
    cp -a /etc '${etc}'
    for name in postgres quarterdeck; do sed -i "/^$name:/d" '${etc}/passwd' '${etc}/shadow' '${etc}/group' '${etc}/gshadow'; done
    mount --bind '${etc}' /etc`;
  startAmongMounts(context, mounts, dataDir);
  const line = readFileSync(join(etc, 'passwd'), 'utf8')
    .match(/^quarterdeck:.*$/m)?.[0]
    .split(':');
  expect(statSync(join(dataDir, 'postgres')).uid).toBe(Number(line?.[2]));
  expect(line?.[6]).toMatch(/nologin$/);
});

test('a path too long for a socket leaves loopback', async () => {
  const dataDir = join(makeDataDir(), 'x'.repeat(100));
  mkdirSync(dataDir);
  if (isRoot) chmodSync(join(dataDir, '..'), 0o711);
  const server = await startEmbedded({ dataDir, log });
  expect(server.sockets).toBeUndefined();
  expect(readdirSync(join(dataDir, 'postgres.sockets'))).toEqual([]);
  expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await server.stop();
});

test('blanks, commas and single quotes in the path do no harm', async () => {
  const dataDir = join(makeDataDir(), "a b, c's ä");
  mkdirSync(dataDir);
  if (isRoot) chmodSync(join(dataDir, '..'), 0o711);
  const server = await startEmbedded({ dataDir, log });
  expect(readdirSync(server.sockets!)).toContain(`.s.PGSQL.${server.port}`);
  await server.stop();
});

test.each(['a "b"', 'a $b', 'a `b`', 'a \\b', 'a \n b'])(
  'a data directory named %j is refused before anything is made',
  async (name) => {
    const dataDir = join(makeDataDir(), name);
    mkdirSync(dataDir);
    await expect(startEmbedded({ dataDir, log })).rejects.toMatchObject({ code: 'data_dir_refused' });
    expect(readdirSync(dataDir)).toEqual([]);
  },
);

test('a data directory reached by a link is taken over like any other', async () => {
  const dataDir = makeDataDir();
  const link = join(makeDataDir(), 'link');
  symlinkSync(dataDir, link);
  if (isRoot) chmodSync(join(link, '..'), 0o711);
  const first = await startEmbedded({ dataDir: link, log });
  const second = await startEmbedded({ dataDir, log });
  expect(second).toMatchObject({ adopted: true, pid: first.pid });
  await second.stop();
});

test.each(['postgres', 'engine'])(
  '%s as a link elsewhere is refused: a server on it would not be known again',
  async (part) => {
    const dataDir = makeDataDir();
    const elsewhere = makeDataDir();
    symlinkSync(elsewhere, join(dataDir, part));
    await expect(startEmbedded({ dataDir, log })).rejects.toMatchObject({
      code: 'data_dir_refused',
      hint: expect.stringContaining('--data'),
    });
    expect(readdirSync(elsewhere)).toEqual([]);
  },
);

test('a copy of the binaries that was cut off is made again, and those of other versions go with the next start', async () => {
  const dataDir = makeDataDir();
  const engines = join(dataDir, 'engine');
  mkdirSync(join(engines, '18.4.0.tmp.1', 'bin'), { recursive: true });
  mkdirSync(join(engines, '17.0.0', 'bin'), { recursive: true });
  const engine = await installEngine(findEngineSource(), engines);
  expect(readdirSync(engines).sort()).toEqual(['17.0.0', engine.version]);
  const server = await startEmbedded({ dataDir, log });
  expect(readdirSync(engines)).toEqual([engine.version]);
  await server.stop();
});

test('a platform without binaries is told to bring a database of its own', () => {
  expect(() => findEngineSource('linux', 'riscv64')).toThrow(
    expect.objectContaining({ code: 'engine_missing', hint: expect.stringContaining('DATABASE_URL') }),
  );
});
