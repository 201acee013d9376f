// From a row to what the outside sees of an agent.
import type { AgentItem } from './operations.ts';
import { type AgentFacts, type DerivedState, deriveState, silenceLimit } from './states.ts';
import type { AgentRow } from './store.ts';

export function isSupervised(row: AgentRow): boolean {
  return row.command !== null;
}

export function stateOf(row: AgentRow): DerivedState {
  return deriveState(factsOf(row));
}

export function agentItem(row: AgentRow): AgentItem {
  const { state, reason } = stateOf(row);
  return {
    agent: row.slug,
    tenant: row.tenant,
    kind: row.kind,
    state,
    state_reason: reason,
    desired: row.desired,
    desired_by: row.desired_by,
    desired_reason: row.desired_reason,
    declared: row.declared,
    status: row.status,
    job: row.job,
    version: row.version,
    queues: [...row.queues],
    host: row.running_on ?? row.host,
    pid: row.pid,
    started_at: row.process_started_at?.toISOString() ?? null,
    last_seen: row.last_seen?.toISOString() ?? null,
    silence_limit_seconds: silenceLimit(factsOf(row)),
    restarts: row.restarts,
    exit: row.exit,
    created_at: row.created_at.toISOString(),
    row_version: row.row_version,
  };
}

function factsOf(row: AgentRow): AgentFacts {
  return {
    now: row.now,
    kind: row.kind,
    supervised: isSupervised(row),
    desired: row.desired,
    desiredBy: row.desired_by,
    desiredReason: row.desired_reason,
    silenceLimitSeconds: row.silence_limit_seconds,
    lastSeen: row.last_seen,
    phase: row.phase,
    host: row.running_on,
    hostSeen: row.host_seen,
    pid: row.pid,
    startedAt: row.process_started_at,
    exit: row.exit,
    exitedAt: row.exited_at,
    nextStartAt: row.next_start_at,
    healingSince: row.healing_since,
  };
}
