// What holds for a token at a moment, and what can be said of its abilities in plain words. Pure.
import { type Ability, abilities, abilityWords } from '../../../../src/domains/access/abilities.ts';
import type { Token } from '../../api/routes.ts';

export type TokenState = 'valid' | 'expired' | 'revoked';

export function stateOfToken(token: Pick<Token, 'revoked_at' | 'expires_at'>, now: number): TokenState {
  if (token.revoked_at !== null) return 'revoked';
  return token.expires_at !== null && Date.parse(token.expires_at) <= now ? 'expired' : 'valid';
}

/** `jobs: see jobs…`; an ability of a newer server stands by its own name. */
export function wordsOfAbility(ability: string): string {
  return Object.hasOwn(abilityWords, ability) ? abilityWords[ability as Ability] : ability;
}

/** In the order of their table, whatever order the server has. */
export function inOrder(given: readonly string[]): string[] {
  const known = abilities.filter((ability) => given.includes(ability));
  return [...known, ...given.filter((ability) => !(abilities as readonly string[]).includes(ability)).sort()];
}

export function hasEvery(given: readonly string[]): boolean {
  return abilities.every((ability) => given.includes(ability));
}

/** Abilities by the room that they are of. */
export function byRoom(): readonly (readonly [room: string, abilities: readonly Ability[]])[] {
  return [...Map.groupBy(abilities, (ability) => ability.slice(0, ability.indexOf(':')))];
}

export interface AgentTokens {
  readonly agent: string;
  readonly tenant: string;
  /** Newest first. */
  readonly tokens: readonly Token[];
}

/** What a host gives the process that it starts, and takes back when that ends. */
const OF_PROCESS = 'its process';

/** Of tokens that are valid, newest first: those given by hand before the newest of these. */
export function replaceable(tokens: readonly Token[]): Token[] {
  return tokens.filter((token) => token.name !== OF_PROCESS).slice(1);
}

/** Agents by name, each with its tokens that are valid; what ended is left out. */
export function tokensOfAgents(tokens: readonly Token[], now: number): AgentTokens[] {
  const valid = tokens.filter((token) => token.kind === 'agent' && stateOfToken(token, now) === 'valid');
  return [...Map.groupBy(valid, (token) => `${token.of}@${token.tenant}`).values()]
    .map((own) => ({ agent: own[0]!.of, tenant: own[0]!.tenant, tokens: own }))
    .sort((a, b) => a.agent.localeCompare(b.agent) || a.tenant.localeCompare(b.tenant));
}
