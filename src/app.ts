// The composition root: builds the rooms in order, each from what is to its left. The only file that knows them all.
import { type CallOptions, makeCall } from './calls.ts';
import { readRoleConfig } from './config.ts';
import {
  Access,
  accessErrors,
  accessEvents,
  accessHandlers,
  accessLoops,
  accessOperations,
  systemCaller,
  tenantDirectory,
} from './domains/access/index.ts';
import {
  Fleet,
  fleetErrors,
  fleetEvents,
  fleetHandlers,
  fleetLoops,
  fleetOperations,
  type ServerFacts,
} from './domains/fleet/index.ts';
import {
  type Keeping,
  Log,
  LogAudit,
  logErrors,
  logEvents,
  logHandlers,
  logLoops,
  logOperations,
} from './domains/log/index.ts';
import {
  JobTraces,
  Work,
  type WorkKeeping,
  workErrors,
  workEvents,
  workHandlers,
  workLoops,
  workOperations,
} from './domains/work/index.ts';
import { Wakeups } from './platform/bus/wakeups.ts';
import type { Call, Caller } from './platform/call.ts';
import { Database, fleetScope } from './platform/db/database.ts';
import type { ErrorSpec } from './platform/errors.ts';
import type { EventSpec } from './platform/event-table.ts';
import type { Logger } from './platform/logger.ts';
import type { Loop } from './platform/loop.ts';
import { Metrics } from './platform/metrics/metrics.ts';
import { type BoundOperation, bind } from './platform/operation.ts';
import { platformErrors } from './platform/platform-errors.ts';
import { serverFacts } from './server-facts.ts';
import { startTraces, type TraceOptions, traced } from './traces.ts';

export interface AppOptions {
  readonly databaseUrl: string;
  /** Reaches the server without a pooler between, for notifications. */
  readonly directUrl?: string;
  readonly connections: number;
  /** The role: `api`, `engine`, `host`; shown as `system:<part>` in events. */
  readonly part: string;
  readonly logger: Logger;
  readonly publicUrl: () => string;
  /** Where traces go; without it none are made. */
  readonly traces?: TraceOptions | undefined;
  /** What is kept for how long, and where on this machine; unless stated, everything, and nothing beside the database. */
  readonly keeping?: Keeping & WorkKeeping;
  /** What it says of the server that it belongs to; unless stated, what the defaults are. */
  readonly describeServer?: () => Promise<ServerFacts>;
}

/** Every event type that a room writes, and every error that one throws: for the catalogue pages and their tests. */
export const eventSpecs: Readonly<Record<string, EventSpec>> = {
  ...logEvents.specs,
  ...accessEvents.specs,
  ...workEvents.specs,
  ...fleetEvents.specs,
};
export const errorSpecs: Readonly<Record<string, ErrorSpec>> = {
  ...platformErrors.specs,
  ...logErrors.specs,
  ...accessErrors.specs,
  ...workErrors.specs,
  ...fleetErrors.specs,
};
export interface App {
  readonly part: string;
  readonly metrics: Metrics;
  readonly db: Database;
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly access: Access;
  readonly work: Work;
  readonly fleet: Fleet;
  readonly operations: readonly BoundOperation[];
  call(caller: Caller, options?: CallOptions): Call;
  /** A call by the system itself. */
  systemCall(): Call;
  /** The loops that an engine runs. */
  engineLoops(): Loop[];
  /** Starts what every role needs: watching the database and listening for wake-ups. */
  start(): void;
  stop(): Promise<void>;
}

