// Which installation a command means: the data directory by flag, environment, manifest or default.
import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { settings } from '../../../config/settings.ts';

export const placeInput = {
  data: settings.data.schema.optional(),
  config: z.string().min(1).optional().describe('The manifest; without it ./quarterdeck.yaml, when it is there'),
};

export interface Place {
  readonly data?: string | undefined;
  readonly config?: string | undefined;
}

/** The data directory, as a real path when it exists. Throws CliFailure. */
export async function findDataDir(place: Place): Promise<{ readonly dataDir: string; readonly exists: boolean }> {
  const { readConfig } = await import('../../../config.ts');
  const { refusalOf } = await import('./refusals.ts');
  // Said plainly it needs no manifest: stopping must not fail for a key in it that is wrong.
  const said = place.data ?? (process.env['QUARTERDECK_DATA'] || undefined);
  if (said !== undefined && place.config === undefined) return located(resolve(said));
  try {
    const { dataDir } = readConfig({
      flags: { data: place.data },
      env: process.env,
      cwd: process.cwd(),
      file: place.config,
    });
    return located(dataDir);
  } catch (error) {
    throw refusalOf(error);
  }
}

function located(dataDir: string): { readonly dataDir: string; readonly exists: boolean } {
  const exists = existsSync(dataDir);
  return { dataDir: exists ? realpathSync(dataDir) : dataDir, exists };
}
