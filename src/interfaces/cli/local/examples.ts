// The example fleets that come with the program, and how one is copied into an installation. What lies there and runs is
// the keeper's business.
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, withExample } from '../../../config.ts';
import { exampleDir, exampleNames, MANIFEST } from '../../../roles/keeper/examples.ts';
import { CliFailure } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import { placeSdks } from './example-sdks.ts';

const SHIPPED = fileURLToPath(new URL('../../../../examples', import.meta.url));

export function shippedExamples(): string[] {
  return exampleNames(SHIPPED);
}

/** Refuses an unknown example, and one that does not go together with the manifest, before anything is started. */
export function checkExample(config: Config, name: string): void {
  const known = shippedExamples();
  if (!known.includes(name)) {
    const hint = `Those that there are: ${known.join(', ') || 'none'}`;
    throw new CliFailure(`there is no example "${name}"`, exitCodes.usage, hint);
  }
  withExample(config, name, join(SHIPPED, name, MANIFEST), `examples/${name}/${MANIFEST}`);
}

/** Copies the example asked for into the data directory. */
export function placeExample(dataDir: string, asked: string): void {
  const placed = join(dataDir, 'examples');
  mkdirSync(placed, { recursive: true, mode: 0o700 });
  // The program's files anew, what its agents made stays.
  cpSync(join(SHIPPED, asked), exampleDir(dataDir, asked), { recursive: true, force: true });
  placeSdks(exampleDir(dataDir, asked));
}
