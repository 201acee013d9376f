import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventItem } from './operations.ts';
import { splitTopics, topicFilter, typeFilter } from './topics.ts';

const name = fc.constantFrom('pricer', 'scout', 'a', 'price');
const tenant = fc.constantFrom('acme', 'bravo', 'fleet');
const type = fc.constantFrom('work.job.added', 'work.job.done', 'git.commit', 'works');
const job = fc.constantFrom('job_1', 'job_2');

const event: fc.Arbitrary<EventItem> = fc.record({
  cursor: fc.constant('00000000-1'),
  id: fc.constant('x'),
  at: fc.constant(''),
  event_type: type,
  source_agent: name,
  tenant,
  subject: fc.oneof(
    fc.constant(null),
    name.map((slug) => `agent:${slug}`),
    job.map((id) => `job:${id}`),
  ),
  payload: fc.oneof(
    fc.constant({}),
    fc.array(job).map((jobs) => ({ jobs })),
    fc.array(job).map((jobs) => ({ jobs: jobs.map((id) => ({ id })) })),
    fc.constantFrom({ jobs: 'job_1' }, { jobs: [null, 1, {}] }),
  ),
  correlation_id: fc.constant(null),
  causation_id: fc.constant(null),
});

const topic = fc.oneof(
  name.map((slug) => `agent:${slug}`),
  fc.tuple(name, tenant).map(([slug, of]) => `agent:${slug}@${of}`),
  job.map((id) => `job:${id}`),
  tenant.map((slug) => `tenant:${slug}`),
  type.map((exact) => `type:${exact}`),
  fc.constantFrom('type:work.*', 'type:*'),
);

describe('topics', () => {
  it('together accept what any of them accepts', () => {
    fc.assert(
      fc.property(fc.array(topic, { minLength: 1, maxLength: 50 }), event, (topics, item) => {
        expect(topicFilter(topics)(item)).toBe(topics.some((one) => topicFilter([one])(item)));
      }),
    );
  });

  it('«everything» accepts everything, beside whatever else', () => {
    fc.assert(
      fc.property(fc.array(topic, { maxLength: 5 }), event, (topics, item) => {
        expect(topicFilter([...topics, 'everything'])(item)).toBe(true);
      }),
    );
  });

  it('with a tenant behind the name accept nothing of another tenant', () => {
    fc.assert(
      fc.property(name, tenant, event, (slug, of, item) => {
        if (topicFilter([`agent:${slug}@${of}`])(item)) expect(item.tenant).toBe(of);
      }),
    );
  });

  it('of a job accept events about it and batches that name it', () => {
    fc.assert(
      fc.property(job, event, (id, item) => {
        const { jobs } = item.payload;
        const named = Array.isArray(jobs) && jobs.some((one) => one === id || one?.id === id);
        expect(topicFilter([`job:${id}`])(item)).toBe(item.subject === `job:${id}` || named);
      }),
    );
  });

  it('that are none are refused, and never by another failure', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        try {
          topicFilter([text]);
        } catch (error) {
          expect(error).toMatchObject({ code: 'log.bad_topic' });
        }
      }),
    );
    for (const text of ['', ':', 'agent:', ':x', 'secrets', `agent:${'a'.repeat(201)}`]) {
      expect(() => topicFilter([text])).toThrow();
    }
    expect(() => topicFilter(Array(51).fill('everything'))).toThrow(/50/);
  });

  it('are split at commas; nothing means everything', () => {
    expect(splitTopics(undefined)).toEqual(['everything']);
    expect(splitTopics(',,')).toEqual(['everything']);
    expect(splitTopics('a,b,,c')).toEqual(['a', 'b', 'c']);
  });
});

it('a type is exact, or a prefix up to its star', () => {
  const item = { event_type: 'work.job.done' } as EventItem;
  expect(typeFilter('work.job.done')(item)).toBe(true);
  expect(typeFilter('work.job')(item)).toBe(false);
  expect(typeFilter('work.*')(item)).toBe(true);
  expect(typeFilter('work.jobs.*')(item)).toBe(false);
});
