// The fleet at one glance: how many agents are how, and what needs the operator, worst first. Pure: rows in, answer out.

import type { OutputOf } from '../../platform/operation.ts';
import { FLEET_SLUG } from '../../platform/tenants.ts';
import { stateOf } from './items.ts';
import type { status } from './operations.ts';
import type { AgentRow } from './store.ts';

export type Need = OutputOf<typeof status>['needs'][number];

/** A job that was given up, as the work room tells of it. */
export interface DeadJob {
  readonly id: string;
  readonly kind: string;
  readonly tenant: string;
  readonly error: string | null;
  readonly ended_at: string | null;
}

const MOST_NEEDS = 100;

export function countStates(rows: readonly AgentRow[]): OutputOf<typeof status>['agents'] {
  const by_state: Record<string, number> = {};
  for (const row of rows) {
    const { state } = stateOf(row);
    by_state[state] = (by_state[state] ?? 0) + 1;
  }
  return { total: rows.length, by_state };
}

export function needsOf(rows: readonly AgentRow[], deadJobs: readonly DeadJob[]): Need[] {
  const needs = [...rows.flatMap(needOfAgent), ...deadJobs.map(needOfJob)];
  return needs.sort((a, b) => rank(a) - rank(b)).slice(0, MOST_NEEDS);
}

function needOfAgent(row: AgentRow): Need[] {
  const { state, reason, attention, since } = stateOf(row);
  if (attention === 'none') return [];
  const address = row.tenant === FLEET_SLUG ? row.slug : `${row.slug}@${row.tenant}`;
  return [
    {
      kind: 'agent',
      severity: attention,
      subject: row.slug,
      tenant: row.tenant,
      text: `${row.slug} is ${state}: ${reason}`,
      since: since?.toISOString() ?? null,
      command: `quarterdeck agent ${state === 'crashed' ? 'logs' : 'show'} ${address}`,
    },
  ];
}

function needOfJob(job: DeadJob): Need {
  return {
    kind: 'job',
    severity: 'error',
    subject: job.id,
    tenant: job.tenant,
    text: `${job.kind} failed for good${job.error === null ? '' : `: ${job.error.slice(0, 200)}`}`,
    since: job.ended_at,
    command: `quarterdeck job show ${job.id}`,
  };
}

function rank(need: Need): number {
  return (need.severity === 'error' ? 0 : 2) + (need.kind === 'agent' ? 0 : 1);
}
