// The database of an installation: the embedded server, kept running, or one of the operator's own, which is only named.
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config.ts';
import { EmbeddedFailure } from '../../platform/db/embedded/failure.ts';
import { type EmbeddedServer, startEmbedded } from '../../platform/db/embedded/server.ts';
import type { Logger } from '../../platform/logger.ts';
import { announce } from '../../platform/signals.ts';
import { BackOff } from './back-off.ts';

export type DatabaseFacts =
  | { readonly kind: 'embedded'; readonly major: number; readonly pid: number; readonly port: number }
  | { readonly kind: 'external'; readonly host: string };

export interface KeptDatabase {
  /** Address for the roles; a secret. */
  url(): string;
  directUrl(): string | undefined;
  facts(): DatabaseFacts;
  /** False when this start made it, so a start that fails ends it again. */
  readonly adopted: boolean;
  stop(): Promise<void>;
}

/** `moved` is called when the server had to take another port, so that everybody has to be told. */
export async function keepDatabase(config: Config, logger: Logger, moved: () => void): Promise<KeptDatabase> {
  const { databaseUrl, databaseDirectUrl } = config;
  if (databaseUrl !== undefined) {
    return {
      url: () => databaseUrl,
      directUrl: () => databaseDirectUrl,
      facts: () => ({ kind: 'external', host: new URL(databaseUrl).host }),
      adopted: true,
      async stop() {
        // It is the operator's.
      },
    };
  }
  const kept = new KeptServer(config.dataDir, logger, moved);
  await kept.start();
  return kept;
}

class KeptServer implements KeptDatabase {
  readonly #dataDir: string;
  readonly #logger: Logger;
  readonly #moved: () => void;
  readonly #backOff = new BackOff();
  readonly #leaving = new AbortController();
  #server: EmbeddedServer | undefined;
  #run: Promise<void> | undefined;
  adopted = false;

  constructor(dataDir: string, logger: Logger, moved: () => void) {
    this.#dataDir = dataDir;
    this.#logger = logger;
    this.#moved = moved;
  }

  async start(): Promise<void> {
    this.#server = await this.#launch(undefined);
    this.adopted = this.#server.adopted;
    this.#run = this.#keep();
  }

  url(): string {
    return this.#current.url;
  }

  directUrl(): undefined {
    return undefined;
  }

  facts(): DatabaseFacts {
    const { major, pid, port } = this.#current;
    return { kind: 'embedded', major, pid, port };
  }

  async stop(): Promise<void> {
    this.#leaving.abort();
    await this.#server?.stop();
    await this.#run;
  }

  get #current(): EmbeddedServer {
    if (this.#server === undefined) throw new Error('the database was not started');
    return this.#server;
  }

  #launch(port: number | undefined): Promise<EmbeddedServer> {
    return startEmbedded({
      dataDir: this.#dataDir,
      log: (level, message, facts) => this.#logger[level](facts === undefined ? {} : { postgres: facts }, message),
      ...(port === undefined ? {} : { port }),
    });
  }

  async #keep(): Promise<void> {
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const { port, exited } = this.#current;
      const exit = await exited;
      if (signal.aborted) return;
      this.#logger.error({ exit }, 'the database ended');
      announce('keeper.database_ended');
      await delay(this.#backOff.pauseAfter(performance.now() - startedAt), undefined, { signal }).catch(
        () => undefined,
      );
      await this.#startAgain(port, signal);
    }
  }

  async #startAgain(port: number, signal: AbortSignal): Promise<void> {
    let demanded: number | undefined = port;
    while (!signal.aborted) {
      try {
        const server = await this.#launch(demanded);
        this.#server = server;
        // Told to stop meanwhile: nobody else would end this one.
        if (signal.aborted) await server.stop();
        announce('keeper.database_ready');
        if (server.port !== port) this.#moved();
        return;
      } catch (error) {
        const isTaken = error instanceof EmbeddedFailure && error.code === 'port_taken';
        // The roles know it under its port; only when that is lost for good are they told another.
        if (isTaken) demanded = undefined;
        const pause = this.#backOff.pauseAfter(0);
        this.#logger.error({ err: error, trying_again_in_ms: pause }, 'the database does not start');
        await delay(pause, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
