// Puts the SDKs beside the agents of an example, as `npm install` and `pip install` would, so that it runs without a
// network: the copy is what an operator reads, changes and takes along.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TYPESCRIPT = fileURLToPath(new URL('../../../../sdk/', import.meta.url));
const PYTHON = fileURLToPath(new URL('../../../../python/quarterdeck', import.meta.url));

/** Node finds the package from anywhere below `directory`, Python from the scripts in its `agents`. */
export function placeSdks(directory: string): void {
  const target = join(directory, 'node_modules', '@quarterdeck', 'sdk');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, 'dist'), { recursive: true });
  cpSync(join(TYPESCRIPT, 'package.json'), join(target, 'package.json'));
  for (const name of readdirSync(join(TYPESCRIPT, 'src')).filter((file) => /^[\w-]+\.ts$/.test(file))) {
    // Node runs no TypeScript below node_modules.
    const script = stripTypeScriptTypes(readFileSync(join(TYPESCRIPT, 'src', name), 'utf8'));
    writeFileSync(
      join(target, 'dist', name.replace(/ts$/, 'js')),
      script.replace(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"),
    );
  }
  const python = join(directory, 'agents', 'quarterdeck');
  rmSync(python, { recursive: true, force: true });
  cpSync(PYTHON, python, { recursive: true, filter: (path) => !path.includes('__pycache__') });
}
