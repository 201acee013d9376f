// The embedded PostgreSQL of one data directory: found running and taken over, or started, with our role and database in
// it. The caller holds the data lock (../../process/data-lock.ts) and starts it again when `exited` resolves.
import { rotateLog } from '../../process/log-file.ts';
import { enginesOfCopies } from './copies.ts';
import { removeOtherEngines } from './engine.ts';
import { diskFull, EmbeddedFailure, isOutOfSpace } from './failure.ts';
import { type Ground, type GroundOptions, prepareGround } from './ground.ts';
import { type Layout, layoutOf, socketDirectory } from './layout.ts';
import { clearLeftovers, endStrayBackends, findRunningServer } from './leftovers.ts';
import type { Log } from './log.ts';
import { findFreePort, isPortFree, readPort, writePort } from './port.ts';
import { type Exit, launch, type Postmaster, stopPostmaster } from './postmaster.ts';
import { adminUrlOf, provision } from './provision.ts';
import { hasReserve, isDiskFull, keepReserve, releaseReserve } from './reserve.ts';
import { listenArguments } from './settings.ts';
import { takeOver } from './takeover.ts';

export interface EmbeddedOptions extends GroundOptions {
  /** Must exist; the caller holds its lock. */
  dataDir: string;
  /** This port or none. Left out or 0: the one of the last start when it is free, else another. */
  port?: number;
  /** Ports that other parts of the installation are to have, and do not hold yet. */
  promisedPorts?: readonly number[];
}

export interface EmbeddedServer {
  /** Address of the installation's database as its owner, who is no superuser. */
  url: string;
  /** Address of the superuser. For backups; requests never run under it. */
  adminUrl: string;
  port: number;
  pid: number;
  major: number;
  /** Directory of the UNIX socket, undefined where its path would be too long. */
  sockets: string | undefined;
  /** Whether it ran already. */
  adopted: boolean;
  /** Resolves when the server is gone for whatever reason, stop() included. */
  exited: Promise<Exit>;
  /** False while the disk has no room for the reserve: the next writes may end the server, so shed them. */
  hasReserve(): boolean;
  stop(): Promise<void>;
}

/** Resolves when the server takes connections and has our role and database. Throws EmbeddedFailure. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const layout = layoutOf(options.dataDir);
  try {
    return await start(layout, options);
  } catch (error) {
    const failure = translate(error, layout);
    const mayRetry = failure instanceof EmbeddedFailure && failure.code === 'disk_full';
    if (!mayRetry || !releaseReserve(layout.reserve)) throw failure;
    options.log('warn', 'the disk is full: starting the database on its reserve', { directory: layout.root });
  }
  try {
    return await start(layout, options);
  } catch (error) {
    throw translate(error, layout);
  }
}

async function start(layout: Layout, options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { log } = options;
  const ground = await prepareGround(layout, options);
  const { postmaster, adopted } = await findOrLaunch(ground, options);
  const adminUrl = adminUrlOf(postmaster.port, ground.superuserPassword);
  const url = await provision({
    port: postmaster.port,
    adminUrl,
    secrets: layout.secrets,
    isNew: ground.isNew,
  }).catch(async (error: unknown) => {
    await end(layout, postmaster, log);
    throw error;
  });
  const { pid, port } = postmaster;
  log('info', adopted ? 'the database was running and is taken over' : 'the database is ready', { pid, port });

  const reserve = keepReserve(layout.reserve);
  // Also when it goes by itself: the next start begins a watch of its own.
  const exited = postmaster.exited.finally(() => reserve.end());
  return {
    url,
    adminUrl,
    port,
    pid,
    major: ground.engine.major,
    sockets: socketDirectory(layout, port),
    adopted,
    exited,
    hasReserve: () => hasReserve(layout.reserve),
    async stop() {
      await end(layout, postmaster, log);
      await reserve.end();
    },
  };
}

async function findOrLaunch(
  ground: Ground,
  options: EmbeddedOptions,
): Promise<{ postmaster: Postmaster; adopted: boolean }> {
  const { log } = options;
  const demandedPort = options.port || undefined;
  const running = findRunningServer(ground.layout);
  if (running) {
    const postmaster = await takeOver(ground, running, demandedPort, log);
    if (postmaster) return { postmaster, adopted: true };
    log('warn', 'stopping the running database to start it anew', { pid: running.pid });
    await stopPostmaster(running);
  }
  await clearLeftovers(ground.layout, log);
  rotateLog(ground.layout.logFile);
  const postmaster = await launchOnSomePort(ground, demandedPort, options);
  writePort(ground.layout.portFile, postmaster.port);
  removeOtherEngines(ground.engine, enginesOfCopies(ground.layout, ground.engine.major));
  return { postmaster, adopted: false };
}

const PORT_TRIES = 5;

async function launchOnSomePort(
  ground: Ground,
  demanded: number | undefined,
  { log, promisedPorts }: EmbeddedOptions,
): Promise<Postmaster> {
  const { layout, engine, account } = ground;
  let port = demanded ?? readPort(layout.portFile) ?? (await findFreePort(promisedPorts));
  for (let tries = 1; ; tries += 1) {
    try {
      if (!(await isPortFree(port))) throw portTaken(port);
      const args = listenArguments(port, socketDirectory(layout, port));
      const { cluster, logFile } = layout;
      return await launch({ engine, cluster, account: account?.run, port, args, logFile, log });
    } catch (error) {
      const isTaken = error instanceof EmbeddedFailure && error.code === 'port_taken';
      if (!isTaken || demanded !== undefined || tries === PORT_TRIES) throw error;
      log('warn', 'the port of the database is taken, choosing another', { port });
      port = await findFreePort(promisedPorts);
    }
  }
}

function portTaken(port: number): EmbeddedFailure {
  return new EmbeddedFailure('port_taken', `port ${port} of 127.0.0.1 is taken by another program`, {
    hint: 'Stop that program, or leave the port out to have a free one chosen.',
    retryable: true,
  });
}

async function end(layout: Layout, postmaster: Postmaster, log: Log): Promise<void> {
  await stopPostmaster(postmaster);
  await endStrayBackends(layout, log);
}

// PostgreSQL's words on a full disk are misleading (they speak of corrupted data) or missing, because its log has no
// room either: so the disk itself is asked about everything that has no better explanation.
function translate(error: unknown, layout: Layout): unknown {
  const isExplained = error instanceof EmbeddedFailure && error.code !== 'start_failed' && error.code !== 'disk_full';
  if (isExplained) return error;
  const isFull = error instanceof EmbeddedFailure && error.code === 'disk_full';
  return isFull || isOutOfSpace(error) || isDiskFull(layout.root) ? diskFull(layout.root, error) : error;
}
