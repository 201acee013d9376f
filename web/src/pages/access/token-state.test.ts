import { describe, expect, it } from 'vitest';
import { abilities } from '../../../../src/domains/access/abilities.ts';
import type { Token } from '../../api/routes.ts';
import { byRoom, hasEvery, inOrder, replaceable, stateOfToken, tokensOfAgents, wordsOfAbility } from './token-state.ts';

const NOW = Date.parse('2026-01-02T00:00:00Z');
const token = (more: Partial<Token>): Token => ({
  token_id: 'tok_1',
  kind: 'agent',
  name: 'given by hand',
  of: 'scout',
  tenant: 'acme',
  abilities: [],
  display: 'qd_agt_ab…yz',
  created_at: '2026-01-01T00:00:00Z',
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
  ...more,
});

describe('a token', () => {
  it('is valid until it expires or is ended, and ended outranks expired', () => {
    expect(stateOfToken(token({}), NOW)).toBe('valid');
    expect(stateOfToken(token({ expires_at: '2026-01-02T00:00:00Z' }), NOW)).toBe('expired');
    expect(stateOfToken(token({ expires_at: '2026-01-02T00:00:01Z' }), NOW)).toBe('valid');
    const both = { expires_at: '2025-01-01T00:00:00Z', revoked_at: '2025-01-01T00:00:00Z' };
    expect(stateOfToken(token(both), NOW)).toBe('revoked');
  });

  it('has abilities in plain words, in one order, and those it does not know by their names', () => {
    expect(inOrder(['work:read', 'moon:land', 'log:read'])).toEqual(['log:read', 'work:read', 'moon:land']);
    for (const ability of abilities) expect(wordsOfAbility(ability)).not.toBe(ability);
    expect(wordsOfAbility('moon:land')).toBe('moon:land');
    expect(wordsOfAbility('constructor')).toBe('constructor');
    expect(hasEvery(abilities)).toBe(true);
    expect(hasEvery(abilities.slice(1))).toBe(false);
    expect(byRoom().flatMap(([, of]) => of)).toHaveLength(abilities.length);
  });
});

it('the credential that a host gave a process is no old one', () => {
  const list = [
    token({ token_id: 'tok_4', name: 'its process' }),
    token({ token_id: 'tok_3' }),
    token({ token_id: 'tok_2' }),
  ];
  expect(replaceable(list).map((one) => one.token_id)).toEqual(['tok_2']);
  expect(replaceable(list.slice(0, 2))).toEqual([]);
});

it('agents of one name in two tenants are two, and what ended is not among their credentials', () => {
  const list = tokensOfAgents(
    [
      token({ token_id: 'tok_4', tenant: 'beta' }),
      token({ token_id: 'tok_3' }),
      token({ token_id: 'tok_2', revoked_at: '2026-01-01T00:00:00Z' }),
      token({ token_id: 'tok_1' }),
      token({ kind: 'operator', of: 'ada' }),
    ],
    NOW,
  );
  expect(list.map(({ agent, tenant, tokens }) => [agent, tenant, tokens.map((one) => one.token_id)])).toEqual([
    ['scout', 'acme', ['tok_3', 'tok_1']],
    ['scout', 'beta', ['tok_4']],
  ]);
});
