// The keeper of one installation: holds the data directory, brings up database and roles, keeps them running, and takes
// everything down again in order. It holds no business logic.
import { mkdirSync, realpathSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname, join } from 'node:path';
import type { App } from '../../app.ts';
import { apiUrl } from '../../config/addresses.ts';
import { type Config, environmentOf } from '../../config.ts';
import { endLeftAgents, type PlanStep } from '../../domains/fleet/index.ts';
import type { Logger } from '../../platform/logger.ts';
import type { DataLock } from '../../platform/process/data-lock.ts';
import { processStartTime } from '../../platform/process/facts.ts';
import { version } from '../../platform/version.ts';
import { AFTER_OUTAGE_MARKER, type RoleName, removeRunFile, writeRunFile } from '../role-file.ts';
import { declareFleet } from './declare.ts';
import { everyOne, everyStep } from './every-step.ts';
import { withPlacedExamples } from './examples.ts';
import { type DatabaseFacts, type KeptDatabase, keepDatabase } from './kept-database.ts';
import { KeptRole } from './kept-role.ts';
import { watchLargeLogs } from './large-logs.ts';
import { rememberVersion } from './last-here.ts';
import { findOldRoles, type OldRole, stopOldRole } from './leftovers.ts';
import { admitDatabase } from './move/admit.ts';
import { atPlace, choosePlace } from './move/choose-place.ts';
import { type KeeperHands, moveInKeeper } from './move/keeper-move.ts';
import { stopLeftServer } from './move/left-server.ts';
import type { MoveRequest } from './move/move.ts';
import { takeRequest } from './move/request.ts';
import { orEnded } from './or-ended.ts';
import { chooseApiPort } from './ports.ts';
import { type Introduction, introduce, keepersApp, orRefused, prepareSchema } from './prepare.ts';
import { takeLock } from './replace.ts';

export interface KeeperOptions {
  readonly config: Config;
  readonly roles: readonly RoleName[];
  readonly logger: Logger;
  /** How it was started, shown to a second start. */
  readonly command: string;
  /** Called under the lock before anything is started, with the data directory. */
  prepare?(dataDir: string): void;
  /** Migrations may change the embedded database although no copy of it was made before. */
  readonly withoutCopy?: boolean;
  /** Takes the place of a keeper that is ready; what it watches goes on. */
  readonly replace?: boolean;
  /** Ends the start when it is under way. */
  readonly signal: AbortSignal;
}

export interface KeeperFacts {
  readonly pid: number;
  readonly start_time: string;
  readonly started_at: string;
  readonly version: string;
  readonly roles: readonly RoleName[];
  readonly database: DatabaseFacts;
}

export interface Keeper {
  /** Undefined when the api was not asked for. */
  readonly url: string | undefined;
  readonly signInUrl: string | undefined;
  readonly token: string;
  readonly dataDir: string;
  readonly database: DatabaseFacts;
  readonly migrations: readonly string[];
  readonly roles: readonly RoleName[];
  /** Takes everything down: host with its agents first, PostgreSQL last. */
  stop(): Promise<void>;
  /** While it stops: whatever is still there is killed. */
  hurry(): void;
  /**
   * Does what was asked for: moves the database, makes the fleet what the examples say by now. What came of it is in a run
   * file each.
   */
  reread(): Promise<void>;
}

/** What came of reading the examples again. */
export interface Reread {
  readonly pid: number;
  /** Milliseconds since 1970 at which the reading began. */
  readonly began: number;
  readonly steps: readonly PlanStep[];
  /** Agents that were left out, each in a sentence. */
  readonly leftOut: readonly string[];
  /** Why nothing came of it; null when something did. */
  readonly problem: string | null;
}

/** The run file that holds it. */
export const REREAD = 'examples';

// Agents end before the rest does, so the host gets most of the ten seconds.
const HOST_GRACE_MS = 6_500;
const ROLE_GRACE_MS = 2_500;
const START_LIMIT_MS = 60_000;

