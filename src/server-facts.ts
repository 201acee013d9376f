// What a process says of the server it belongs to: version, parts, and each setting with where it came from.

import { settingKeys, settings } from './config/settings.ts';
import type { Config } from './config.ts';
import { valuesOf } from './config.ts';
import type { ServerFacts } from './domains/fleet/index.ts';
import { version } from './platform/version.ts';

export async function serverFacts(config: Config, survey: () => Promise<ServerFacts['parts']>): Promise<ServerFacts> {
  return {
    version,
    node: process.version,
    data_dir: config.dataDir,
    database: config.origins.database_url.from === 'default' ? 'embedded' : 'own',
    parts: await survey(),
    settings: explainSettings(config),
  };
}

/** Every setting in the order of its table; of a secret one only where it came from. */
export function explainSettings(config: Config): ServerFacts['settings'] {
  const values = valuesOf(config);
  return settingKeys.map((key) => {
    const { schema, environment, flag, manifest, secret, fallback, fallbackWords } = settings[key];
    const { from: origin, place } = config.origins[key];
    const value = values[key];
    return {
      setting: key,
      value: secret || value === undefined ? null : String(value),
      origin,
      place,
      meaning: schema.description ?? '',
      default: fallbackWords ?? String(fallback?.()),
      is_masked: secret,
      flag: flag ? `--${key.replaceAll('_', '-')}` : null,
      environment,
      in_manifest: manifest,
    };
  });
}
