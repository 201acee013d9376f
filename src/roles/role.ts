// What every role process does the same: settings from its environment, the rooms, the health probe, its run file, the
// signals, and the end. What a role is for stands in its own file.
import { flushCompileCache } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { type App, createApp } from '../app.ts';
import { apiUrl } from '../config/addresses.ts';
import { headersIn } from '../config/settings.ts';
import { type Config, readRoleConfig } from '../config.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { addProcessMetrics } from '../platform/metrics/process-metrics.ts';
import { processStartTime } from '../platform/process/facts.ts';
import { LogWriter } from '../platform/process/log-file.ts';
import { version } from '../platform/version.ts';
import { serverFacts } from '../server-facts.ts';
import { type HealthServer, serveHealth } from './health.ts';
import {
  AFTER_OUTAGE_MARKER,
  type RoleFacts,
  type RoleName,
  removeRunFile,
  roleLogFile,
  writeRunFile,
} from './role-file.ts';

export interface RoleContext {
  readonly config: Config;
  readonly app: App;
  readonly logger: Logger;
}

export interface RunningRole {
  /** Where it serves others, when it does. */
  readonly port?: number;
  readonly url?: string;
  /** Resolves when it does what it is for; without it, it does so at once. */
  readonly ready?: Promise<void>;
  /** `SIGTERM`: this process goes, what it watches stays. `SIGINT`: what it watches goes too. */
  stop(signal: 'SIGTERM' | 'SIGINT'): Promise<void>;
}

export interface RolePlan {
  readonly role: RoleName;
  /** Connections to the database; all roles together keep to about 25 with those that listen and ping. */
  readonly connections: number;
  start(context: RoleContext): Promise<RunningRole>;
}

// EX_SOFTWARE: the keeper starts the role again.
const BUG = 70;
const PUBLISH_AGAIN_MS = 1_000;

/** Runs a role until it is told to leave; ends the process. */
export async function runRole(plan: RolePlan): Promise<void> {
  const started_at = new Date().toISOString();
  const config = readRoleConfig(process.env);
  const log = new LogWriter(roleLogFile(config.dataDir, plan.role));
  const logger = createLogger(plan.role, config.logLevel, (line) => log.write(line));
  endOnBugs(logger);
  if (config.databaseUrl === undefined) throw new Error('a role is started by the keeper, which names its database');
  const app = createApp({
    databaseUrl: config.databaseUrl,
    ...(config.databaseDirectUrl === undefined ? {} : { directUrl: config.databaseDirectUrl }),
    connections: plan.connections,
    part: plan.role,
    logger,
    publicUrl: () => apiUrl(config),
    traces: traceOptions(config),
    describeServer: () => serverFacts(config, async () => (await import('./keeper/survey.ts')).survey(config.dataDir)),
    keeping: config,
  });
  // From now, and once more from when others can reach this role.
  const noteOutage = () => {
    if (process.env[AFTER_OUTAGE_MARKER] !== undefined) app.db.availability.noteOutageUntilNow();
  };
  noteOutage();
  let isReady = false;
  const health = await serveHealth(
    () => ({
      role: plan.role,
      pid: process.pid,
      ready: isReady,
      database: app.db.availability.awaySince === undefined ? 'answers' : 'away',
    }),
    () => app.metrics.collect(),
  );
  addProcessMetrics(app.metrics, version);
  const asked = onceAsked();
  app.start();
  const running = await plan.start({ config, app, logger });
  // While the database is away getting ready takes its time, and it may be told to leave meanwhile.
  const early = await Promise.race([Promise.resolve(running.ready).then(() => undefined), asked]);
  if (early === undefined) {
    isReady = true;
    noteOutage();
    await publish(config.dataDir, logger, {
      role: plan.role,
      pid: process.pid,
      start_time: processStartTime(process.pid) ?? '',
      started_at,
      health_port: health.port,
      port: running.port ?? null,
      url: running.url ?? null,
    });
    logger.info({ port: running.port }, 'ready');
  }
  // Killed with -9 later it could not write it: the next start is faster for it.
  flushCompileCache();
  const signal = early ?? (await asked);
  await leave({ plan, config, app, logger, health, running, signal });
}

function traceOptions({ otlpEndpoint, otlpHeaders, traceRatio }: Config) {
  if (otlpEndpoint === undefined) return undefined;
  const headers = otlpHeaders === undefined ? {} : (headersIn(otlpHeaders) ?? {});
  return { endpoint: otlpEndpoint, headers, ratio: traceRatio };
}

// A full disk refuses the file. It passes, and what is served meanwhile goes on.
async function publish(dataDir: string, logger: Logger, facts: RoleFacts): Promise<void> {
  for (;;) {
    try {
      return writeRunFile(dataDir, facts.role, facts);
    } catch (error) {
      logger.error({ err: error }, 'the run file cannot be written');
      await delay(PUBLISH_AGAIN_MS);
    }
  }
}

function onceAsked(): Promise<'SIGTERM' | 'SIGINT'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
    // A role has a session of its own; a hang-up is not meant for it.
    process.on('SIGHUP', () => undefined);
  });
}

interface Leaving extends RoleContext {
  readonly plan: RolePlan;
  readonly health: HealthServer;
  readonly running: RunningRole;
  readonly signal: 'SIGTERM' | 'SIGINT';
}

async function leave({ plan, config, app, logger, health, running, signal }: Leaving): Promise<void> {
  logger.info({ signal }, 'leaving');
  await running.stop(signal);
  health.close();
  await app.stop();
  removeRunFile(config.dataDir, plan.role);
  logger.info('gone');
  process.exit(0);
}

function endOnBugs(logger: Logger): void {
  const end = (what: string) => (error: unknown) => {
    logger.fatal({ err: error }, what);
    process.exit(BUG);
  };
  process.on('uncaughtException', end('an exception that nobody caught'));
  process.on('unhandledRejection', end('a rejection that nobody caught'));
}
