// Which agents a list shows and in which order. Pure: the address of the page is its only input besides the agents.
import type { Agent, AgentState } from '../../api/routes.ts';
import { stateOrder } from '../../ui/state-order.ts';

export interface AgentFilter {
  /** States, separated by commas. */
  readonly state?: string | undefined;
  readonly tenant?: string | undefined;
  readonly q?: string | undefined;
  /** Column, with `-` in front for the reverse. */
  readonly sort?: string | undefined;
}

export const sortable = ['state', 'agent', 'tenant', 'kind', 'host', 'restarts', 'last_seen'] as const;
export type SortColumn = (typeof sortable)[number];

export function shownAgents<T extends Agent>(agents: readonly T[], filter: AgentFilter): T[] {
  const states = statesOf(filter);
  const needle = filter.q?.trim().toLowerCase() ?? '';
  const { column, isReverse } = sortOf(filter.sort);
  return agents
    .filter((agent) => states.size === 0 || states.has(agent.state))
    .filter((agent) => filter.tenant === undefined || agent.tenant === filter.tenant)
    .filter((agent) => needle === '' || textOf(agent).includes(needle))
    .sort((a, b) => {
      const order = compare(a, b, column);
      return (isReverse ? -order : order) || a.agent.localeCompare(b.agent) || a.tenant.localeCompare(b.tenant);
    });
}

/** How many agents each state has under the rest of the filter, so that the numbers are what a click would show. */
export function countsByState(agents: readonly Agent[], filter: AgentFilter): Map<AgentState, number> {
  const { state: _, ...rest } = filter;
  const counts = new Map<AgentState, number>();
  for (const agent of shownAgents(agents, rest)) counts.set(agent.state, (counts.get(agent.state) ?? 0) + 1);
  return counts;
}

export function statesOf(filter: AgentFilter): Set<string> {
  return new Set(filter.state?.split(',').filter((state) => state !== ''));
}

export function sortOf(sort: string | undefined): { column: SortColumn; isReverse: boolean } {
  const isReverse = sort?.startsWith('-') ?? false;
  const column = sortable.find((name) => name === sort?.replace(/^-/, '')) ?? 'state';
  return { column, isReverse };
}

function compare(a: Agent, b: Agent, column: SortColumn): number {
  switch (column) {
    case 'state':
      return stateOrder.indexOf(a.state) - stateOrder.indexOf(b.state);
    case 'restarts':
      return b.restarts - a.restarts;
    case 'last_seen':
      return (b.last_seen ?? '').localeCompare(a.last_seen ?? '');
    case 'agent':
    case 'tenant':
    case 'kind':
    case 'host':
      return (a[column] ?? '').localeCompare(b[column] ?? '');
  }
}

function textOf(agent: Agent): string {
  return [agent.agent, agent.tenant, agent.host, agent.status, agent.version, agent.kind, ...agent.queues]
    .join(' ')
    .toLowerCase();
}
