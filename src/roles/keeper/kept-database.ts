// The database of an installation: the embedded server, kept running, or one of the operator's own, which is only named.
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config.ts';
import { EmbeddedFailure } from '../../platform/db/embedded/failure.ts';
import { type EmbeddedServer, startEmbedded } from '../../platform/db/embedded/server.ts';
import type { Logger } from '../../platform/logger.ts';
import { announce } from '../../platform/signals.ts';
import { BackOff } from './back-off.ts';
import { copyBeforeMigrating } from './before-migrating.ts';
import { lastHere } from './last-here.ts';
import { ourMigrations } from './our-migrations.ts';
import { serverLog } from './server-log.ts';

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

export interface KeepOptions {
  /** Called when the server had to take another port, so that everybody has to be told. */
  moved(): void;
  /** Migrations may run without a copy made before. */
  readonly withoutCopy: boolean;
  /** Ends the start. */
  readonly signal: AbortSignal;
}

export async function keepDatabase(config: Config, logger: Logger, options: KeepOptions): Promise<KeptDatabase> {
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
  const kept = new KeptServer(config, logger, options);
  await kept.start();
  return kept;
}

class KeptServer implements KeptDatabase {
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #options: KeepOptions;
  readonly #backOff = new BackOff();
  readonly #leaving = new AbortController();
  #server: EmbeddedServer | undefined;
  #run: Promise<void> | undefined;
  adopted = false;

  constructor(config: Config, logger: Logger, options: KeepOptions) {
    this.#config = config;
    this.#logger = logger;
    this.#options = options;
  }

  /** When it rejects, a server runs only if one did before. */
  async start(): Promise<void> {
    const server = await this.#launch(undefined);
    this.adopted = server.adopted;
    try {
      const { withoutCopy, signal } = this.#options;
      this.#server = await copyBeforeMigrating(server, {
        dataDir: this.#config.dataDir,
        logger: this.#logger,
        withoutCopy,
        signal,
        launch: () => this.#launch(undefined),
      });
    } catch (error) {
      if (!server.adopted) await server.stop();
      throw error;
    }
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
    const { apiPort, relayPort, edgePort } = this.#config;
    return startEmbedded({
      dataDir: this.#config.dataDir,
      log: serverLog(this.#logger),
      promisedPorts: [apiPort, relayPort, edgePort],
      upgrade: { migrations: ourMigrations, version: lastHere(this.#config.dataDir)?.version ?? 'unknown' },
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
        if (server.port !== port) this.#options.moved();
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
