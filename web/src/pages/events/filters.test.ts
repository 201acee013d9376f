import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { event } from '../../live/event.fixture.ts';
import { chipsOf, commandOf, type EventFilter, filterNames, matches, parseFilter, requestOf } from './filters.ts';

describe('the filter of events', () => {
  it('reads qualifiers, quoted values and several at once', () => {
    expect(parseFilter('type:work.* subject:"a b"  since:24h')).toEqual({
      filter: { type: 'work.*', subject: 'a b', since: '24h' },
      problems: [],
    });
  });

  it('says what it does not understand and ignores nothing', () => {
    expect(parseFilter('timeout').problems).toHaveLength(1);
    expect(parseFilter('level:error').problems).toHaveLength(1);
    expect(parseFilter('type:').problems).toHaveLength(1);
    expect(parseFilter('since:yesterday').problems).toHaveLength(1);
  });

  it('reads its own chips again', () => {
    const value = fc
      .string({ minLength: 1, unit: fc.constantFrom('a', 'b', '.', ':', ' ', '@', '-') })
      .filter((text) => text.trim() === text);
    const some = fc.record(
      { type: value, agent: value, subject: value, correlation: value, tenant: value },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(some, (given) => {
        const filter = Object.fromEntries(
          Object.entries(given).filter(([, text]) => text !== undefined),
        ) as EventFilter;
        const text = chipsOf(filter)
          .map((chip) => chip.text)
          .join(' ');
        expect(parseFilter(text)).toEqual({ filter, problems: [] });
      }),
    );
  });

  it('judges a live event by every part', () => {
    const item = event(1, { event_type: 'work.job.done', source_agent: 'pricer', subject: 'job:1', tenant: 'acme' });
    expect(matches({ type: 'work.*', agent: 'pricer', subject: 'job:1', tenant: 'acme' }, item)).toBe(true);
    expect(matches({ type: 'work.job' }, item)).toBe(false);
    expect(matches({ type: 'workshop.*' }, item)).toBe(false);
    for (const name of filterNames.filter((one) => one !== 'since'))
      expect(matches({ [name]: 'other' }, item)).toBe(false);
  });

  it('becomes a request with the names of the operation, and a command to copy', () => {
    const now = Date.parse('2026-01-02T00:00:00Z');
    expect(requestOf({ type: 'work.*', correlation: 'c', since: '1d' }, now)).toEqual({
      event_type: 'work.*',
      correlation_id: 'c',
      since: '2026-01-01T00:00:00.000Z',
    });
    expect(commandOf({ type: 'work.*' }, now)).toBe("quarterdeck event list --order desc --event-type 'work.*'");
  });
});
