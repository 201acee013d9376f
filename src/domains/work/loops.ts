// What keeps work moving, run by every engine: whoever comes first does it, the others find nothing to do.
import type { Call } from '../../platform/call.ts';
import { type Database, fleetScope, ownerScope } from '../../platform/db/database.ts';
import { Loop } from '../../platform/loop.ts';
import type { Log } from '../log/index.ts';
import { forgetApprovals } from './approvals/approval-store.ts';
import { forgetOldBatches } from './batches/batch-store.ts';
import { forgetUsage } from './budgets/budget-store.ts';
import { forgetOldGrants } from './channels/channel-store.ts';
import { workEvents } from './events.ts';
import { dropOldWeek } from './history.ts';
import { foldCounts, forgetOldCounts } from './read-store.ts';
import type { Work } from './service.ts';
import { forgetOldSteps } from './steps/step-store.ts';
import { ensurePartitions } from './store.ts';

export interface WorkLoopOptions {
  readonly db: Database;
  readonly log: Log;
  readonly work: Work;
  readonly call: Call;
  readonly failed: (name: string, error: unknown, failures: number) => void;
  readonly keeping?: WorkKeeping | undefined;
}

export interface WorkKeeping {
  /** Undefined: what has ended is kept for ever. */
  readonly workKeepDays: number | undefined;
}

const WEEKS_AHEAD = 4;
const COUNTS_KEPT_DAYS = 32;
const BATCH = 10_000;

export function workLoops({ db, log, work, call, failed, keeping }: WorkLoopOptions): Loop[] {
  return [
    new Loop({ name: 'work.due', everyMs: 500, failed, turn: () => work.queueDue(call) }),
    new Loop({ name: 'work.schedules', everyMs: 500, failed, turn: () => work.schedules.tick(call) }),
    new Loop({ name: 'work.approvals', everyMs: 1_000, failed, turn: () => work.approvals.expire(call) }),
    new Loop({ name: 'work.batches', everyMs: 500, failed, turn: () => work.batches.stop(call) }),
    new Loop({ name: 'work.budgets', everyMs: 1_000, failed, turn: () => work.budgets.tell(call) }),
    new Loop({ name: 'work.rescue', everyMs: 1_000, failed, turn: () => work.rescue(call) }),
    new Loop({
      name: 'work.counts',
      everyMs: 10_000,
      failed,
      turn: async () => (await db.write(fleetScope, (tx) => foldCounts(tx, BATCH))) === BATCH,
    }),
    new Loop({
      name: 'work.old_counts',
      everyMs: 600_000,
      failed,
      turn: async () => (await db.write(fleetScope, (tx) => forgetOldCounts(tx, COUNTS_KEPT_DAYS, BATCH))) === BATCH,
    }),
    new Loop({
      name: 'work.old_grants',
      everyMs: 60_000,
      failed,
      turn: async () => (await db.write(fleetScope, (tx) => forgetOldGrants(tx, BATCH))) === BATCH,
    }),
    new Loop({ name: 'work.partitions', everyMs: 60_000, failed, turn: () => keepPartitionsReady(db, log, call) }),
    ...historyLoops(keeping?.workKeepDays, { db, log, call, failed }),
  ];
}

function historyLoops(
  keepDays: number | undefined,
  { db, log, call, failed }: Pick<WorkLoopOptions, 'db' | 'log' | 'call' | 'failed'>,
): Loop[] {
  if (keepDays === undefined) return [];
  // One a turn: whoever set a wrong number, or whose clock is wrong, has time to see it in the log.
  const turn = async () => {
    await dropOldWeek(db, log, call, keepDays);
  };
  const forgets = {
    old_approvals: forgetApprovals,
    old_batches: forgetOldBatches,
    old_steps: forgetOldSteps,
    old_usage: forgetUsage,
  };
  return [
    new Loop({ name: 'work.history', everyMs: 600_000, failed, turn }),
    ...Object.entries(forgets).map(
      ([name, forget]) =>
        new Loop({
          name: `work.${name}`,
          everyMs: 600_000,
          failed,
          turn: async () => (await db.write(fleetScope, (tx) => forget(tx, keepDays, BATCH))) === BATCH,
        }),
    ),
  ];
}

async function keepPartitionsReady(db: Database, log: Log, call: Call): Promise<void> {
  const ready = await db.write(ownerScope, (tx) => ensurePartitions(tx, WEEKS_AHEAD));
  if (ready < 2) {
    await db.write(fleetScope, (tx) => log.append(tx, call, [workEvents.make('partitions.low', { ready })]));
  }
}
