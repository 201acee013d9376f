import { describe, expect, it } from 'vitest';
import { readQualifiers } from '../../ui/qualifiers.ts';
import { commandOf, requestOf, rules } from './job-filter.ts';

describe('the filter of jobs', () => {
  it('reads its names and becomes a request and a command', () => {
    const { filter, problems } = readQualifiers('state:dead queue:prices agent:pricer@acme', rules);
    expect(problems).toEqual([]);
    expect(requestOf(filter)).toEqual({ state: 'dead', queue: 'prices', agent: 'pricer@acme' });
    expect(commandOf(filter)).toBe('quarterdeck job list --state dead --queue prices --agent pricer@acme');
    expect(commandOf({})).toBe('quarterdeck job list');
  });

  it('says what cannot be one', () => {
    for (const text of ['timeout', 'status:dead', 'state:failed', 'queue:', 'kind:Re-Price', 'tenant:"a b"']) {
      expect(readQualifiers(text, rules), text).toMatchObject({ filter: {}, problems: [expect.any(String)] });
    }
  });
});
