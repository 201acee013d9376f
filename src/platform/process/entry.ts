// Paths of our own modules for spawn and Worker, which the compiler does not rewrite: sources end in .ts, the published
// package in .js.
import { dirname, extname, resolve } from 'node:path';

/**
 * Path of a module named without its suffix, relative to the module that asks:
 * `entryPath('./api', import.meta)` is …/src/roles/api.ts from sources and …/dist/roles/api.js from the package.
 */
export function entryPath(module: string, from: { filename: string }): string {
  return resolve(dirname(from.filename), `${module}${extname(from.filename)}`);
}
