// Topics of the live feed: which events a subscriber wants. What it may see is decided apart, by its tenant.

import { logErrors } from './errors.ts';
import type { EventItem } from './operations.ts';

export type TopicFilter = (event: EventItem) => boolean;

const MOST_TOPICS = 50;

/** A filter that accepts an event when any topic does. Throws `log.bad_topic` or `log.too_many_topics`. */
export function topicFilter(topics: readonly string[]): TopicFilter {
  if (topics.length > MOST_TOPICS) throw logErrors.too_many_topics({ limit: MOST_TOPICS });
  const filters = topics.map(oneTopic);
  return (event) => filters.some((accepts) => accepts(event));
}

/** `a,b` → topics; nothing means everything. */
export function splitTopics(text: string | undefined): string[] {
  const topics = (text ?? '').split(',').filter((topic) => topic !== '');
  return topics.length === 0 ? ['everything'] : topics;
}

function oneTopic(topic: string): TopicFilter {
  if (topic === 'everything') return () => true;
  const colon = topic.indexOf(':');
  const kind = topic.slice(0, colon);
  const value = topic.slice(colon + 1);
  if (colon < 1 || value === '' || value.length > 200) throw logErrors.bad_topic({ topic });
  switch (kind) {
    case 'agent': {
      // A name alone means the agent of that name in every tenant the reader may see.
      const [name, tenant] = value.split('@');
      const subject = `agent:${name}`;
      return (event) =>
        (event.source_agent === name || event.subject === subject) && (tenant === undefined || event.tenant === tenant);
    }
    case 'job': {
      const subject = `job:${value}`;
      return (event) => event.subject === subject || namesJob(event.payload, value);
    }
    case 'tenant':
      return (event) => event.tenant === value;
    case 'type':
      return typeFilter(value);
    default:
      throw logErrors.bad_topic({ topic });
  }
}

/** Exact type, or everything below a prefix: `work.*`. */
export function typeFilter(pattern: string): TopicFilter {
  if (!pattern.endsWith('*')) return (event) => event.event_type === pattern;
  const prefix = pattern.slice(0, -1);
  return (event) => event.event_type.startsWith(prefix);
}

// A batch writes one event that names all its jobs.
function namesJob(payload: Record<string, unknown>, id: string): boolean {
  const { jobs } = payload;
  return Array.isArray(jobs) && jobs.some((job) => job === id || (job as { id?: unknown } | null)?.id === id);
}