export function createApp(options: AppOptions): App {
  const { logger } = options;
  const metrics = new Metrics();
  const traces = options.traces === undefined ? undefined : startTraces(options.traces, { ...options, metrics });
  const transactions = metrics.histogram(
    'quarterdeck_database_transaction_seconds',
    'Time of transactions, the wait for a connection included',
    ['kind', 'outcome'],
  );
  const db = new Database({
    url: options.databaseUrl,
    connections: options.connections,
    name: options.part,
    ended: ({ kind, begunAt, failed }) => {
      transactions([kind, failed ? 'failed' : 'committed'], (performance.now() - begunAt) / 1_000);
      traces?.tracer.note(`database ${kind}`, 'client', begunAt, { 'db.system.name': 'postgresql' }, failed);
    },
  });
  db.availability.onChange((change) => {
    if (change.is === 'away') logger.warn('the database does not answer');
    else logger.info({ away_ms: change.awayMs }, 'the database answers again');
  });
  const wakeups = new Wakeups(db, options.directUrl ?? options.databaseUrl);
  addAppMetrics(metrics, db, wakeups);
  const loopFailures = metrics.counter('quarterdeck_loop_failures_total', 'Turns of background loops that failed', [
    'loop',
  ]);
  const system = systemCaller(options.part);
  const systemCall = () => makeCall(db, system);

  // A failed turn is an event too, once per row of failures.
  const failed = (loop: string, error: unknown, failures: number) => {
    loopFailures([loop]);
    logger.warn({ loop, failures, err: error }, 'a background loop failed');
    if (failures !== 1) return;
    const event = logEvents.make('loop.failed', { loop, failures, error: String(error).slice(0, 500) });
    db.write(fleetScope, (tx) => log.append(tx, systemCall(), [event])).catch(() => undefined);
  };

  const tenants = tenantDirectory(db);
  const log = new Log({ db, wakeups, tenants, failed, reservedTypes: new Set(Object.keys(eventSpecs)) });
  const access = new Access({
    db,
    wakeups,
    log,
    tenants,
    publicUrl: options.publicUrl,
    databaseUrl: options.directUrl ?? options.databaseUrl,
  });
  const claims = metrics.histogram(
    'quarterdeck_claim_seconds',
    'Time of the transaction of a claim, without its wait',
    [],
  );
  const leases = metrics.counter('quarterdeck_leases_expired_total', 'Leases that ran out; the jobs went on to others');
  const work = new Work({
    db,
    wakeups,
    log,
    access,
    tenants,
    claimTook: (ms) => claims([], ms / 1_000),
    leasesExpired: (count) => leases([], count),
  });
  access.credentials.useJobs(work.findJobHolder);
  const deadJobs = work.listDead.bind(work);
  const describeServer = options.describeServer ?? (() => serverFacts(readRoleConfig({}), async () => []));
  const busyAgents = work.busyAgents.bind(work);
  const fleet = new Fleet({ db, wakeups, log, access, tenants, deadJobs, busyAgents, describeServer });
  work.usePauses((tx, agentId) => fleet.isPaused(tx, agentId));

  const jobTraces = traces === undefined ? undefined : new JobTraces({ db, tracer: traces.tracer, failed });
  const handlersOfWork = workHandlers(work);
  const operations = [
    ...bind(logOperations, logHandlers(log, new LogAudit(log, options.keeping?.archiveDir))),
    ...bind(accessOperations, accessHandlers(access)),
    ...bind(workOperations, jobTraces?.around(handlersOfWork) ?? handlersOfWork),
    ...bind(fleetOperations, fleetHandlers(fleet)),
  ];

  metrics.gauge('quarterdeck_log_position', 'Up to which event this process has followed the log', () => {
    const { seq } = log.tail.position;
    return seq === 0 ? [] : seq;
  });

  return {
    part: options.part,
    metrics,
    db,
    wakeups,
    log,
    access,
    work,
    fleet,
    operations: traces === undefined ? operations : traced(operations, traces.tracer),
    call: (caller, callOptions) => makeCall(db, caller, callOptions),
    systemCall,
    engineLoops: () => [
      ...logLoops({ db, log, call: systemCall(), failed, keeping: options.keeping }),
      ...accessLoops({ access, call: systemCall(), failed }),
      ...workLoops({ db, log, work, call: systemCall(), failed, keeping: options.keeping }),
      ...fleetLoops({ fleet, call: systemCall(), failed }),
      ...(jobTraces === undefined ? [] : [jobTraces.loop()]),
    ],
    start() {
      db.availability.start();
      wakeups.start();
    },
    async stop() {
      work.stop();
      fleet.end();
      await log.tail.stop();
      await wakeups.stop();
      await traces?.stop();
      await db.close();
    },
  };
}

function addAppMetrics(metrics: Metrics, db: Database, wakeups: Wakeups): void {
  metrics.gauge('quarterdeck_database_up', 'Whether this process finds the database to answer', () =>
    db.availability.awaySince === undefined ? 1 : 0,
  );
  metrics.gauge('quarterdeck_database_pool_connections', 'Connections of this process by use', () => {
    const { used, idle } = db.pool;
    return [
      { labels: { use: 'used' }, value: used },
      { labels: { use: 'idle' }, value: idle },
    ];
  });
  metrics.gauge('quarterdeck_database_pool_most', 'Connections that this process may have', () => db.pool.most);
  metrics.gauge('quarterdeck_database_pool_waiting', 'Transactions that wait for a connection', () => db.pool.waiting);
  metrics.gauge(
    'quarterdeck_wakeups_listening',
    'Whether wake-ups of other processes arrive; 0: what is new is found by polling, within a second',
    () => (wakeups.isListening ? 1 : 0),
  );
}