/** Resolves when every part has answered. When it rejects, nothing that it started is left. */
export async function startKeeper(options: KeeperOptions): Promise<Keeper> {
  const started_at = new Date().toISOString();
  const holder = { pid: process.pid, started_at, command: options.command };
  const lock = await takeLock(options.config.dataDir, holder, options.replace ?? false);
  const installation = new Installation(options, started_at, lock);
  try {
    return await installation.start();
  } catch (error) {
    // Why it does not start is the answer; what is left of it is told beside.
    await installation.undo().catch((left: unknown) => {
      options.logger.error({ err: left }, 'a start that failed could not be undone wholly');
    });
    throw error;
  }
}

class Installation {
  readonly #options: KeeperOptions;
  readonly #startedAt: string;
  readonly #lock: DataLock;
  readonly #logger: Logger;
  #config: Config;
  #database: KeptDatabase | undefined;
  #roles: KeptRole[] = [];
  // Whether this start found parts of the last one alive: then the agents, too, are those of the last one.
  #tookOver = false;
  #alive: NodeJS.Timeout | undefined;
  #largeLogs: { end(): void } | undefined;
  #rereading: Promise<void> = Promise.resolve();
  readonly #movesOff = new AbortController();
  #isMoving = false;
  #lastMoveAt = Number.NEGATIVE_INFINITY;

  constructor(options: KeeperOptions, startedAt: string, lock: DataLock) {
    this.#options = options;
    this.#startedAt = startedAt;
    this.#lock = lock;
    this.#logger = options.logger;
    // Processes are found by it, and the kernel names directories by their real path.
    this.#config = { ...options.config, dataDir: realpathSync(options.config.dataDir) };
  }

