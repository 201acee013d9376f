// Where Python is, and running the tests of the Python SDK with it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

export const PYTHON_SDK = resolve(import.meta.dirname, '../../python');

/** The SDK promises Python 3.9; under CI it must be there. */
export function findPython(): string | undefined {
  const check = 'import sys; sys.exit(sys.version_info < (3, 9))';
  const found = ['python3', 'python'].find((name) => spawnSync(name, ['-c', check], { stdio: 'ignore' }).status === 0);
  if (found === undefined && process.env['CI'] !== undefined) throw new Error('Python ≥ 3.9 is needed under CI');
  return found;
}

/** Runs `python -m unittest` for the module; answers how it ended and what it printed. */
export async function runUnittest(
  python: string,
  module: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly text: string }> {
  // Warnings are errors: a socket or a file that is left open fails its test.
  const child = spawn(python, ['-W', 'error', '-m', 'unittest', '-v', module], {
    cwd: PYTHON_SDK,
    env: { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (part: string) => {
      text += part;
    });
  }
  const limit = setTimeout(() => child.kill('SIGKILL'), 55_000);
  await once(child, 'close');
  clearTimeout(limit);
  return { code: child.exitCode, text };
}
