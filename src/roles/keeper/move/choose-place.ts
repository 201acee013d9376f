// Which database a start uses: where a move has led, else what the configuration says. One that names another database
// than the installation lives in is refused, never followed: it would start an old state beside the new one.
import type { Config } from '../../../config.ts';
import { DatabaseRefused } from '../prepare.ts';
import { isSameAddress, type Place, placeFile, readPlace, shownPlace, shownUrl } from './place.ts';

/** Throws DatabaseRefused. */
export function choosePlace(config: Config): Place {
  const { dataDir, databaseUrl, databaseDirectUrl } = config;
  const configured: Place =
    databaseUrl === undefined ? { kind: 'embedded' } : { kind: 'own', url: databaseUrl, directUrl: databaseDirectUrl };
  const moved = readMoved(dataDir);
  if (moved === undefined) return configured;
  if (databaseUrl === undefined) return moved;
  // Written newly there, the password may be newer too.
  if (moved.kind === 'own' && isSameAddress(moved.url, databaseUrl)) return configured;
  throw new DatabaseRefused(
    `the installation was moved to ${shownPlace(moved)} on ${moved.since}, and DATABASE_URL names ${shownUrl(databaseUrl)}: ` +
      `take DATABASE_URL out of the environment. If the move is to be forgotten, remove ${placeFile(dataDir)}`,
  );
}

/** The configuration with that database. */
export function atPlace(config: Config, place: Place): Config {
  const own = place.kind === 'own' ? place : undefined;
  return { ...config, databaseUrl: own?.url, databaseDirectUrl: own?.directUrl };
}

function readMoved(dataDir: string): ReturnType<typeof readPlace> {
  try {
    return readPlace(dataDir);
  } catch (cause) {
    throw new DatabaseRefused(`${(cause as Error).message}: restore it, or remove it and set DATABASE_URL`, { cause });
  }
}
