// Which declared agents cannot run on this machine, because their program is not there. A fleet of the operator's own is
// started anyway, for the program may come later; an example leaves such agents out and says so.
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import type { DeclaredAgents } from './manifest.ts';

export interface MissingProgram {
  readonly agent: string;
  readonly program: string;
}

/** `path` is the PATH that the agents will have. */
export function missingPrograms(agents: DeclaredAgents, path: string): MissingProgram[] {
  return Object.entries(agents).flatMap(([agent, { command, cwd = '.' }]) => {
    // A line of text is the shell's business.
    if (typeof command === 'string') return [];
    const program = command[0]!;
    const places = program.includes('/')
      ? [resolve(cwd, program)]
      : path.split(delimiter).map((directory) => resolve(cwd, directory, program));
    return places.some(isProgram) ? [] : [{ agent, program }];
  });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
