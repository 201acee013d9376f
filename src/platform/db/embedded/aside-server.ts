// A server on a cluster that is not the installation's running one: a copy that is opened to prove it, the two sides of a
// change of major version. It listens on a free port, serves nobody else, and is ended with its task.
import { join } from 'node:path';
import type { Engine } from './engine.ts';
import type { Ground } from './ground.ts';
import { endStrayBackends } from './leftovers.ts';
import type { Log } from './log.ts';
import { findFreePort } from './port.ts';
import { launch, type Postmaster, stopPostmaster } from './postmaster.ts';
import { adminUrlOf } from './provision.ts';
import { listenArguments } from './settings.ts';

export interface AsideServer {
  readonly port: number;
  readonly adminUrl: string;
}

export interface AsidePlan {
  readonly ground: Ground;
  readonly cluster: string;
  /** The ground's own unless stated. */
  readonly engine?: Engine;
  /** More settings, by name. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly log: Log;
}

// Nothing of it may reach the archive of the installation, and nothing changes behind our back.
const QUIET = { archive_mode: 'off', autovacuum: 'off' };

/** Runs something with the server up, and stops it in any case; answers what that gave. */
export async function withAsideServer<Result>(
  { ground, cluster, engine = ground.engine, settings = {}, log }: AsidePlan,
  run: (server: AsideServer) => Promise<Result>,
): Promise<Result> {
  const { layout, account, superuserPassword } = ground;
  const port = await findFreePort();
  const more = Object.entries({ ...QUIET, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const args = [...listenArguments(port, undefined), ...more];
  const logFile = join(layout.logs, 'postgres-aside.log');
  let postmaster: Postmaster | undefined;
  try {
    postmaster = await launch({ engine, cluster, account: account?.run, port, args, logFile, log });
    return await run({ port, adminUrl: adminUrlOf(port, superuserPassword) });
  } finally {
    if (postmaster) await stopPostmaster(postmaster);
    await endStrayBackends({ ...layout, cluster }, log);
  }
}
