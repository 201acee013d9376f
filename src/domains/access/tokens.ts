// The verbs of tokens: list, make and revoke them, and those that the start and the fleet room have made for operators
// and agents. What a presented token stands for is credentials.ts.
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { getUuid, newUuid, wireId } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import { FLEET_SLUG, FLEET_TENANT, type TenantDirectory } from '../../platform/tenants.ts';
import type { Log } from '../log/index.ts';
import { abilities, agentAbilities } from './abilities.ts';
import type { AgentIdentity } from './agent-store.ts';
import type { Credentials } from './credentials.ts';
import { accessErrors } from './errors.ts';
import { accessEvents } from './events.ts';
import type { createToken, listTokens } from './operations.ts';
import { newSecret } from './secrets.ts';
import type { Tenants } from './tenants.ts';
import * as store from './token-store.ts';

export interface TokensOptions {
  readonly log: Log;
  readonly directory: TenantDirectory;
  readonly tenants: Tenants;
  readonly credentials: Credentials;
}

/** Of whom a token is, as far as tokens care. */
export type TokenAgent = Pick<AgentIdentity, 'id' | 'tenant_id' | 'slug'>;

const TOKEN_DAYS = 90;

export class Tokens {
  readonly #options: TokensOptions;

  constructor(options: TokensOptions) {
    this.#options = options;
  }

  async list(call: Call, input: ParsedInput<typeof listTokens>): Promise<OutputOf<typeof listTokens>> {
    const { directory, log } = this.#options;
    const tenantId = input.tenant === undefined ? undefined : await directory.getId(call, input.tenant);
    const before = input.after === undefined ? undefined : getUuid('tok', input.after, 'after');
    const as_of = await log.asOf(call);
    const rows = await call.read((tx) =>
      store.listTokens(tx, { before, limit: input.limit, tenantId }, call.scope.kind === 'fleet'),
    );
    const slugs = await directory.slugs(rows.map((row) => row.tenant_id));
    return {
      items: rows.map((row) => tokenItem(row, slugs.get(row.tenant_id) ?? '')),
      next_cursor: rows.length === input.limit ? wireId('tok', rows.at(-1)!.id) : null,
      as_of,
    };
  }

  /** A token with some of the abilities of the operator who asks. */
  async create(call: Call, input: ParsedInput<typeof createToken>): Promise<OutputOf<typeof createToken>> {
    const { caller } = call;
    if (caller.kind !== 'operator') throw accessErrors.operators_only();
    const beyond = input.abilities.find((ability) => !caller.abilities.has(ability));
    if (beyond !== undefined) throw accessErrors.ability_beyond_creator({ ability: beyond });
    const expiresAt = input.expires_at === undefined ? inDays(TOKEN_DAYS) : new Date(input.expires_at);
    if (expiresAt.getTime() <= Date.now()) throw accessErrors.expiry_in_past({ expires_at: input.expires_at });
    const tenantId = await this.#options.tenants.home(call, input.tenant, 'fleet');
    const slug = (await this.#options.directory.slugs([tenantId])).get(tenantId)!;
    const secret = newSecret('operator');
    return call.write(async (tx) => {
      const row = await store.insertToken(tx, {
        id: newUuid(),
        kind: 'operator',
        tenantId,
        operatorId: caller.id,
        name: input.name,
        hash: secret.hash,
        display: secret.display,
        abilities: [...new Set(input.abilities)],
        createdBy: caller.name,
        expiresAt,
      });
      await this.#tellCreated(tx, call, row, caller.name);
      const of_name = caller.name.slice('operator:'.length);
      return { ...tokenItem({ ...row, of_name }, slug), token: secret.text };
    });
  }

  async revoke(call: Call, tokenId: string): Promise<{ token_id: string; revoked_at: string }> {
    const id = getUuid('tok', tokenId, 'token_id');
    return call.write(async (tx) => {
      const ended = await store.revokeToken(tx, id);
      if (ended === undefined) throw accessErrors.token_not_found({ token_id: tokenId });
      if (ended.changed) await this.#tellRevoked(tx, call, [id], ended.tenant_id, ended.of_id, 'revoked by hand');
      return { token_id: tokenId, revoked_at: ended.revoked_at.toISOString() };
    });
  }

  /** A token of all abilities that does not expire, for an operator whom the start of the program knows. */
  async issueForOperator(
    tx: Tx,
    call: Call,
    operator: { id: string; name: string },
    name: string,
  ): Promise<{ token: string }> {
    const secret = newSecret('operator');
    const row = await store.insertToken(tx, {
      id: newUuid(),
      kind: 'operator',
      tenantId: FLEET_TENANT,
      operatorId: operator.id,
      name,
      hash: secret.hash,
      display: secret.display,
      abilities,
      createdBy: call.caller.name,
      expiresAt: undefined,
    });
    await this.#tellCreated(tx, call, row, `operator:${operator.name}`);
    return { token: secret.text };
  }

  /** A new token of an agent. `name` says what for; tokens of one name can be revoked together. */
  async issueForAgent(
    tx: Tx,
    call: Call,
    agent: TokenAgent,
    name: string,
  ): Promise<{ token: string; tokenId: string }> {
    const secret = newSecret('agent');
    const row = await store.insertToken(tx, {
      id: newUuid(),
      kind: 'agent',
      tenantId: agent.tenant_id,
      agentId: agent.id,
      name,
      hash: secret.hash,
      display: secret.display,
      abilities: agentAbilities,
      createdBy: call.caller.name,
      expiresAt: undefined,
    });
    await this.#tellCreated(tx, call, row, agent.slug);
    return { token: secret.text, tokenId: wireId('tok', row.id) };
  }

  /** Ends an agent's tokens, those of one name or all. */
  async revokeOfAgent(tx: Tx, call: Call, agent: TokenAgent, why: { reason: string; name?: string }): Promise<void> {
    const ids = await store.revokeAgentTokens(tx, agent.id, why.name);
    await this.#tellRevoked(tx, call, ids, agent.tenant_id, agent.slug, why.reason);
  }

  async #tellCreated(tx: Tx, call: Call, row: Omit<store.TokenRow, 'of_name'>, of: string): Promise<void> {
    await this.#options.log.append(tx, call, [
      accessEvents.make(
        'token.created',
        { token_id: wireId('tok', row.id), of, name: row.name, abilities: row.abilities },
        { subject: `token:${wireId('tok', row.id)}`, tenantId: row.tenant_id },
      ),
    ]);
  }

  async #tellRevoked(
    tx: Tx,
    call: Call,
    ids: readonly string[],
    tenantId: string,
    of: string,
    reason: string,
  ): Promise<void> {
    await this.#options.log.append(
      tx,
      call,
      ids.map((id) =>
        accessEvents.make(
          'token.revoked',
          { token_id: wireId('tok', id), of, reason },
          { subject: `token:${wireId('tok', id)}`, tenantId },
        ),
      ),
    );
    tx.afterCommit(() => {
      for (const id of ids) this.#options.credentials.forget(id);
    });
  }
}

function tokenItem(row: store.TokenRow, tenant: string): OutputOf<typeof listTokens>['items'][number] {
  return {
    token_id: wireId('tok', row.id),
    kind: row.kind,
    name: row.name,
    of: row.of_name,
    tenant: tenant === '' ? FLEET_SLUG : tenant,
    abilities: row.abilities,
    display: row.display,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}

function inDays(days: number): Date {
  return new Date(Date.now() + days * 86_400_000);
}
