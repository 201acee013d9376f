// One keeper takes the place of another: the one that watches is killed, as by any crash, and the start that follows takes
// over what outlived it. Killed, because a keeper that is asked to end takes its agents along.
import { hostname } from 'node:os';
import { acquireDataLock, type DataLock, DataLockHeld, type Holder } from '../../platform/process/data-lock.ts';
import { stopProcess } from '../../platform/process/stop.ts';
import { findKeeper } from './survey.ts';

/** Takes the data directory; `replace`: also from a keeper that is ready. Throws DataLockHeld. */
export async function takeLock(dataDir: string, holder: Holder, replace: boolean): Promise<DataLock> {
  try {
    return acquireDataLock(dataDir, holder);
  } catch (error) {
    if (!replace || !(error instanceof DataLockHeld)) throw error;
    // Whoever else holds it (a start under way, a copy being taken back) is waited for by the operator.
    const keeper = findKeeper(error.dataDir);
    const { holder: held } = error;
    if (keeper === undefined || keeper.pid !== held?.pid || (held.host ?? hostname()) !== hostname()) throw error;
    await stopProcess(keeper.pid, keeper.start_time, { signal: 'SIGKILL' });
    return acquireDataLock(dataDir, holder);
  }
}
