// The programs that we are measured beside: fetched when they are first wanted, in the versions of bench/package.json, and
// never part of the product or of its lock file.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bench = fileURLToPath(new URL('.', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(join(bench, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};

/** Makes the peers importable; false when they can neither be found nor fetched. */
export function installPeers(): boolean {
  if (Object.entries(dependencies).every(([name, version]) => installed(name) === version)) return true;
  // No install scripts: none of the peers needs its own.
  const args = ['install', '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  return spawnSync('npm', args, { cwd: bench, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

export function peerVersion(name: string): string {
  return dependencies[name]!;
}

function installed(name: string): string | undefined {
  try {
    return JSON.parse(readFileSync(join(bench, 'node_modules', name, 'package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}
