// Upkeep of the log, run by every engine: whoever comes first does it, the others find nothing to do.
import type { Call } from '../../platform/call.ts';
import { type Database, fleetScope, ownerScope } from '../../platform/db/database.ts';
import { Loop } from '../../platform/loop.ts';
import { announce } from '../../platform/signals.ts';
import { Archiver } from './archive/archiver.ts';
import { logEvents } from './events.ts';
import { exportHead } from './seals/heads.ts';
import { sealNext } from './seals/sealer.ts';
import type { Log } from './service.ts';
import * as store from './store.ts';

export interface LogLoopOptions {
  readonly db: Database;
  readonly log: Log;
  readonly call: Call;
  readonly failed: (name: string, error: unknown, failures: number) => void;
  /** Where this machine keeps heads and archives; without it neither is written. */
  readonly keeping?: Keeping | undefined;
}

export interface Keeping {
  readonly dataDir: string;
  readonly archiveDir: string;
  /** Undefined: every event stays in the database. */
  readonly logKeepDays: number | undefined;
}

const READY_PARTITIONS = 3;
/** A transaction that holds a floor longer keeps everybody from reading on, so it is ended. */
export const LONGEST_HOLD_MS = 5_000;

export function logLoops({ db, log, call, failed, keeping }: LogLoopOptions): Loop[] {
  return [
    new Loop({ name: 'log.partitions', everyMs: 60_000, failed, turn: () => keepPartitionsReady(db, log, call) }),
    new Loop({ name: 'log.time_marks', everyMs: 20_000, failed, turn: () => db.write(fleetScope, store.addTimeMark) }),
    new Loop({
      name: 'log.old_time_marks',
      everyMs: 3_600_000,
      failed,
      turn: async () => (await db.write(fleetScope, store.thinTimeMarks)) > 0,
    }),
    new Loop({
      name: 'log.event_ids',
      everyMs: 600_000,
      failed,
      turn: async () => (await db.write(fleetScope, store.forgetOldIds)) > 0,
    }),
    new Loop({ name: 'log.floors', everyMs: 1_000, failed, turn: endLongHolders(db, log, call, LONGEST_HOLD_MS) }),
    new Loop({ name: 'log.seals', everyMs: 60_000, failed, turn: () => sealNext(db, log, call) }),
    ...(keeping === undefined ? [] : keepingLoops(keeping, { db, log, call, failed })),
  ];
}

function keepingLoops(keeping: Keeping, { db, log, call, failed }: Omit<LogLoopOptions, 'keeping'>): Loop[] {
  const { dataDir, archiveDir: directory, logKeepDays: keepDays } = keeping;
  const heads = new Loop({ name: 'log.heads', everyMs: 60_000, failed, turn: () => exportHead(db, dataDir) });
  if (keepDays === undefined) return [heads];
  const archiver = new Archiver({ db, log, call, directory, keepDays });
  return [heads, new Loop({ name: 'log.archive', everyMs: 60_000, failed, turn: () => archiver.turn() })];
}

async function keepPartitionsReady(db: Database, log: Log, call: Call): Promise<void> {
  const ready = await db.write(ownerScope, (tx) => store.ensurePartitions(tx, READY_PARTITIONS));
  if (ready < 2) {
    await db.write(fleetScope, (tx) => log.append(tx, call, [logEvents.make('partitions.low', { ready })]));
  }
}

// Age is measured here, from when a floor was first seen held by the same transaction: a long transaction that has only
// just appended is no offender, and the database's clock may jump.
export function endLongHolders(db: Database, log: Log, call: Call, longestHoldMs: number): () => Promise<void> {
  const firstSeen = new Map<string, number>();
  return async () => {
    const holders = await db.write(ownerScope, store.floorHolders);
    const now = performance.now();
    const keys = new Set(holders.map((holder) => holder.transaction));
    for (const key of firstSeen.keys()) if (!keys.has(key)) firstSeen.delete(key);
    for (const holder of holders) {
      const since = firstSeen.get(holder.transaction) ?? now;
      firstSeen.set(holder.transaction, since);
      if (now - since < longestHoldMs) continue;
      await endHolder(db, holder);
      firstSeen.delete(holder.transaction);
      await db.write(fleetScope, (tx) =>
        log.append(tx, call, [
          logEvents.make('writer.ended', {
            application: holder.application,
            role: holder.role,
            held_seconds: Math.round((now - since) / 100) / 10,
          }),
        ]),
      );
      announce('log.writer_ended', holder);
    }
  };
}

async function endHolder(db: Database, holder: store.FloorHolder): Promise<void> {
  if (holder.pid !== null) {
    const { pid, transaction } = holder;
    await db.write(ownerScope, (tx) => store.endBackend(tx, pid, transaction));
  } else if (holder.prepared !== null) {
    await db.outsideTransaction(store.rollBackPrepared(holder.prepared));
  }
}