  async start(): Promise<Keeper> {
    const { signal, roles } = this.#options;
    // Neither its children nor a lock hold a process, and one that fails has to live until all is undone.
    this.#alive = setInterval(() => undefined, 60_000);
    const old = findOldRoles(this.#config.dataDir);
    this.#tookOver = old.length > 0;
    this.#config = { ...this.#config, apiPort: await chooseApiPort(this.#config, old) };
    this.#options.prepare?.(this.#config.dataDir);
    this.#config = withPlacedExamples(this.#config, (message) => this.#logger.warn(message));
    this.#config = atPlace(this.#config, choosePlace(this.#config));
    const { dataDir, apiPort } = this.#config;
    mkdirSync(join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
    this.#largeLogs = watchLargeLogs(dataDir, this.#logger);
    writeRunFile(dataDir, 'ports', { api_port: apiPort });
    signal.throwIfAborted();

    const database = await keepDatabase(this.#config, this.#logger, {
      moved: () => this.#tellRoles(),
      withoutCopy: this.#options.withoutCopy ?? false,
      signal,
    });
    this.#database = database;
    // One of the operator's own always runs, and says nothing about the last start.
    this.#tookOver ||= database.adopted && database.facts().kind === 'embedded';
    signal.throwIfAborted();
    const isOurs = database.facts().kind === 'embedded';
    const directUrl = database.directUrl() ?? database.url();
    const settled = await orRefused(directUrl, () => admitDatabase(dataDir, directUrl));
    if (settled !== undefined) this.#logger.warn(settled);
    if (await stopLeftServer(dataDir)) this.#logger.info('the embedded server, which was left, is stopped');
    const migrations = await prepareSchema(directUrl, this.#logger, isOurs);
    if (isOurs) await rememberVersion(dataDir);
    signal.throwIfAborted();

    const tasks = { databaseUrl: database.url(), hasHost: roles.includes('host') };
    const introduction = await introduce(this.#config, tasks, this.#logger);
    try {
      await this.#startRoles(old);
      signal.throwIfAborted();
      return await this.#ready(introduction, database, migrations, roles);
    } finally {
      await introduction.end();
    }
  }

  /** After a start that failed: ends what it started and leaves what was there before. */
  async undo(): Promise<void> {
    // A start that got to no host has started no agent: those there are outlived everything else.
    const hasHost = this.#roles.some(({ role }) => role === 'host');
    const undone = this.#database?.adopted === false ? this.#database : undefined;
    await everyStep(
      () => (this.#tookOver ? this.#stopHost('SIGTERM', ROLE_GRACE_MS) : hasHost && this.#endHost()),
      () => this.#stopOthers(),
      () => undone?.stop(),
      () => this.#letGo(),
    );
  }

  async #ready(
    introduction: Introduction,
    database: KeptDatabase,
    migrations: readonly string[],
    roles: readonly RoleName[],
  ): Promise<Keeper> {
    const { dataDir } = this.#config;
    const hasApi = roles.includes('api');
    const signInUrl = hasApi ? await introduction.signInUrl() : undefined;
    this.#sayWhatRuns(database);
    return {
      url: hasApi ? apiUrl(this.#config) : undefined,
      signInUrl,
      token: introduction.token,
      dataDir,
      database: database.facts(),
      migrations,
      roles,
      stop: () => this.#stop(),
      hurry: () => this.#hurry(),
      reread: () => {
        // Asked for while one is under way, it is not kept for later: whoever asks sees that.
        const request = takeRequest(dataDir);
        const isAsked = request !== undefined && !this.#isMoving;
        this.#rereading = this.#rereading.then(() => (isAsked ? this.#move(request) : this.#reread()));
        return this.#rereading;
      },
    };
  }

  #sayWhatRuns(database: KeptDatabase): void {
    writeRunFile(this.#config.dataDir, 'keeper', {
      pid: process.pid,
      start_time: processStartTime(process.pid) ?? '',
      started_at: this.#startedAt,
      version,
      roles: this.#options.roles,
      database: database.facts(),
    } satisfies KeeperFacts);
  }

  async #move(request: MoveRequest): Promise<void> {
    this.#isMoving = true;
    const stopRoles = async (closed: () => Promise<void>) => {
      const api = this.#roles.filter(({ role }) => role === 'api');
      const others = this.#roles.filter(({ role }) => role !== 'api');
      const stop = (roles: readonly KeptRole[]) => everyOne(roles.map((role) => role.stop('SIGTERM', ROLE_GRACE_MS)));
      await everyStep(
        () => stop(api),
        closed,
        () => stop(others),
      );
      this.#roles = [];
    };
    const hands: KeeperHands = {
      logger: this.#logger,
      hasApi: this.#options.roles.includes('api'),
      config: () => this.#config,
      database: () => this.#database!,
      tellRoles: () => this.#tellRoles(),
      stopRoles,
      startRoles: async () => {
        this.#lastMoveAt = Date.now();
        // Those of a try that failed.
        await stopRoles(async () => undefined);
        // The engine last: when it looks for lost jobs and silent agents again, everybody can have been heard.
        const { roles } = this.#options;
        const order = [...roles.filter((role) => role !== 'engine'), ...roles.filter((role) => role === 'engine')];
        await this.#startRoles([], order);
      },
      use: (database, config) => {
        this.#database = database;
        this.#config = config;
        this.#sayWhatRuns(database);
      },
    };
    await moveInKeeper(request, hands, this.#movesOff.signal);
    this.#isMoving = false;
  }

  // One at a time, and whoever asked finds what came of it.
  async #reread(): Promise<void> {
    const leftOut: string[] = [];
    const said = { pid: process.pid, began: Date.now(), leftOut };
    let app: App | undefined;
    let outcome: Pick<Reread, 'steps' | 'problem'>;
    try {
      const config = withPlacedExamples(this.#config, (message) => leftOut.push(message));
      app = keepersApp(config, this.#database!.url(), this.#logger);
      outcome = { steps: await declareFleet(app, config), problem: null };
      this.#config = config;
    } catch (error) {
      this.#logger.error({ err: error }, 'the examples were read again, without effect');
      outcome = { steps: [], problem: error instanceof Error ? error.message : String(error) };
    }
    await app?.stop();
    writeRunFile(this.#config.dataDir, REREAD, { ...said, ...outcome } satisfies Reread);
  }

  // Without old ones all at once. Else one after the other, so that most of the installation answers at any moment, and
  // never two of one kind; or in the order asked for.
  async #startRoles(old: readonly OldRole[], order?: readonly RoleName[]): Promise<void> {
    const { signal } = this.#options;
    const roles = order ?? this.#options.roles;
    const isOneByOne = order !== undefined || old.length > 0;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(START_LIMIT_MS)]);
    const waits: Promise<unknown>[] = [];
    for (const name of roles) {
      limit.throwIfAborted();
      const role = new KeptRole({
        role: name,
        dataDir: this.#config.dataDir,
        environment: () => this.#environment(),
        logger: this.#logger,
      });
      for (const one of old.filter(({ role }) => role === name)) {
        this.#logger.info({ role: name, role_pid: one.pid }, `${name} outlived its keeper and is replaced`);
        await stopOldRole(one, 'SIGTERM');
      }
      this.#roles.push(role);
      const ready = role.start();
      if (isOneByOne) await orEnded(ready, limit);
      else waits.push(ready);
    }
    await orEnded(Promise.all(waits), limit);
    // Roles of the last start that this one was not asked for have nobody to watch them.
    const unwanted = old.filter(({ role }) => !roles.includes(role));
    await Promise.all(unwanted.map((one) => stopOldRole(one, one.role === 'host' ? 'SIGINT' : 'SIGTERM')));
  }

  #environment(): Record<string, string> {
    const database = this.#database!;
    const addresses = { databaseUrl: database.url(), databaseDirectUrl: database.directUrl() };
    const cache = getCompileCacheDir();
    return {
      ...environmentOf({ ...this.#config, ...addresses }),
      // One that the keeper was started with may belong to a database that was left.
      ...(addresses.databaseDirectUrl === undefined ? { DATABASE_DIRECT_URL: '' } : {}),
      ...(Date.now() - this.#lastMoveAt < START_LIMIT_MS ? { [AFTER_OUTAGE_MARKER]: 'yes' } : {}),
      // The same as the keeper's: a role loads mostly what it has loaded already.
      NODE_COMPILE_CACHE: cache === undefined ? join(this.#config.dataDir, 'cache') : dirname(cache),
    };
  }

  #tellRoles(): void {
    this.#logger.warn('the database has another port: starting the roles again');
    for (const role of this.#roles) role.restart(ROLE_GRACE_MS);
  }

  async #stop(): Promise<void> {
    this.#movesOff.abort(new Error('Quarterdeck is being stopped'));
    await everyStep(
      () => this.#rereading.catch(() => undefined),
      () => this.#endHost(),
      () => this.#stopOthers(),
      () => this.#database?.stop(),
      ...['keeper', REREAD].map((part) => () => removeRunFile(this.#config.dataDir, part)),
      () => this.#letGo(),
    );
  }

  // With its agents.
  async #endHost(): Promise<void> {
    await everyStep(
      () => this.#stopHost('SIGINT', HOST_GRACE_MS),
      // A host that did not manage in time, or was killed in a hurry, leaves them.
      () => endLeftAgents(this.#config.dataDir, 'kill'),
    );
  }

  // `SIGTERM` leaves the agents for the next host.
  #stopHost(signal: 'SIGTERM' | 'SIGINT', graceMs: number): Promise<void> {
    const hosts = this.#roles.filter(({ role }) => role === 'host');
    return everyOne(hosts.map((role) => role.stop(signal, graceMs)));
  }

  #stopOthers(): Promise<void> {
    const others = this.#roles.filter(({ role }) => role !== 'host');
    return everyOne(others.map((role) => role.stop('SIGTERM', ROLE_GRACE_MS)));
  }

  #letGo(): void {
    clearInterval(this.#alive);
    this.#largeLogs?.end();
    this.#lock.release();
  }

  #hurry(): void {
    for (const role of this.#roles) role.signal('SIGKILL');
  }
}
