// The embedded server that an installation moved away from, still running because its keeper was killed right after the switch.
import { layoutOf } from '../../../platform/db/embedded/layout.ts';
import { findRunningServer } from '../../../platform/db/embedded/leftovers.ts';
import { stopPostmaster } from '../../../platform/db/embedded/postmaster.ts';
import { readPlace } from './place.ts';

/** Stops it; true when there was one. Under the data lock. */
export async function stopLeftServer(dataDir: string): Promise<boolean> {
  if (readPlace(dataDir)?.kind !== 'own') return false;
  const running = findRunningServer(layoutOf(dataDir));
  if (running === undefined) return false;
  await stopPostmaster(running);
  return true;
}
