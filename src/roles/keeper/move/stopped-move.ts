// A move while nothing runs: this process holds the data directory, starts the embedded server for as long as it is needed,
// and leaves everything stopped. The next start is in the new database.
import { realpathSync } from 'node:fs';
import type { Config } from '../../../config.ts';
import type { Logger } from '../../../platform/logger.ts';
import { acquireDataLock } from '../../../platform/process/data-lock.ts';
import { type KeptDatabase, keepDatabase } from '../kept-database.ts';
import { rememberVersion } from '../last-here.ts';
import { findOldRoles } from '../leftovers.ts';
import { admitDatabase } from './admit.ts';
import { atPlace, choosePlace } from './choose-place.ts';
import { type MoveEvents, type MoveRequest, runMove } from './move.ts';
import { type Place, readPlace, shownPlace } from './place.ts';
import type { MoveOutcome } from './progress.ts';
import { MoveRefused } from './refused.ts';

export interface StoppedMove {
  readonly config: Config;
  readonly request: MoveRequest;
  readonly logger: Logger;
  readonly events: MoveEvents;
}

/** Undefined for a dry run. Throws MoveRefused, DataLockHeld, DatabaseRefused, EmbeddedFailure. */
export async function moveStopped({ config, request, logger, events }: StoppedMove): Promise<MoveOutcome | undefined> {
  const lock = acquireDataLock(config.dataDir, {
    pid: process.pid,
    started_at: new Date().toISOString(),
    command: 'quarterdeck database move',
  });
  const opened: KeptDatabase[] = [];
  try {
    const dataDir = realpathSync(config.dataDir);
    refuseLeftRoles(dataDir);
    const open = async (place: Place): Promise<KeptDatabase> => {
      const options = { moved: () => undefined, withoutCopy: true, signal: events.signal };
      const database = await keepDatabase(atPlace({ ...config, dataDir }, place), logger, options);
      opened.push(database);
      return database;
    };
    const place = choosePlace({ ...config, dataDir });
    const source = await open(place);
    const url = source.directUrl() ?? source.url();
    await admitDatabase(dataDir, url);
    return await runMove(
      request,
      {
        dataDir,
        logger,
        source: { shown: shownPlace(place), url, isEmbedded: place.kind === 'embedded' },
        openTarget: open,
        stopRoles: async () => undefined,
        async adopt(target) {
          await admitDatabase(dataDir, target.directUrl() ?? target.url());
          if (target.facts().kind === 'embedded') await rememberVersion(dataDir);
        },
        // Also after a failure: what was closed for it is opened again.
        startRoles: async () => {
          if (readPlace(dataDir)?.move !== request.id) await admitDatabase(dataDir, url);
        },
      },
      events,
    );
  } finally {
    for (const database of opened) await database.stop();
    lock.release();
  }
}

function refuseLeftRoles(dataDir: string): void {
  const roles = findOldRoles(dataDir).map(({ role }) => role);
  if (roles.length === 0) return;
  const hint = 'Start it with `quarterdeck up`, or end it with `quarterdeck down`, then move.';
  throw new MoveRefused('move_failed', `parts run without their keeper: ${roles.join(', ')}`, hint);
}
