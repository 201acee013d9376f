// What agents and people wrote about themselves and their work is made harmless to read when it enters the page, so that
// every place that shows it, titles and names included, shows what it is. Events are not changed: their values are filters.
import { revealedText } from '../ui/reveal.ts';
import type { Agent, Channel, Job, Schedule, Session, Status, Tenant, Token, WorkSummary } from './routes.ts';

const maybe = (text: string | null): string | null => (text === null ? null : revealedText(text));

export function revealedAgent<T extends Agent>(agent: T): T {
  return {
    ...agent,
    state_reason: revealedText(agent.state_reason),
    desired_reason: maybe(agent.desired_reason),
    status: maybe(agent.status),
    version: maybe(agent.version),
    exit: maybe(agent.exit),
  };
}

/** Payload, result and artifacts stay as they are: they are shown as JSON, which reveals by itself. */
export function revealedJob<T extends Job>(job: T): T {
  const { progress } = job;
  const message = progress?.message === undefined ? {} : { message: revealedText(progress.message) };
  return {
    ...job,
    error: maybe(job.error),
    reason: maybe(job.reason),
    created_by: revealedText(job.created_by),
    progress: progress === null ? null : { ...progress, ...message },
  };
}

export function revealedChannel(channel: Channel): Channel {
  return { ...channel, paused: pauseOf(channel.paused), declared_by: maybe(channel.declared_by) };
}

/** The job that it adds stays as it is: it goes back to the server when the schedule is changed. */
export function revealedSchedule(schedule: Schedule): Schedule {
  return { ...schedule, paused: pauseOf(schedule.paused), declared_by: maybe(schedule.declared_by) };
}

export function revealedWork(work: WorkSummary): WorkSummary {
  return { ...work, pauses: work.pauses.map(pauseOf) };
}

function pauseOf<T extends { readonly by: string; readonly reason: string | null } | null>(pause: T): T {
  return pause === null ? pause : { ...pause, by: revealedText(pause.by), reason: maybe(pause.reason) };
}

export function revealedToken(token: Token): Token {
  return { ...token, name: revealedText(token.name) };
}

export function revealedTenant(tenant: Tenant): Tenant {
  return { ...tenant, name: revealedText(tenant.name) };
}

export function revealedSession(session: Session): Session {
  return { ...session, user_agent: maybe(session.user_agent) };
}

export function revealedStatus(status: Status): Status {
  return { ...status, needs: status.needs.map((need) => ({ ...need, text: revealedText(need.text) })) };
}
