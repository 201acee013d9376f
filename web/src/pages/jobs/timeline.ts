// The steps of one job, told from events. Most events name a batch of jobs; a step is what one says of this job. Pure.
import type { EventItem } from '../../api/routes.ts';
import { revealedText } from '../../ui/reveal.ts';
import { clockWords } from '../../ui/time-words.ts';
import { words } from './words.ts';

export interface Step {
  readonly cursor: string;
  readonly at: string;
  readonly type: string;
  readonly text: string;
  readonly error: string | undefined;
  /** The state that the job came into, when the event says so. */
  readonly state: string | undefined;
  /** How many other jobs the same event names. */
  readonly others: number;
}

type Entry = Readonly<Record<string, unknown>>;

/** Oldest first. Events that say nothing of the job are left out; one that was read twice stands once. */
export function stepsOf(job: string, events: readonly EventItem[]): Step[] {
  const steps = new Map<string, Step>();
  for (const event of events) {
    const step = stepOf(job, event);
    if (step !== undefined) steps.set(event.cursor, step);
  }
  return [...steps.values()].sort((a, b) => a.at.localeCompare(b.at) || positionOf(a.cursor) - positionOf(b.cursor));
}

function stepOf(job: string, event: EventItem): Step | undefined {
  const named = Array.isArray(event.payload['jobs']) ? (event.payload['jobs'] as Entry[]) : [];
  const entry = named.find((one) => one?.['id'] === job);
  const one = event.payload['job'] as Entry | undefined;
  const isMeant = entry !== undefined || event.subject === `job:${job}` || one?.['id'] === job;
  if (!isMeant) return undefined;
  return {
    cursor: event.cursor,
    at: event.at,
    type: event.event_type,
    text: revealedText(wordsOf(event, entry)),
    error: text(entry?.['error']),
    state: stateOf(event.event_type, entry),
    others: entry === undefined ? 0 : named.length - 1,
  };
}

function wordsOf(event: EventItem, entry: Entry | undefined): string {
  const t = words.timeline;
  const by = text(event.payload['agent']) ?? text(entry?.['agent']) ?? event.source_agent;
  const state = entry?.['state'];
  switch (event.event_type) {
    case 'work.job.added':
      return state === 'scheduled' ? t.addedLater(event.source_agent, timeOf(entry)) : t.added(event.source_agent);
    case 'work.job.due':
      return t.due;
    case 'work.job.claimed':
      return t.claimed(by, Number(entry?.['attempt'] ?? 0));
    case 'work.job.completed':
      if (state === 'done') return t.done(by);
      return state === 'scheduled' ? t.again(by, timeOf(entry)) : t.dead(by);
    case 'work.job.lost':
      if (state === 'scheduled') return t.lostLater(by, timeOf(entry));
      return state === 'dead' ? t.lostDead(by) : t.lost(by);
    case 'work.job.cancelled':
      return t.cancelled(event.source_agent, text(event.payload['reason']) ?? '');
    case 'work.job.changed':
      return t.changed(event.source_agent, changesOf(event.payload));
    case 'work.completion.refused':
      return t.refused(by);
    default:
      return `${event.event_type} · ${event.source_agent}`;
  }
}

function stateOf(type: string, entry: Entry | undefined): string | undefined {
  if (type === 'work.job.due') return 'queued';
  if (type === 'work.job.claimed') return 'running';
  // There the entry says what the job was.
  if (type === 'work.job.cancelled') return 'cancelled';
  return text(entry?.['state']);
}

function changesOf(payload: Entry): string {
  return ['priority', 'urgent', 'run_at', 'max_attempts']
    .filter((name) => payload[name] !== undefined)
    .map((name) => `${name.replaceAll('_', ' ')} ${payload[name]}`)
    .join(', ');
}

function timeOf(entry: Entry | undefined): string {
  const at = text(entry?.['run_at']);
  return at === undefined ? '?' : clockWords(new Date(at)).slice(0, 8);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function positionOf(cursor: string): number {
  return Number(cursor.slice(cursor.indexOf('-') + 1));
}
