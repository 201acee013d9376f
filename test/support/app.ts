// The application on a database of its own, for tests that speak to services and operations without processes.
import { type App, type AppOptions, createApp } from '../../src/app.ts';
import type { Caller } from '../../src/platform/call.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { openTestDatabase, type TestDatabase } from './database.ts';

export interface TestApp {
  readonly app: App;
  readonly database: TestDatabase;
  /** A caller with all abilities, of the fleet or of one tenant (made when missing). */
  operatorCaller(tenant?: string): Promise<Caller>;
  operatorToken(): Promise<string>;
  /** An agent's caller, with a token that was really issued; made when missing. */
  agentCaller(slug: string, tenant?: string): Promise<Caller>;
  agentToken(slug: string, tenant?: string): Promise<string>;
  close(): Promise<void>;
}

export async function openTestApp(
  connections = 6,
  logger = createLogger('test', 'silent'),
  more: Partial<AppOptions> = {},
): Promise<TestApp> {
  const database = await openTestDatabase();
  const app = createApp({
    databaseUrl: database.url,
    connections,
    part: 'test',
    logger,
    publicUrl: () => 'http://127.0.0.1:4600',
    ...more,
  });
  app.wakeups.start();
  app.log.tail.start();
  app.wakeups.on('log', () => app.log.tail.wake());
  let operator: Promise<string> | undefined;
  const operatorToken = () => {
    operator ??= app.access.bootstrapOperator(app.systemCall(), 'ada').then(({ token }) => token);
    return operator;
  };
  const tenantId = async (tenant: string | undefined) => {
    const call = app.call(await app.access.credentials.getCaller(await operatorToken()));
    if (tenant === undefined) return { call, id: await app.access.tenants.home(call, undefined, 'fleet') };
    await app.access.tenants.create(call, { tenant }).catch((error: { code?: string }) => {
      if (error.code !== 'access.tenant_exists') throw error;
    });
    return { call, id: await app.access.tenants.home(call, tenant, 'fleet') };
  };
  const agentToken = async (slug: string, tenant?: string) => {
    const { call, id } = await tenantId(tenant);
    return call.write(async (tx) => {
      const address = `${slug}@${tenant ?? 'fleet'}`;
      const agent = await app.access.agents
        .get(tx, address)
        .catch(() => app.fleet.register(tx, call, { slug, tenantId: id, kind: 'external' }));
      return (await app.access.tokens.issueForAgent(tx, call, agent, 'test')).token;
    });
  };
  return {
    app,
    database,
    operatorToken,
    agentToken,
    async operatorCaller(tenant) {
      const caller = await app.access.credentials.getCaller(await operatorToken());
      if (tenant === undefined) return caller;
      const { id } = await tenantId(tenant);
      return { ...caller, tenant: { id, slug: tenant } };
    },
    agentCaller: async (slug, tenant) => app.access.credentials.getCaller(await agentToken(slug, tenant)),
    async close() {
      await app.stop();
      await database.close();
    },
  };
}
