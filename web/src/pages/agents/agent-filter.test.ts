import { describe, expect, it } from 'vitest';
import type { Agent } from '../../api/routes.ts';
import { countsByState, shownAgents } from './agent-filter.ts';

const agent = (name: string, more: Partial<Agent> = {}): Agent => ({
  agent: name,
  tenant: 'acme',
  kind: 'process',
  state: 'healthy',
  state_reason: '',
  desired: 'run',
  desired_by: null,
  desired_reason: null,
  declared: true,
  status: null,
  job: null,
  version: null,
  queues: [],
  host: null,
  pid: null,
  started_at: null,
  last_seen: null,
  silence_limit_seconds: 60,
  restarts: 0,
  exit: null,
  created_at: '2026-01-01T00:00:00Z',
  row_version: 1,
  ...more,
});

const fleet = [
  agent('scout', { state: 'healthy', restarts: 2 }),
  agent('pricer', { state: 'crashed', tenant: 'beta', queues: ['prices'] }),
  agent('writer', { state: 'late', restarts: 7 }),
];
const names = (list: readonly Agent[]) => list.map((one) => one.agent);

describe('the list of agents', () => {
  it('shows the worst state first unless told otherwise', () => {
    expect(names(shownAgents(fleet, {}))).toEqual(['pricer', 'writer', 'scout']);
    expect(names(shownAgents(fleet, { sort: 'agent' }))).toEqual(['pricer', 'scout', 'writer']);
    expect(names(shownAgents(fleet, { sort: 'restarts' }))).toEqual(['writer', 'scout', 'pricer']);
    expect(names(shownAgents(fleet, { sort: '-restarts' }))).toEqual(['pricer', 'scout', 'writer']);
    expect(names(shownAgents(fleet, { sort: 'nonsense' }))).toEqual(['pricer', 'writer', 'scout']);
  });

  it('filters by several states, by tenant and by text', () => {
    expect(names(shownAgents(fleet, { state: 'late,crashed' }))).toEqual(['pricer', 'writer']);
    expect(names(shownAgents(fleet, { tenant: 'beta' }))).toEqual(['pricer']);
    expect(names(shownAgents(fleet, { q: 'PRICES' }))).toEqual(['pricer']);
  });

  it('counts the states under the rest of the filter', () => {
    expect([...countsByState(fleet, { tenant: 'acme', state: 'late' })]).toEqual([
      ['late', 1],
      ['healthy', 1],
    ]);
  });
});
