// The example fleets that come with the program. One that was added lies as a copy in <data>/examples/<name>, where its
// agents work, and is started with every start until it is removed.
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingPrograms } from '../../../config/missing-programs.ts';
import { type Config, withManifest } from '../../../config.ts';
import { CliFailure } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import { placeSdks } from './example-sdks.ts';

const SHIPPED = fileURLToPath(new URL('../../../../examples', import.meta.url));
const MANIFEST = 'quarterdeck.yaml';

/** Refuses an unknown example, and one that does not go together with the manifest, before anything is started. */
export function checkExample(config: Config, name: string): void {
  if (!existsSync(join(SHIPPED, name, MANIFEST))) {
    const known = names(SHIPPED).join(', ') || 'none';
    throw new CliFailure(`there is no example "${name}"`, exitCodes.usage, `Those that there are: ${known}`);
  }
  withManifest(config, join(SHIPPED, name, MANIFEST), `examples/${name}/${MANIFEST}`);
}

/**
 * Copies the example asked for into the data directory and adds the agents of all that are there, but for those whose
 * program this machine does not have: `tell` hears of them.
 */
export function placeExamples(config: Config, asked: string | undefined, tell: (message: string) => void): Config {
  const placed = join(config.dataDir, 'examples');
  if (asked !== undefined) {
    mkdirSync(placed, { recursive: true, mode: 0o700 });
    // The program's files anew, what its agents made stays.
    cpSync(join(SHIPPED, asked), join(placed, asked), { recursive: true, force: true });
    placeSdks(join(placed, asked));
  }
  return names(placed).reduce((sum, name) => {
    const file = join(placed, name, MANIFEST);
    const { agents, ...rest } = withManifest(sum, file, file);
    const added = Object.fromEntries(Object.entries(agents).filter(([agent]) => !(agent in sum.agents)));
    const missing = missingPrograms(added, process.env['PATH'] ?? '');
    for (const { agent, program } of missing) {
      tell(`example ${name}: ${agent} is left out, because ${program} is not on this machine; the others run`);
    }
    const leftOut = new Set(missing.map(({ agent }) => agent));
    return { ...rest, agents: Object.fromEntries(Object.entries(agents).filter(([agent]) => !leftOut.has(agent))) };
  }, config);
}

function names(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => existsSync(join(directory, name, MANIFEST)));
}
