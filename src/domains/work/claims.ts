// The claim: hands queued jobs to an agent under leases, or waits for the first.
import type { Call } from '../../platform/call.ts';
import { type Database, fleetScope, type Tx } from '../../platform/db/database.ts';
import { wireId } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import { FLEET_TENANT, type TenantDirectory } from '../../platform/tenants.ts';
import { hashJobSecret, jobToken, newJobSecret } from '../access/index.ts';
import type { Log } from '../log/index.ts';
import { type GivenRow, useApprovals } from './approvals/approval-store.ts';
import { byTenant, nameJob, subjectOf } from './batch.ts';
import { findSpentOut } from './budgets/budget-store.ts';
import { listPauses } from './channels/channel-store.ts';
import { workErrors } from './errors.ts';
import { workEvents } from './events.ts';
import type { claimJobs } from './operations.ts';
import { findReady } from './read-store.ts';
import * as store from './store.ts';
import { WaitingClaims } from './waiting.ts';

export interface ClaimsOptions {
  readonly db: Database;
  readonly log: Log;
  readonly tenants: TenantDirectory;
  /** Told how long the transaction of a claim took, with what it found. */
  readonly claimTook?: ((ms: number) => void) | undefined;
}

export type IsPaused = (tx: Tx, agentId: string) => Promise<boolean>;
type Claimed = OutputOf<typeof claimJobs>;

interface TakenRow extends store.ClaimedRow {
  /** What was decided about it, told once. */
  readonly approval: GivenRow | undefined;
}

const MOST_READY = 500;
const LOOK_AT_PAUSE_MS = 1_000;
const nothing: Claimed = { jobs: [], paused: false };

/** Undoes a claim whose caller left before it was committed. */
class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

export class Claims {
  readonly waiting: WaitingClaims;
  readonly #options: ClaimsOptions;
  #isPaused: IsPaused = async () => false;

  constructor(options: ClaimsOptions) {
    this.#options = options;
    this.waiting = new WaitingClaims((queues, most) =>
      options.db.read(fleetScope, (tx) => findReady(tx, queues, Math.min(most, MOST_READY))),
    );
  }

  usePauses(isPaused: IsPaused): void {
    this.#isPaused = isPaused;
  }

  /**
   * A caller that leaves while it waits takes nothing; when it leaves after the commit, the lease brings the jobs back.
   * An Idempotency-Key means nothing here: what a repeat would have to be answered are secrets, which are not kept.
   */
  async claim(call: Call, input: ParsedInput<typeof claimJobs>): Promise<Claimed> {
    if (call.caller.kind !== 'agent') throw workErrors.agents_only();
    const queues = [...new Set(input.queues)];
    const secrets = Array.from({ length: input.limit }, newJobSecret);
    const hashes = secrets.map(hashJobSecret);
    const want = {
      queues,
      tenantId: call.scope.kind === 'tenant' ? call.scope.tenantId : undefined,
      limit: input.limit,
    };
    const deadline = performance.now() + input.wait * 1_000;
    for (let vain = 0; ; vain++) {
      if (call.signal.aborted || this.waiting.closed) return nothing;
      const taken = await this.#take(call, { ...want, leaseSeconds: input.lease_seconds }, hashes);
      if (taken !== 'paused' && taken.length > 0) return this.#answer(taken, secrets);
      const left = deadline - performance.now();
      if (left <= 0) return taken === 'paused' ? { jobs: [], paused: true } : nothing;
      if (taken === 'paused') await this.waiting.rest(Math.min(left, LOOK_AT_PAUSE_MS), call.signal);
      else await this.waiting.wait(want, left, call.signal, vain);
    }
  }

  async #take(
    call: Call,
    wanted: { queues: readonly string[]; limit: number; leaseSeconds: number },
    hashes: readonly Buffer[],
  ): Promise<TakenRow[] | 'paused'> {
    const { id, name } = call.caller;
    const begunAt = performance.now();
    try {
      return await this.#options.db.write(call.scope, async (tx) => {
        const own = tenantsOf(call);
        const [agent, pauses, spentOut] = await Promise.all([
          this.#isPaused(tx, id),
          listPauses(tx, own),
          findSpentOut(tx, id),
        ]);
        if (agent || pauses.length > 0 || own.some((tenant) => spentOut.includes(tenant))) return 'paused';
        const rows = await store.claim(tx, wanted, { id, name }, hashes);
        const [given] = await Promise.all([
          useApprovals(
            tx,
            rows.map(({ id }) => id),
          ),
          this.#options.log.append(tx, call, claimedEvents(name, rows)),
        ]);
        if (call.signal.aborted) throw new CallerGone();
        return rows.map((row) => ({ ...row, approval: given.get(row.id) }));
      });
    } catch (error) {
      if (error instanceof CallerGone) return [];
      throw error;
    } finally {
      this.#options.claimTook?.(performance.now() - begunAt);
    }
  }

  async #answer(rows: readonly TakenRow[], secrets: readonly string[]): Promise<Claimed> {
    const slugs = await this.#options.tenants.slugs(rows.map((row) => row.tenant_id));
    return {
      jobs: rows.map((row) => ({
        id: wireId('job', row.id),
        lease: row.lease,
        attempt: row.attempt,
        max_attempts: row.max_attempts,
        kind: row.kind,
        queue: row.queue,
        tenant: slugs.get(row.tenant_id) ?? row.tenant_id,
        token: jobToken(row.id, secrets[row.place - 1]!).text,
        payload: row.payload,
        channel: row.channel,
        run_until: row.run_until?.toISOString() ?? null,
        priority: row.priority,
        created_at: row.created_at.toISOString(),
        lease_until: row.lease_until.toISOString(),
        ...(row.approval === undefined ? {} : { approval: approvalOf(row.approval) }),
      })),
      paused: false,
    };
  }
}

// Whose pauses hold for the caller as a whole; those of single tenants the claim of a fleet's agent passes over itself.
function tenantsOf(call: Call): string[] {
  return call.scope.kind === 'tenant' ? [call.scope.tenantId, FLEET_TENANT] : [FLEET_TENANT];
}

function approvalOf({ id, decided_by: by, note, summary, digest }: GivenRow) {
  return { id: wireId('apr', id), decision: 'approve' as const, by, note, summary, digest };
}

function claimedEvents(agent: string, rows: readonly store.ClaimedRow[]) {
  return byTenant(rows).map(([tenantId, ofTenant]) => {
    const jobs = ofTenant.map((row) => ({
      ...nameJob(row),
      attempt: row.attempt,
      lease_until: row.lease_until.toISOString(),
    }));
    return workEvents.make('job.claimed', { agent, jobs }, { subject: subjectOf(jobs), tenantId });
  });
}
