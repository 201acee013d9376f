// The snapshots that pages show, as query options: one key a snapshot, so that the live feed can name what it outdates.
import { keepPreviousData, QueryClient, queryOptions } from '@tanstack/react-query';
import { call } from './client.ts';
import { Problem } from './problem.ts';
import {
  revealedAgent,
  revealedChannel,
  revealedJob,
  revealedSchedule,
  revealedSession,
  revealedStatus,
  revealedTenant,
  revealedToken,
  revealedWork,
} from './revealed.ts';
import { type Agent, type Route, routes } from './routes.ts';

// Heartbeats never enter the log, so an agent list on screen is fetched again at this distance too.
const BACKSTOP_MS = 5000;
const MOST_AGENTS = 5000;
const MOST_PAGES = 4;

export function makeQueryClient(onSignedOut: () => void): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: BACKSTOP_MS,
        refetchOnWindowFocus: false,
        retryOnMount: true,
        retry: (count, error) => count < 2 && error instanceof Problem && error.retryable,
        retryDelay: (count) => Math.min(500 * 2 ** count, 4000),
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
  client.getQueryCache().subscribe((change) => {
    if (change.type !== 'updated' || change.action.type !== 'error') return;
    const error: unknown = change.action.error;
    if (error instanceof Problem && error.status === 401 && !asksWhoWeAre(change.query.queryKey)) onSignedOut();
  });
  return client;
}

// These two find out whether somebody is signed in; a no is their answer, not the end of a session.
function asksWhoWeAre(key: readonly unknown[]): boolean {
  return key[0] === 'me' || key[0] === 'exchange';
}

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => call(routes.me, {}, signal),
  staleTime: 60_000,
});

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: async ({ signal }) => revealedStatus(await call(routes.status, {}, signal)),
  refetchInterval: BACKSTOP_MS,
});

/** Of one tenant, or of all. */
export function workOfQuery(tenant: string | undefined) {
  return queryOptions({
    queryKey: ['work', 'summary', tenant ?? null],
    queryFn: async ({ signal }) => revealedWork(await call(routes.workSummary, { tenant }, signal)),
    refetchInterval: BACKSTOP_MS,
  });
}

export const workQuery = workOfQuery(undefined);

export function channelsQuery(tenant: string | undefined) {
  return queryOptions({
    queryKey: ['work', 'channels', tenant ?? null],
    queryFn: ({ signal }) => allPages(routes.listChannels, signal, revealedChannel, { tenant }),
    refetchInterval: BACKSTOP_MS,
    placeholderData: keepPreviousData,
  });
}

export function schedulesQuery(tenant: string | undefined) {
  return queryOptions({
    queryKey: ['work', 'schedules', tenant ?? null],
    queryFn: ({ signal }) => allPages(routes.listSchedules, signal, revealedSchedule, { tenant }),
    refetchInterval: BACKSTOP_MS,
    placeholderData: keepPreviousData,
  });
}

export function jobQuery(job: string) {
  return queryOptions({
    queryKey: ['work', 'job', job],
    queryFn: async ({ signal }) => revealedJob(await call(routes.showJob, { job }, signal)),
    refetchInterval: (query) => (query.state.status === 'error' ? false : BACKSTOP_MS),
  });
}

export const agentsQuery = queryOptions({
  queryKey: ['agents'],
  queryFn: ({ signal }) => allAgents(signal),
  refetchInterval: BACKSTOP_MS,
});

export const tokensQuery = queryOptions({
  queryKey: ['access', 'tokens'],
  queryFn: ({ signal }) => allPages(routes.listTokens, signal, revealedToken),
});

export const sessionsQuery = queryOptions({
  queryKey: ['access', 'sessions'],
  queryFn: ({ signal }) => allPages(routes.listSessions, signal, revealedSession),
});

export const sqlRolesQuery = queryOptions({
  queryKey: ['access', 'sql-roles'],
  queryFn: ({ signal }) => allPages(routes.listSqlRoles, signal, (role) => role),
});

export const tenantsQuery = queryOptions({
  queryKey: ['access', 'tenants'],
  queryFn: ({ signal }) => allPages(routes.listTenants, signal, revealedTenant),
});

export const serverQuery = queryOptions({
  queryKey: ['server'],
  queryFn: ({ signal }) => call(routes.showServer, {}, signal),
  refetchInterval: BACKSTOP_MS,
});

export interface WholeList<T> {
  readonly items: readonly T[];
  /** True when there are more than the page fetches; it says so then. */
  readonly cut: boolean;
}

interface PageOf<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/** A list that is short by nature, as a whole. */
async function allPages<T>(
  route: Route<{ after?: string | undefined; limit?: number | undefined; tenant?: string | undefined }, PageOf<T>>,
  signal: AbortSignal,
  revealed: (item: T) => T,
  given: { readonly tenant?: string | undefined } = {},
): Promise<WholeList<T>> {
  const items: T[] = [];
  let after: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { items: more, next_cursor } = await call(route, { ...given, limit: 500, after }, signal);
    items.push(...more.map(revealed));
    if (next_cursor === null) return { items, cut: false };
    after = next_cursor;
  }
  return { items, cut: true };
}

export function agentQuery(agent: string) {
  return queryOptions({
    queryKey: ['agents', agent],
    queryFn: async ({ signal }) => revealedAgent(await call(routes.showAgent, { agent }, signal)),
    refetchInterval: (query) => (query.state.status === 'error' ? false : BACKSTOP_MS),
  });
}

/** An agent with what it is called in addresses and commands: its name, or name@tenant where the name occurs twice. */
export type AddressedAgent = Agent & { readonly address: string };

export interface AgentList {
  readonly items: readonly AddressedAgent[];
  /** True when there are more agents than the page fetches; it says so then. */
  readonly cut: boolean;
  readonly asOf: string;
}

async function allAgents(signal: AbortSignal): Promise<AgentList> {
  const items: Agent[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await call(routes.listAgents, { limit: 500, ...(after === undefined ? {} : { after }) }, signal);
    items.push(...page.items.map(revealedAgent));
    if (page.next_cursor === null || items.length >= MOST_AGENTS) {
      return { items: addressed(items), cut: page.next_cursor !== null, asOf: page.as_of };
    }
    after = page.next_cursor;
  }
}

export function addressed(items: readonly Agent[]): AddressedAgent[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { agent } of items) (seen.has(agent) ? twice : seen).add(agent);
  return items.map((item) => ({
    ...item,
    address: twice.has(item.agent) ? `${item.agent}@${item.tenant}` : item.agent,
  }));
}
