// Which snapshots an event outdates, and when they are fetched again: soon after the first event, then at a distance,
// so that a busy fleet costs a steady number of requests and never one for each event.
import type { QueryClient } from '@tanstack/react-query';
import { isNotFound } from '../api/problem.ts';
import type { EventItem } from '../api/routes.ts';

export interface Refresh {
  readonly key: readonly string[];
  /** Shortest distance between two fetches, in ms. */
  readonly spacing: number;
  /** Fetches those that were not found, and no others. Without it they are left alone: they stay so until one is made. */
  readonly missing?: true;
}

const FIRST_MS = 30;

const agents: Refresh = { key: ['agents'], spacing: 150 };
const missingAgents: Refresh = { ...agents, missing: true };
const status: Refresh = { key: ['status'], spacing: 300 };
const access: Refresh = { key: ['access'], spacing: 300 };
const work: Refresh = { key: ['work'], spacing: 1000 };
// What an operator has just done to a channel, a schedule or all work shows at once.
const workRules: Refresh = { ...work, spacing: 150 };
// A job that moves changes what its agent is shown to do, but nothing an operator waits for.
const agentsOfWork: Refresh = { key: ['agents'], spacing: 1000 };

export function outdatedBy(eventType: string): readonly Refresh[] {
  if (eventType === 'access.agent.created') return [agents, missingAgents, status, access];
  if (eventType.startsWith('access.agent.')) return [agents, status, access];
  if (eventType.startsWith('access.')) return [access];
  if (eventType.startsWith('fleet.')) return [agents, status];
  if (/^work\.(channel|schedule|tenant)\./.test(eventType)) return [workRules, status];
  if (eventType.startsWith('work.')) return [work, status, agentsOfWork];
  return [];
}

/** Fetches again what is on screen of a snapshot; what is not is fetched when it is shown. */
export function fetchAgain(queries: QueryClient, { key, missing }: Refresh): void {
  void queries.invalidateQueries({
    queryKey: key,
    predicate: ({ state }) => isNotFound(state.error) === (missing === true),
  });
}

/** Takes events and calls `refresh` with what is due. The result takes an event; `stop` forgets what is due. */
export function refresher(refresh: (due: Refresh) => void): {
  take(event: Pick<EventItem, 'event_type'>): void;
  stop(): void;
} {
  const due = new Map<string, { at: number; timer: ReturnType<typeof setTimeout> }>();
  const last = new Map<string, number>();
  return {
    take(event) {
      for (const outdated of outdatedBy(event.event_type)) {
        const { key, spacing, missing = false } = outdated;
        const name = `${key.join(' ')} ${missing}`;
        const now = Date.now();
        const at = Math.max(now + FIRST_MS, (last.get(name) ?? 0) + spacing);
        const planned = due.get(name);
        if (planned !== undefined && planned.at <= at) continue;
        clearTimeout(planned?.timer);
        const timer = setTimeout(() => {
          due.delete(name);
          last.set(name, Date.now());
          refresh(outdated);
        }, at - now);
        due.set(name, { at, timer });
      }
    },
    stop() {
      for (const { timer } of due.values()) clearTimeout(timer);
      due.clear();
    },
  };
}
