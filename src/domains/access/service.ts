// The verbs of access: who is there, who may do what, and the credentials that prove it.
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import { type Database, fleetScope, type Tx } from '../../platform/db/database.ts';
import { UniqueViolation } from '../../platform/db/database-errors.ts';
import { getUuid, newUuid, wireId } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { DEFAULT_SLUG, FLEET_SLUG, FLEET_TENANT, type TenantDirectory } from '../../platform/tenants.ts';
import { version } from '../../platform/version.ts';
import type { Log } from '../log/index.ts';
import { abilities, agentAbilities } from './abilities.ts';
import { Credentials } from './credentials.ts';
import { accessErrors } from './errors.ts';
import { accessEvents } from './events.ts';
import type { createTenant, createToken, listTenants, listTokens, me } from './operations.ts';
import { hashSecret, kindOfSecret, newSecret } from './secrets.ts';
import * as store from './store.ts';

export interface AccessOptions {
  readonly db: Database;
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly tenants: TenantDirectory;
  /** Address under which operators reach the page. */
  readonly publicUrl: () => string;
}

const LINK_MINUTES = 10;
const SESSION_DAYS = 14;
const TOKEN_DAYS = 90;

export class Access {
  readonly credentials: Credentials;
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.credentials = new Credentials(options.db);
  }

  async me(call: Call): Promise<OutputOf<typeof me>> {
    const { caller } = call;
    if (caller.kind === 'system' || caller.kind === 'anonymous') throw platformErrors.unauthenticated();
    return {
      kind: caller.kind,
      name: caller.name,
      tenant: caller.tenant.slug,
      abilities: [...caller.abilities].sort(),
      job: caller.job?.id ?? null,
      server: { version, time: new Date().toISOString() },
    };
  }

  // Sessions

  async createSignInLink(call: Call): Promise<{ url: string; expires_at: string }> {
    const { caller } = call;
    if (caller.kind !== 'operator') throw accessErrors.operators_only();
    // Whoever signs in has every ability in every tenant: nobody may reach that from less.
    if (call.scope.kind !== 'fleet') throw accessErrors.fleet_only();
    const beyond = abilities.find((ability) => !caller.abilities.has(ability));
    if (beyond !== undefined) throw accessErrors.sign_in_beyond_creator({ ability: beyond });
    return this.makeLink(call, { id: caller.id, name: caller.name.slice('operator:'.length) });
  }

  /** As `createSignInLink`, for the start of the program itself. */
  async makeLink(call: Call, operator: { id: string; name: string }): Promise<{ url: string; expires_at: string }> {
    const secret = newSecret('link');
    return call.write(async (tx) => {
      const expires = await store.insertLink(tx, secret.hash, operator.id, LINK_MINUTES);
      await this.#options.log.append(tx, call, [
        accessEvents.make(
          'sign_in_link.created',
          { operator: operator.name },
          { subject: `operator:${operator.name}` },
        ),
      ]);
      // The key stands behind #: link previews and logs see only what is before it.
      return { url: `${this.#options.publicUrl()}/#k=${secret.text}`, expires_at: expires.toISOString() };
    });
  }

  async signIn(call: Call, key: string): Promise<{ name: string; expires_at: string }> {
    const { browser } = call;
    if (browser === undefined) throw accessErrors.sign_in_key_invalid();
    const secret = newSecret('session');
    const id = newUuid();
    if (kindOfSecret(key) !== 'link') throw accessErrors.sign_in_key_invalid();
    const { name, expires } = await call.write(async (tx) => {
      const operator = await store.takeLink(tx, hashSecret(key));
      if (operator === undefined) throw accessErrors.sign_in_key_invalid();
      const expires = await store.insertSession(tx, {
        id,
        hash: secret.hash,
        operatorId: operator.id,
        days: SESSION_DAYS,
        ...browser.facts,
      });
      await this.#options.log.append(tx, call, [
        accessEvents.make(
          'operator.signed_in',
          { operator: operator.name, session: wireId('ses', id) },
          { subject: `operator:${operator.name}` },
        ),
      ]);
      return { name: operator.name, expires };
    });
    browser.setSession(secret.text, expires);
    return { name, expires_at: expires.toISOString() };
  }

  async signOut(call: Call): Promise<{ signed_out: boolean }> {
    const { caller, browser } = call;
    if (caller.credential?.kind !== 'session') return { signed_out: false };
    const { id } = caller.credential;
    const operator = caller.name.slice('operator:'.length);
    await call.write(async (tx) => {
      if (!(await store.deleteSession(tx, id))) return;
      await this.#options.log.append(tx, call, [
        accessEvents.make(
          'operator.signed_out',
          { operator, session: wireId('ses', id) },
          { subject: `operator:${operator}` },
        ),
      ]);
      tx.afterCommit(() => this.credentials.forget(id));
    });
    browser?.clearSession();
    return { signed_out: true };
  }

  // Tenants

  async listTenants(call: Call, input: ParsedInput<typeof listTenants>): Promise<OutputOf<typeof listTenants>> {
    const as_of = await this.#options.log.asOf(call);
    const rows = await call.read((tx) => store.listTenants(tx, input.after, input.limit));
    return {
      items: rows.filter((row) => row.id !== FLEET_TENANT).map(tenantItem),
      next_cursor: rows.length === input.limit ? rows.at(-1)!.slug : null,
      as_of,
    };
  }

  async createTenant(call: Call, input: ParsedInput<typeof createTenant>): Promise<OutputOf<typeof createTenant>> {
    if (call.scope.kind !== 'fleet') throw accessErrors.fleet_only();
    const name = input.name ?? input.tenant;
    try {
      return await call.write(async (tx) => {
        const row = await store.insertTenant(tx, { id: newUuid(), slug: input.tenant, name });
        await this.#options.log.append(tx, call, [
          accessEvents.make(
            'tenant.created',
            { tenant: row.slug, name },
            { subject: `tenant:${row.slug}`, tenantId: row.id },
          ),
        ]);
        return tenantItem(row);
      });
    } catch (error) {
      if (error instanceof UniqueViolation) throw accessErrors.tenant_exists({ tenant: input.tenant });
      throw error;
    }
  }

  /** The tenant in which a call makes something: the one it names, else its own; work of the fleet goes to `default`. */
  async homeTenant(call: Call, slug: string | undefined, fleetDefault: 'fleet' | 'default'): Promise<string> {
    if (slug !== undefined) return this.#options.tenants.getId(call, slug);
    if (call.scope.kind === 'tenant') return call.scope.tenantId;
    return fleetDefault === 'fleet' ? FLEET_TENANT : this.#options.tenants.getId(call, DEFAULT_SLUG);
  }

  // Tokens

  async listTokens(call: Call, input: ParsedInput<typeof listTokens>): Promise<OutputOf<typeof listTokens>> {
    const { tenants, log } = this.#options;
    const tenantId = input.tenant === undefined ? undefined : await tenants.getId(call, input.tenant);
    const before = input.after === undefined ? undefined : getUuid('tok', input.after, 'after');
    const as_of = await log.asOf(call);
    const rows = await call.read((tx) =>
      store.listTokens(tx, { before, limit: input.limit, tenantId }, call.scope.kind === 'fleet'),
    );
    const slugs = await tenants.slugs(rows.map((row) => row.tenant_id));
    return {
      items: rows.map((row) => tokenItem(row, slugs.get(row.tenant_id) ?? '')),
      next_cursor: rows.length === input.limit ? wireId('tok', rows.at(-1)!.id) : null,
      as_of,
    };
  }

  async createToken(call: Call, input: ParsedInput<typeof createToken>): Promise<OutputOf<typeof createToken>> {
    const { caller } = call;
    if (caller.kind !== 'operator') throw accessErrors.operators_only();
    const beyond = input.abilities.find((ability) => !caller.abilities.has(ability));
    if (beyond !== undefined) throw accessErrors.ability_beyond_creator({ ability: beyond });
    const expiresAt = input.expires_at === undefined ? inDays(TOKEN_DAYS) : new Date(input.expires_at);
    if (expiresAt.getTime() <= Date.now()) throw accessErrors.expiry_in_past({ expires_at: input.expires_at });
    const tenantId = await this.homeTenant(call, input.tenant, 'fleet');
    const slug = (await this.#options.tenants.slugs([tenantId])).get(tenantId)!;
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
      await this.#tokenCreated(tx, call, row, caller.name);
      const of_name = caller.name.slice('operator:'.length);
      return { ...tokenItem({ ...row, of_name }, slug), token: secret.text };
    });
  }

  async revokeToken(call: Call, tokenId: string): Promise<{ token_id: string; revoked_at: string }> {
    const id = getUuid('tok', tokenId, 'token_id');
    return call.write(async (tx) => {
      const ended = await store.revokeToken(tx, id);
      if (ended === undefined) throw accessErrors.token_not_found({ token_id: tokenId });
      if (ended.changed) await this.#tokensRevoked(tx, call, [id], ended.tenant_id, ended.of_id, 'revoked by hand');
      return { token_id: tokenId, revoked_at: ended.revoked_at.toISOString() };
    });
  }

  /** Records that a credential was refused a tool: what a model tried beyond its rights is worth knowing. */
  async recordDeniedTool(call: Call, denied: { tool: string; operation: string; ability: string }): Promise<void> {
    const { kind, name } = call.caller;
    const subject = kind === 'operator' ? name : `agent:${name}`;
    await call.write((tx) =>
      this.#options.log.append(tx, call, [accessEvents.make('tool.denied', denied, { subject })]),
    );
  }

  // Agents' identities, for the fleet room

  /** Makes the identity of an agent. Throws `access.agent_exists`. */
  async createAgent(
    tx: Tx,
    call: Call,
    agent: { slug: string; tenantId: string; kind: store.AgentIdentity['kind'] },
  ): Promise<store.AgentIdentity> {
    const existing = await store.findAgents(tx, { slug: agent.slug });
    if (existing.some((row) => row.tenant_id === agent.tenantId)) {
      throw accessErrors.agent_exists({ agent: agent.slug });
    }
    const row = await store.insertAgent(tx, { id: newUuid(), ...agent });
    await this.#options.log.append(tx, call, [
      accessEvents.make(
        'agent.created',
        { agent: agent.slug, kind: agent.kind },
        { subject: `agent:${agent.slug}`, tenantId: agent.tenantId },
      ),
    ]);
    return row;
  }

  /** The agent that a caller means by `name` or `name@tenant`. Throws `access.agent_not_found`, `access.agent_ambiguous`. */
  async getAgent(tx: Tx, address: string): Promise<store.AgentIdentity & { readonly tenant: string }> {
    const [slug, tenant] = address.split('@') as [string, string | undefined];
    const found = await store.findAgents(tx, { slug, tenant });
    if (found.length > 1) {
      const candidates = found.map((agent) => `${agent.slug}@${agent.tenant}`).join(', ');
      throw accessErrors.agent_ambiguous({ agent: address, candidates });
    }
    if (found[0] === undefined) throw accessErrors.agent_not_found({ agent: address });
    return found[0];
  }

  /** An agent that the manifest takes over becomes one that a host starts. */
  async setAgentKind(tx: Tx, agentId: string, kind: store.AgentIdentity['kind']): Promise<void> {
    await store.setAgentKind(tx, agentId, kind);
  }

  async removeAgent(tx: Tx, call: Call, agent: store.AgentIdentity): Promise<void> {
    await store.removeAgent(tx, agent.id);
    await this.revokeAgentTokens(tx, call, agent, { reason: 'the agent was removed' });
    await this.#options.log.append(tx, call, [
      accessEvents.make(
        'agent.removed',
        { agent: agent.slug },
        { subject: `agent:${agent.slug}`, tenantId: agent.tenant_id },
      ),
    ]);
  }

  /** A new token of an agent. `name` says what for; tokens of one name can be revoked together. */
  async issueAgentToken(
    tx: Tx,
    call: Call,
    agent: store.AgentIdentity,
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
    await this.#tokenCreated(tx, call, row, agent.slug);
    return { token: secret.text, tokenId: wireId('tok', row.id) };
  }

  /** Ends an agent's tokens, those of one name or all. */
  async revokeAgentTokens(
    tx: Tx,
    call: Call,
    agent: store.AgentIdentity,
    why: { reason: string; name?: string },
  ): Promise<void> {
    const ids = await store.revokeAgentTokens(tx, agent.id, why.name);
    await this.#tokensRevoked(tx, call, ids, agent.tenant_id, agent.slug, why.reason);
  }

  // The start of the program

  /** The first operator, made when missing, with a token of all abilities. */
  async bootstrapOperator(call: Call, name: string): Promise<{ id: string; name: string; token: string }> {
    const secret = newSecret('operator');
    return call.write(async (tx) => {
      const operator = await store.ensureOperator(tx, newUuid(), name);
      if (operator.created) {
        await this.#options.log.append(tx, call, [
          accessEvents.make('operator.created', { operator: name }, { subject: `operator:${name}` }),
        ]);
      }
      const row = await store.insertToken(tx, {
        id: newUuid(),
        kind: 'operator',
        tenantId: FLEET_TENANT,
        operatorId: operator.id,
        name: 'this machine',
        hash: secret.hash,
        display: secret.display,
        abilities,
        createdBy: call.caller.name,
        expiresAt: undefined,
      });
      await this.#tokenCreated(tx, call, row, `operator:${name}`);
      return { id: operator.id, name, token: secret.text };
    });
  }

  async forgetOld(): Promise<boolean> {
    const forgotten = await this.#options.db.write(fleetScope, async (tx) => {
      await store.forgetOldSessions(tx);
      return store.forgetOldKeys(tx);
    });
    return forgotten > 0;
  }

  async #tokenCreated(tx: Tx, call: Call, row: Omit<store.TokenRow, 'of_name'>, of: string): Promise<void> {
    await this.#options.log.append(tx, call, [
      accessEvents.make(
        'token.created',
        { token_id: wireId('tok', row.id), of, name: row.name, abilities: row.abilities },
        { subject: `token:${wireId('tok', row.id)}`, tenantId: row.tenant_id },
      ),
    ]);
  }

  async #tokensRevoked(
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
      for (const id of ids) this.credentials.forget(id);
    });
  }
}

function tenantItem(row: store.TenantRow): { tenant: string; name: string; created_at: string } {
  return { tenant: row.slug, name: row.name, created_at: row.created_at.toISOString() };
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
