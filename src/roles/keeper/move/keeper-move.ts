// A move while the installation runs: the keeper's roles stop for the copy, a sign says so on the api's port, and they start
// again where the installation lives then. Agents are not touched.
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../../config.ts';
import { type Logger, redact } from '../../../platform/logger.ts';
import { BackOff } from '../back-off.ts';
import { type KeptDatabase, keepDatabase } from '../kept-database.ts';
import { rememberVersion } from '../last-here.ts';
import { admitDatabase } from './admit.ts';
import { atPlace } from './choose-place.ts';
import { hangClosedSign } from './closed-sign.ts';
import { type MoveGround, type MoveRequest, runMove } from './move.ts';
import { shownPlace } from './place.ts';
import { Reporter } from './progress.ts';
import { MoveRefused } from './refused.ts';

/** What the keeper lends for a move. */
export interface KeeperHands {
  readonly logger: Logger;
  readonly hasApi: boolean;
  config(): Config;
  database(): KeptDatabase;
  /** The address of a restarted server. */
  tellRoles(): void;
  /** The api first; `closed` is called when its port is free. */
  stopRoles(closed: () => Promise<void>): Promise<void>;
  startRoles(): Promise<void>;
  /** From now on this one is kept, and the configuration says so. */
  use(database: KeptDatabase, config: Config): void;
}

/** Carries out what was asked for; what came of it stands in the run file. Never rejects. */
export async function moveInKeeper(request: MoveRequest, hands: KeeperHands, signal: AbortSignal): Promise<void> {
  const { logger } = hands;
  const { dataDir } = hands.config();
  const report = new Reporter(dataDir, request.id);
  try {
    const outcome = await runMove(request, groundOf(hands, signal), {
      tell: (progress) => report.tell(progress),
      planned: (plan) => report.put({ plan }),
      signal,
    });
    report.put({ state: outcome === undefined ? 'planned' : 'done', outcome: outcome ?? null });
    if (outcome !== undefined) {
      const { from, to, rows, stopped_seconds } = outcome;
      logger.info({ from, to, rows, stopped_seconds }, `the database was moved from ${from} to ${to}`);
    }
  } catch (error) {
    logger.error({ err: error }, 'the database was not moved');
    report.put({ state: 'failed', problem: problemOf(error) });
  }
}

export function problemOf(error: unknown): { code: string; message: string; hint: string | null } {
  const message = redact(error instanceof Error ? error.message : String(error));
  if (error instanceof MoveRefused) return { code: error.code, message, hint: error.hint ?? null };
  return { code: 'move_failed', message, hint: 'Nothing was moved. See `quarterdeck logs keeper`.' };
}

function groundOf(hands: KeeperHands, signal: AbortSignal): MoveGround {
  const { logger } = hands;
  const { dataDir, bind, apiPort } = hands.config();
  const database = hands.database();
  const isEmbedded = database.facts().kind === 'embedded';
  let takeSignDown: () => Promise<void> = async () => undefined;
  let left: KeptDatabase | undefined;
  return {
    dataDir,
    logger,
    source: {
      shown: isEmbedded ? 'embedded' : shownPlace({ kind: 'own', url: database.url() }),
      url: database.directUrl() ?? database.url(),
      isEmbedded,
    },
    openTarget: (place) =>
      keepDatabase(atPlace(hands.config(), place), logger, {
        moved: () => hands.tellRoles(),
        withoutCopy: true,
        signal,
      }),
    async stopRoles() {
      await hands.stopRoles(async () => {
        if (hands.hasApi) takeSignDown = await hangClosedSign(bind, apiPort, logger);
      });
    },
    async adopt(target) {
      left = hands.database();
      const url = target.facts().kind === 'embedded' ? undefined : target.url();
      const own = url === undefined ? undefined : { kind: 'own' as const, url, directUrl: target.directUrl() };
      // It is done; a note that finds no room on the disk changes nothing about that.
      try {
        hands.use(target, atPlace(hands.config(), own ?? { kind: 'embedded' }));
      } catch (error) {
        logger.warn({ err: error }, 'what runs now could not be noted');
      }
      if (url !== undefined) return;
      await rememberVersion(dataDir).catch((error: unknown) =>
        logger.warn({ err: error }, 'the version was not noted'),
      );
    },
    async startRoles() {
      await untilItWorks(logger, signal, async () => {
        const now = hands.database();
        // Opens a database again that was closed for a move which failed after that.
        const settled = await admitDatabase(dataDir, now.directUrl() ?? now.url());
        if (settled !== undefined) logger.info(settled);
      });
      await takeSignDown();
      await untilItWorks(logger, signal, () => hands.startRoles());
      await left?.stop().catch((error: unknown) => logger.warn({ err: error }, 'the old server did not stop'));
    },
  };
}

// The installation has to come back, however long the database takes; only its own end is a reason to give up.
async function untilItWorks(logger: Logger, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  const backOff = new BackOff();
  while (!signal.aborted) {
    try {
      return await act();
    } catch (error) {
      if (signal.aborted) return;
      const pause = backOff.pauseAfter(0);
      logger.error({ err: error, trying_again_in_ms: pause }, 'after the move: not yet');
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}
