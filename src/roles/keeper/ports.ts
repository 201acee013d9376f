// Which port the api gets, decided before anything is started: everybody else has to know it.
import type { Config } from '../../config.ts';
import { findFreePort, isPortFree } from '../../platform/db/embedded/port.ts';
import { type RoleFacts, readRunFile } from '../role-file.ts';
import type { OldRole } from './leftovers.ts';

/** Another program listens where the api is to listen. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
  readonly code = 'port_taken';
}

/**
 * The port asked for; for 0 the one of the last start when it can be had, else a free one. A port held by our own old api
 * counts as free, for that leaves first. Throws PortTaken.
 */
export async function chooseApiPort(config: Config, old: readonly OldRole[]): Promise<number> {
  const last = readRunFile<RoleFacts>(config.dataDir, 'api');
  const isOurs = (port: number) => last?.port === port && old.some(({ pid }) => pid === last.pid);
  if (config.apiPort === 0) {
    const known = readRunFile<{ api_port?: number }>(config.dataDir, 'ports')?.api_port;
    if (known !== undefined && (isOurs(known) || (await isPortFree(known)))) return known;
    return findFreePort();
  }
  if (!isOurs(config.apiPort) && !(await isPortFree(config.apiPort))) {
    throw new PortTaken(`port ${config.apiPort} is taken by another program`);
  }
  return config.apiPort;
}
