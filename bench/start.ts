// From the command to the line that says "ready", as an operator types it and with nothing of this environment but PATH: on
// a new data directory, on an existing one after a clean end, as a takeover after kill -9 of the keeper, and (with --clone)
// from a fresh clone with the packages in npm's cache. Command: node bench/start.ts [--clone]
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ms, print, quantile } from './figures.ts';

const ROUNDS = 3;
const root = fileURLToPath(new URL('..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'qd-bench-start-'));
// As root the database runs under an account of its own, which has to pass through.
chmodSync(dir, 0o711);

interface Started {
  readonly ms: number;
  /** Starts taken together tell nothing without the load they met. */
  readonly load: number;
  readonly child: ChildProcess;
}

async function start(checkout: string, data: string, env: Record<string, string>): Promise<Started> {
  const load = loadavg()[0]!;
  const begun = performance.now();
  const child = spawn(join(checkout, 'bin', 'up'), ['--json', '--data', data, '--api-port', '0'], {
    cwd: dir,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await Promise.race([
    once(createInterface(child.stdout!), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`up ended with ${code}`))),
  ]);
  return { ms: performance.now() - begun, load, child };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

const path = process.env['PATH'] ?? '';
// What the checkout fetched for itself is not there on a fresh machine.
const bare = path
  .split(delimiter)
  .filter((place) => !place.includes('/.runtime/') && !place.includes('/node_modules/'))
  .join(delimiter);
const rows: { what: string; starts: Started[] }[] = [];
const row = (what: string) => {
  const starts: Started[] = [];
  rows.push({ what, starts });
  return starts;
};
const fresh = row('new data directory');
const existing = row('existing one, after a clean end');
const takeover = row('existing one, takeover after kill -9 of the keeper');
let living: { child: ChildProcess; data: string } | undefined;

try {
  const env = { PATH: bare, HOME: dir };
  // Packages and page of this checkout are brought up to date by the first start, which is not counted.
  const first = join(dir, 'data-first');
  living = { child: (await start(root, first, env)).child, data: first };
  await end(living.child, 'SIGTERM');
  living = undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const data = join(dir, `data-${round}`);
    const run = async (starts: Started[]) => {
      const started = await start(root, data, env);
      starts.push(started);
      living = { child: started.child, data };
      return started.child;
    };
    await end(await run(fresh), 'SIGTERM');
    await end(await run(existing), 'SIGKILL');
    await end(await run(takeover), 'SIGTERM');
    living = undefined;
    rmSync(data, { recursive: true });
  }
  if (process.argv.includes('--clone')) {
    const cache = spawnSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).stdout.trim();
    const clones = row('fresh clone, packages in the cache');
    for (let round = 0; round < ROUNDS; round++) {
      const home = join(dir, `home-${round}`);
      const clone = join(home, 'quarterdeck');
      spawnSync('git', ['clone', '--quiet', root, clone], { stdio: 'inherit' });
      chmodSync(home, 0o711);
      const data = join(dir, `clone-data-${round}`);
      const started = await start(clone, data, { PATH: bare, HOME: home, npm_config_cache: cache });
      clones.push(started);
      living = { child: started.child, data };
      await end(started.child, 'SIGTERM');
      living = undefined;
      rmSync(home, { recursive: true });
    }
  }
  print([
    ['start', 'median', 'all', 'load'],
    ...rows.map(({ what, starts }) => [
      what,
      ms(
        quantile(
          starts.map((one) => one.ms),
          0.5,
        ),
      ),
      starts.map((one) => ms(one.ms)).join(', '),
      starts.map((one) => one.load.toFixed(1)).join(', '),
    ]),
  ]);
} finally {
  if (living !== undefined) {
    await end(living.child, 'SIGTERM');
    spawnSync(join(root, 'bin', 'quarterdeck'), ['down', '--data', living.data], { stdio: 'inherit' });
  }
  rmSync(dir, { recursive: true, force: true });
}
