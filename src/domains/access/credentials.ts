// From a presented secret to the caller it stands for. What was found is remembered for a few seconds at most and
// forgotten at once when the log says that a token ended; beyond that age the database is asked again.
import type { Caller } from '../../platform/call.ts';
import { type Database, fleetScope } from '../../platform/db/database.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { FLEET_SLUG, FLEET_TENANT } from '../../platform/tenants.ts';
import { abilities, jobAbilities } from './abilities.ts';
import { findAgents } from './agent-store.ts';
import * as store from './credential-store.ts';
import { hashOfJobToken, hashSecret, jobOfToken, kindOfSecret } from './secrets.ts';
import { findTenants } from './tenant-store.ts';

/** What the work room knows of a job whose lease is valid and whose token has this hash. */
export interface JobHolder {
  readonly jobId: string;
  readonly tenantId: string;
  readonly agentId: string;
}

export type FindJobHolder = (jobUuid: string, hash: Buffer) => Promise<JobHolder | undefined>;

interface Remembered {
  readonly caller: Caller;
  readonly until: number;
  readonly expiresAt: number;
}

const REMEMBER_MS = 5_000;
const MOST_REMEMBERED = 10_000;

export class Credentials {
  readonly #db: Database;
  readonly #remembered = new Map<string, Remembered>();
  #findJobHolder: FindJobHolder | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The work room is to the right of this one, so it says here how a job's token is looked up. */
  useJobs(find: FindJobHolder): void {
    this.#findJobHolder = find;
  }

  /** The caller of a bearer token or session secret. Throws `unauthenticated` or `token_expired`. */
  async getCaller(secret: string): Promise<Caller> {
    const kind = kindOfSecret(secret);
    if (kind === undefined || kind === 'link') throw platformErrors.unauthenticated();
    if (kind === 'job') return this.#getJobCaller(secret);
    const hash = hashSecret(secret);
    const key = hash.toString('base64');
    const remembered = this.#remembered.get(key);
    const now = performance.now();
    if (remembered !== undefined && remembered.until > now && remembered.expiresAt > Date.now()) {
      return remembered.caller;
    }
    const row = await this.#db.read(fleetScope, (tx) =>
      kind === 'session' ? store.findSession(tx, hash) : store.findToken(tx, hash),
    );
    if (row === undefined || row.revoked) throw platformErrors.unauthenticated();
    if (row.expired) throw platformErrors.token_expired();
    if (row.stale) this.#touch(row.id);
    const caller = callerOf(row);
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    const expiresAt = row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY;
    this.#remembered.set(key, { caller, until: now + REMEMBER_MS, expiresAt });
    return caller;
  }

  /** Forgets a token or session that ended. */
  forget(credentialId: string): void {
    for (const [key, { caller }] of this.#remembered) {
      if (caller.credential?.id === credentialId) this.#remembered.delete(key);
    }
  }

  forgetAll(): void {
    this.#remembered.clear();
  }

  // A job's token is judged by the lease each time: it ends with it.
  async #getJobCaller(secret: string): Promise<Caller> {
    const jobUuid = jobOfToken(secret);
    const find = this.#findJobHolder;
    if (jobUuid === undefined || find === undefined) throw platformErrors.unauthenticated();
    const asked: Promise<JobHolder | undefined> = find(jobUuid, hashOfJobToken(secret));
    const holder = await asked;
    if (holder === undefined) throw platformErrors.unauthenticated();
    const { agents, tenants } = await this.#db.read(fleetScope, async (tx) => {
      const [agents, tenants] = await Promise.all([
        findAgents(tx, { ids: [holder.agentId] }),
        findTenants(tx, { ids: [holder.tenantId] }),
      ]);
      return { agents, tenants };
    });
    const agent = agents[0];
    const tenant = tenants[0];
    if (agent === undefined || tenant === undefined) throw platformErrors.unauthenticated();
    return {
      kind: 'job',
      id: agent.id,
      name: agent.slug,
      tenant: { id: tenant.id, slug: tenant.slug },
      abilities: new Set<string>(jobAbilities),
      credential: { id: holder.jobId, kind: 'job' },
      job: { id: holder.jobId, agentId: agent.id },
    };
  }

  // Display only, so it neither delays nor fails a request.
  #touch(id: string): void {
    this.#db.write(fleetScope, (tx) => store.touchToken(tx, id)).catch(() => undefined);
  }
}

function callerOf(row: store.CredentialRow): Caller {
  const isOperator = row.kind !== 'agent';
  return {
    kind: isOperator ? 'operator' : 'agent',
    id: row.of_id,
    name: isOperator ? `operator:${row.of_name}` : row.of_name,
    tenant: { id: row.tenant_id, slug: row.tenant },
    abilities: new Set<string>(row.kind === 'session' ? abilities : row.abilities),
    credential: { id: row.id, kind: row.kind },
  };
}

/** The caller that the system itself is: its loops and the start. */
export function systemCaller(part: string): Caller {
  return {
    kind: 'system',
    id: part,
    name: `system:${part}`,
    tenant: { id: FLEET_TENANT, slug: FLEET_SLUG },
    abilities: new Set<string>(abilities),
  };
}

/** Somebody who presented no credential: may only use public operations. */
export const anonymousCaller: Caller = {
  kind: 'anonymous',
  id: 'anonymous',
  name: 'anonymous',
  tenant: { id: FLEET_TENANT, slug: FLEET_SLUG },
  abilities: new Set<string>(),
};
