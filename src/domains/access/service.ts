// What access can do, by what it is about: sessions, tenants, tokens, agents' identities and credentials.
import type { Wakeups } from '../../platform/bus/wakeups.ts';
import type { Call } from '../../platform/call.ts';
import { type Database, fleetScope } from '../../platform/db/database.ts';
import type { OutputOf } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import type { TenantDirectory } from '../../platform/tenants.ts';
import { version } from '../../platform/version.ts';
import type { Log } from '../log/index.ts';
import { AgentIdentities } from './agent-identities.ts';
import { bootstrapOperator, type FirstOperator } from './bootstrap.ts';
import { Credentials } from './credentials.ts';
import { accessEvents } from './events.ts';
import { forgetOldKeys } from './idempotency-store.ts';
import type { me } from './operations.ts';
import { forgetOldSessions } from './session-store.ts';
import { Sessions } from './sessions.ts';
import { SqlRoles } from './sql-roles.ts';
import { SqlSessions } from './sql-sessions.ts';
import { Tenants } from './tenants.ts';
import { forgetEndedTokens } from './token-store.ts';
import { Tokens } from './tokens.ts';

export interface AccessOptions {
  readonly db: Database;
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly tenants: TenantDirectory;
  /** Address under which operators reach the page. */
  readonly publicUrl: () => string;
  /** Of the database server itself, not of a pooler: agents with database roles connect there. */
  readonly databaseUrl: string;
}

export class Access {
  readonly credentials: Credentials;
  readonly sessions: Sessions;
  readonly tenants: Tenants;
  readonly tokens: Tokens;
  readonly sqlRoles: SqlRoles;
  readonly sqlSessions: SqlSessions;
  readonly agents: AgentIdentities;
  readonly #db: Database;
  readonly #log: Log;

  constructor({ db, wakeups, log, tenants: directory, publicUrl, databaseUrl }: AccessOptions) {
    this.#db = db;
    this.#log = log;
    this.credentials = new Credentials(db);
    this.sessions = new Sessions({ log, credentials: this.credentials, publicUrl });
    this.tenants = new Tenants({ log, directory });
    this.tokens = new Tokens({ log, directory, tenants: this.tenants, credentials: this.credentials });
    this.sqlRoles = new SqlRoles({ db, log, directory, databaseUrl });
    this.sqlSessions = new SqlSessions({ db, wakeups, log });
    this.agents = new AgentIdentities({ log, tokens: this.tokens, sqlRoles: this.sqlRoles });
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

  /** For the start of the program: the operator of this name with a new token of all abilities. */
  bootstrapOperator(call: Call, name: string): Promise<FirstOperator> {
    return bootstrapOperator({ log: this.#log, tokens: this.tokens }, call, name);
  }

  /** Records that a credential was refused a tool: what a model tried beyond its rights is worth knowing. */
  async recordDeniedTool(call: Call, denied: { tool: string; operation: string; ability: string }): Promise<void> {
    const { kind, name } = call.caller;
    const subject = kind === 'operator' ? name : `agent:${name}`;
    await call.write((tx) => this.#log.append(tx, call, [accessEvents.make('tool.denied', denied, { subject })]));
  }

  /** Deletes sessions, idempotency keys and agents' tokens whose time is over; true when more may be left. */
  async forgetOld(): Promise<boolean> {
    const forgotten = await this.#db.write(fleetScope, async (tx) => {
      await forgetOldSessions(tx);
      const tokens = await forgetEndedTokens(tx);
      return tokens + (await forgetOldKeys(tx));
    });
    return forgotten > 0;
  }
}
