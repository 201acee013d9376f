// GET /metrics for Prometheus: no operation, but the numbers that operations answer, in a format of others' making
// (docs/decisions/0028-metrics.md). A credential of the fleet with metrics:read may look; also while the database is
// away, for that is when somebody has to.
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { InstallationMetrics } from '../../metrics.ts';
import type { Caller } from '../../platform/call.ts';
import { isAppError } from '../../platform/errors.ts';
import { CONTENT_TYPE, toText } from '../../platform/metrics/exposition.ts';
import { type Family, family, type Histogram, labelled, mergeFamilies } from '../../platform/metrics/metrics.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { FLEET_TENANT } from '../../platform/tenants.ts';
import type { RouteOptions } from './routes.ts';

const PATH = '/metrics';
const ABILITY = 'metrics:read';
const LOOKS_PER_MINUTE = 600;
/** Who looked within this time may look on while nobody can be asked whether the token is still good. */
const REMEMBERED_MS = 15 * 60_000;

export interface MetricsRoute {
  /** Of this machine; undefined: the disk is not told of. */
  readonly dataDir: string | undefined;
  /** What the other roles on this machine tell of themselves. */
  readonly neighbours: () => Promise<Family[]>;
  /** For how long an answer of the database is good; some seconds unless stated. */
  readonly freshMs?: number;
}

export function serveMetrics(server: FastifyInstance, options: RouteOptions, route: MetricsRoute): void {
  const { app, gate } = options;
  const installation = new InstallationMetrics(app, route);
  const admitted = new Map<string, number>();

  const admit = async (request: FastifyRequest): Promise<void> => {
    const key = createHash('sha256')
      .update(request.headers.authorization ?? '')
      .digest('base64');
    try {
      const caller = await gate.admitBearer(request.raw);
      check(caller);
      gate.limit(PATH, caller, LOOKS_PER_MINUTE);
      for (const [known, until] of admitted) if (until < performance.now()) admitted.delete(known);
      admitted.set(key, performance.now() + REMEMBERED_MS);
    } catch (error) {
      const isAway = isAppError(error) && error.code === 'unavailable';
      if (!isAway || (admitted.get(key) ?? 0) < performance.now()) {
        if (!isAway) admitted.delete(key);
        throw error;
      }
    }
  };

  server.get(PATH, { exposeHeadRoute: false, onRequest: admit }, async (_request, reply) => {
    const begun = performance.now();
    // Each by itself: a part that cannot be asked takes no other part's numbers along.
    const [own, neighbours, database, disk] = await Promise.allSettled([
      app.metrics.collect().then((families) => labelled(families, { role: app.part })),
      route.neighbours(),
      installation.database(),
      installation.disk(),
    ]);
    const lists = [own, neighbours, database, disk].map((one) => (one.status === 'fulfilled' ? one.value : []));
    const took = family(
      'quarterdeck_scrape_seconds',
      'How long it took to gather these numbers',
      'gauge',
      (performance.now() - begun) / 1_000,
    );
    const whole = family(
      'quarterdeck_scrape_whole',
      'Whether the numbers of the database could be asked for',
      'gauge',
      database.status === 'fulfilled' ? 1 : 0,
    );
    return reply
      .header('cache-control', 'no-store')
      .type(CONTENT_TYPE)
      .send(toText(mergeFamilies([...lists, [whole, took]])));
  });
}

function check(caller: Caller): void {
  if (!caller.abilities.has(ABILITY) || caller.tenant.id !== FLEET_TENANT)
    throw platformErrors.denied({ ability: ABILITY });
}

/** Counts every request by operation and status, and times those that do not wait on purpose. */
export function countRequests(server: FastifyInstance, options: RouteOptions): void {
  const { metrics, operations } = options.app;
  const count = metrics.counter('quarterdeck_http_requests_total', 'Requests answered, by operation and status', [
    'operation',
    'status',
  ]);
  const time: Histogram = metrics.histogram(
    'quarterdeck_http_request_seconds',
    'Time from a request to its answer, by operation; without those that wait on purpose',
    ['operation'],
  );
  const kinds = new Map(operations.map(({ operation }) => [`${operation.method} ${operation.path}`, operation]));
  server.addHook('onResponse', async (request, reply) => {
    const { url, method } = request.routeOptions;
    const path = url?.replace(/:(\w+)/g, '{$1}');
    const operation = kinds.get(`${String(method)} ${path}`);
    count([operation?.name ?? 'none', String(reply.statusCode)]);
    if (operation?.kind === 'unary') time([operation.name], reply.elapsedTime / 1_000);
  });
}
