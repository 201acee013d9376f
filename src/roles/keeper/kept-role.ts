// Keeps one role running: starts it, starts it again when it ends, with back-off, and ends a process that lives but has
// not answered its probe for long.
import type { Logger } from '../../platform/logger.ts';
import { sendSignal, stopProcess } from '../../platform/process/stop.ts';
import { announce } from '../../platform/signals.ts';
import { askHealth } from '../health.ts';
import type { RoleFacts, RoleName } from '../role-file.ts';
import { BackOff } from './back-off.ts';
import { type RoleProcess, type RoleSpawn, spawnRole, waitUntilReady } from './role-process.ts';

export interface KeptRoleOptions extends Omit<RoleSpawn, 'environment'> {
  /** Asked at each start, for the database may have moved. */
  environment(): Readonly<Record<string, string>>;
  readonly logger: Logger;
  /** How long a living process may be silent; half a minute unless stated. */
  readonly patience?: Patience;
}

export interface Patience {
  /** Between two probes. */
  readonly everyMs: number;
  /** For the answer to one. */
  readonly limitMs: number;
  /** So many in a row end the process. */
  readonly unanswered: number;
}

/** A role did not get ready when the installation was started. */
export class RoleFailed extends Error {
  override readonly name = 'RoleFailed';
  readonly code = 'role_failed';
}

const FIRST_TRIES = 3;
// Half a minute without an answer. Counted in probes, so that a suspended machine does not count as silence.
const PATIENCE: Patience = { everyMs: 5_000, limitMs: 2_000, unanswered: 6 };

export class KeptRole {
  readonly role: RoleName;
  readonly #options: KeptRoleOptions;
  readonly #backOff = new BackOff();
  readonly #ready = Promise.withResolvers<RoleFacts>();
  readonly #leaving = new AbortController();
  #process: RoleProcess | undefined;
  #run: Promise<void> | undefined;
  #everReady = false;

  constructor(options: KeptRoleOptions) {
    this.role = options.role;
    this.#options = options;
    this.#ready.promise.catch(() => undefined);
  }

  /** Resolves when it is ready for the first time; rejects when it ends again and again instead. */
  start(): Promise<RoleFacts> {
    this.#run ??= this.#keep();
    return this.#ready.promise;
  }

  /** Ends the process; it is started again like one that died. */
  restart(graceMs: number): void {
    const process = this.#process;
    if (process === undefined) return;
    stopProcess(process.pid, process.startTime, { graceMs }).catch((error: unknown) => {
      this.#options.logger.error({ err: error }, `${this.role} could not be ended`);
    });
  }

  /** Ends the process for good: a signal, a deadline, then kill -9. */
  async stop(signal: 'SIGTERM' | 'SIGINT', graceMs: number): Promise<void> {
    this.#leaving.abort();
    const process = this.#process;
    if (process !== undefined) await stopProcess(process.pid, process.startTime, { signal, graceMs });
    await this.#run;
  }

  /** Signals the process while it is being stopped. */
  signal(signal: NodeJS.Signals): void {
    if (this.#process !== undefined) sendSignal(this.#process.pid, this.#process.startTime, signal);
  }

  async #keep(): Promise<void> {
    const { role, logger } = this.#options;
    const isLeaving = () => this.#leaving.signal.aborted;
    for (let starts = 1; !isLeaving(); starts++) {
      const startedAt = performance.now();
      const end = await this.#liveOnce();
      if (isLeaving()) break;
      announce('keeper.role_ended', role);
      if (!this.#everReady && starts === FIRST_TRIES) {
        this.#ready.reject(new RoleFailed(`${role} does not start (${end.how}); its last words:\n${end.lastWords}`));
        return;
      }
      const pause = this.#backOff.pauseAfter(performance.now() - startedAt);
      logger.warn({ role, how: end.how, starting_again_in_ms: pause }, `${role} ended (${end.how})`);
      await this.#pause(pause);
    }
    this.#ready.reject(new RoleFailed(`${role} was stopped before it was ready`));
  }

  async #liveOnce(): Promise<{ readonly how: string; readonly lastWords: string }> {
    const { role, dataDir, environment, entry } = this.#options;
    let process: RoleProcess;
    try {
      process = spawnRole({ role, dataDir, environment: environment(), ...(entry === undefined ? {} : { entry }) });
    } catch (error) {
      // No room, no descriptors, no processes: it passes, and the keeper has to live through it.
      return { how: `it cannot be started: ${(error as Error).message}`, lastWords: '' };
    }
    this.#process = process;
    const watch = this.#watch(process);
    const how = await process.exited;
    await watch;
    this.#process = undefined;
    return { how, lastWords: process.lastWords() };
  }

  async #watch(process: RoleProcess): Promise<void> {
    const { role, dataDir, logger } = this.#options;
    const facts = await waitUntilReady(dataDir, role, process);
    if (facts === undefined) return;
    logger.info({ role, role_pid: process.pid }, `${role} is ready`);
    this.#everReady = true;
    this.#ready.resolve(facts);
    announce('keeper.role_ready', role);
    const patience = this.#options.patience ?? PATIENCE;
    const probe = setInterval(() => void ask(), patience.everyMs);
    let unanswered = 0;
    const ask = async () => {
      const health = await askHealth(facts.health_port, patience.limitMs);
      unanswered = health?.pid === process.pid ? 0 : unanswered + 1;
      if (unanswered < patience.unanswered) return;
      logger.error({ role, role_pid: process.pid }, `${role} lives but does not answer: ending it`);
      sendSignal(process.pid, process.startTime, 'SIGKILL');
    };
    await process.exited;
    clearInterval(probe);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#leaving.signal.addEventListener('abort', end, { once: true });
      if (this.#leaving.signal.aborted) end();
    });
  }
}
