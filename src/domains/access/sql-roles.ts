// The verbs of database roles with which agents speak plain SQL: make one or give it a new password, list, remove. What
// such a role may do stands in migrations/0031-sql-roles.sql; upkeep of their sessions is sql-sessions.ts.
import type { Call } from '../../platform/call.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import { scramVerifier } from '../../platform/db/embedded/secrets.ts';
import { randomBase62 } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import type { TenantDirectory } from '../../platform/tenants.ts';
import type { Log } from '../log/index.ts';
import { sqlRoleAbilities } from './abilities.ts';
import { type AgentIdentity, getAddressed, lockAgent } from './agent-store.ts';
import { connectionString } from './connection-string.ts';
import { accessErrors } from './errors.ts';
import { accessEvents } from './events.ts';
import type { createSqlRole, listSqlRoles, removeSqlRole } from './operations.ts';
import * as store from './sql-role-store.ts';

export interface SqlRolesOptions {
  readonly db: Database;
  readonly log: Log;
  readonly directory: TenantDirectory;
  /** Our own address of the database server, not of a pooler, which would not know a new role. */
  readonly databaseUrl: string;
}

/** What the database keeps of their rights has a limit of a few hundred, and the server one of its connections. */
const MOST_ROLES = 200;
const PASSWORD_LENGTH = 32;
const NAME_LENGTH = 20;

export class SqlRoles {
  readonly #options: SqlRolesOptions;

  constructor(options: SqlRolesOptions) {
    this.#options = options;
  }

  /**
   * The role of an agent with a new password. Throws `access.agent_not_found`, `access.agent_ambiguous`,
   * `access.ability_beyond_creator`, `access.sql_roles_not_permitted`, `access.too_many_sql_roles`.
   */
  async create(call: Call, address: string): Promise<OutputOf<typeof createSqlRole>> {
    const { db, log, databaseUrl, directory } = this.#options;
    const beyond = sqlRoleAbilities.find((ability) => !call.caller.abilities.has(ability));
    if (beyond !== undefined) throw accessErrors.ability_beyond_creator({ ability: beyond });
    const password = randomBase62(PASSWORD_LENGTH);
    // Before anybody can append in plain SQL, the database knows which types nobody may.
    await log.reserveTypes();
    const { row, rotated } = await call.write(async (tx) => {
      const agent = await getAddressed(tx, address);
      // Two makers at once, or a maker and who removes the agent, come one after the other.
      if (!(await lockAgent(tx, agent.id))) throw accessErrors.agent_not_found({ agent: address });
      const existing = await store.lockSqlRole(tx, agent.id);
      const name = existing?.role_name ?? newName();
      await this.#make(tx, name, password);
      const row =
        existing === undefined ? await this.#insert(tx, call, agent, name) : await store.notePassword(tx, name);
      const event = existing === undefined ? 'sql_role.created' : 'sql_role.rotated';
      await log.append(tx, call, [
        accessEvents.make(event, { agent: agent.slug, role: name }, subjectOf(agent.slug, agent.tenant_id)),
      ]);
      return { row, rotated: existing !== undefined };
    });
    // Whoever had the old password may be connected.
    if (rotated) await store.endSessions(db, row.role_name);
    const slugs = await directory.slugs([row.tenant_id]);
    return { ...item(row, slugs), url: connectionString(databaseUrl, row.role_name, password), rotated };
  }

  async list(call: Call, input: ParsedInput<typeof listSqlRoles>): Promise<OutputOf<typeof listSqlRoles>> {
    const { directory, log } = this.#options;
    const tenantId = input.tenant === undefined ? undefined : await directory.getId(call, input.tenant);
    const [agent = '', role = ''] = input.after?.split(':') ?? [];
    const after = input.after === undefined ? undefined : { agent, role };
    const as_of = await log.asOf(call);
    const rows = await call.read((tx) => store.listSqlRoles(tx, { after, tenantId, limit: input.limit }));
    const slugs = await directory.slugs(rows.map((row) => row.tenant_id));
    const last = rows.at(-1);
    return {
      items: rows.map((row) => item(row, slugs)),
      next_cursor: last !== undefined && rows.length === input.limit ? `${last.agent}:${last.role_name}` : null,
      as_of,
    };
  }

  /** Throws `access.agent_not_found`, `access.agent_ambiguous`, `access.sql_role_not_found`. */
  async remove(call: Call, address: string): Promise<OutputOf<typeof removeSqlRole>> {
    const removed = await call.write(async (tx) => {
      const agent = await getAddressed(tx, address);
      const row = await this.#markRemoved(tx, call, agent, 'removed by hand');
      if (row === undefined) throw accessErrors.sql_role_not_found({ agent: address });
      return { agent: agent.slug, ...row };
    });
    // From here on it can do nothing. What fails of this the engine's loop does again.
    await store.dropDatabaseRole(this.#options.db, removed.role).catch(() => undefined);
    return { agent: removed.agent, role: removed.role, removed_at: removed.removedAt.toISOString() };
  }

  /** An agent goes and with it its role: at once what it can do, a moment later the role itself. */
  async removeOfAgent(tx: Tx, call: Call, agent: Pick<AgentIdentity, 'id' | 'tenant_id' | 'slug'>): Promise<void> {
    const row = await this.#markRemoved(tx, call, agent, 'the agent was removed');
    if (row === undefined) return;
    tx.afterCommit(() => void store.dropDatabaseRole(this.#options.db, row.role).catch(() => undefined));
  }

  async #make(tx: Tx, name: string, password: string): Promise<void> {
    try {
      await store.makeDatabaseRole(tx, name, scramVerifier(password), MOST_ROLES);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'QD002') throw accessErrors.too_many_sql_roles({ limit: MOST_ROLES }, error);
      if (code !== '42501') throw error;
      throw accessErrors.sql_roles_not_permitted({ user: await store.databaseUser(this.#options.db) }, error);
    }
  }

  async #insert(tx: Tx, call: Call, agent: AgentIdentity, name: string): Promise<store.SqlRoleRow> {
    const role = { name, tenantId: agent.tenant_id, agentId: agent.id, agent: agent.slug, createdBy: call.caller.name };
    return store.insertSqlRole(tx, role);
  }

  async #markRemoved(
    tx: Tx,
    call: Call,
    agent: Pick<AgentIdentity, 'id' | 'tenant_id' | 'slug'>,
    reason: string,
  ): Promise<{ role: string; removedAt: Date } | undefined> {
    const row = await store.lockSqlRole(tx, agent.id);
    if (row === undefined) return undefined;
    const removedAt = await store.markRemoved(tx, row.role_name);
    await this.#options.log.append(tx, call, [
      accessEvents.make(
        'sql_role.removed',
        { agent: agent.slug, role: row.role_name, reason },
        subjectOf(agent.slug, agent.tenant_id),
      ),
    ]);
    return { role: row.role_name, removedAt };
  }
}

// Nothing from outside is in it: neither what somebody called an agent, which could be made to collide, nor who it is,
// which every other role of the server could read.
function newName(): string {
  return `qd_sql_${randomBase62(NAME_LENGTH).toLowerCase()}`;
}

function subjectOf(slug: string, tenantId: string): { subject: string; tenantId: string } {
  return { subject: `agent:${slug}`, tenantId };
}

function item(row: store.SqlRoleRow, slugs: ReadonlyMap<string, string>) {
  return {
    agent: row.agent,
    tenant: slugs.get(row.tenant_id) ?? '',
    role: row.role_name,
    created_at: row.created_at.toISOString(),
    password_at: row.password_at.toISOString(),
    is_ready: row.is_ready,
  };
}
