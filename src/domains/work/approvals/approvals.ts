// The verbs of approvals: a job asks and waits without a lease, an operator decides once, and time decides otherwise.
import type { Wakeups } from '../../../platform/bus/wakeups.ts';
import type { Call } from '../../../platform/call.ts';
import type { Tx } from '../../../platform/db/database.ts';
import { findUuid, getUuid, newUuid, wireId } from '../../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../../platform/operation.ts';
import { FLEET_SLUG, FLEET_TENANT, type TenantDirectory } from '../../../platform/tenants.ts';
import type { Log } from '../../log/index.ts';
import { byTenant, CountSums, nameJob, subjectOf } from '../batch.ts';
import { workErrors } from '../errors.ts';
import { workEvents } from '../events.ts';
import { insertCountChanges } from '../read-store.ts';
import { type HotRow, lockHot } from '../selection-store.ts';
import type { Tellers } from '../settle.ts';
import { type EndingRow, endJobs } from '../store.ts';
import { approvalDigest } from './approval-digest.ts';
import type {
  ApprovalItem,
  ApprovalRequest,
  decideApproval,
  FullApproval,
  listApprovals,
} from './approval-operations.ts';
import * as store from './approval-store.ts';

export interface ApprovalsOptions extends Tellers {
  readonly wakeups: Wakeups;
  readonly tenants: TenantDirectory;
}

/** A job for which is asked, with what is decided on. */
export interface Asking {
  readonly job: Pick<EndingRow, 'id' | 'tenant_id' | 'queue' | 'kind' | 'attempt'>;
  readonly payload: unknown;
  readonly request: ApprovalRequest;
}

/** Most bytes of the details of an approval, as JSON. */
export const DETAILS_LIMIT = 64 * 1024;

const EXPIRED_AT_ONCE = 500;

export class Approvals {
  readonly #options: ApprovalsOptions;

  constructor(options: ApprovalsOptions) {
    this.#options = options;
  }

  /** Workers ask for the jobs that they hold, whose rows this transaction holds locked: they let go of them, and wait. */
  async suspend(
    tx: Tx,
    call: Call,
    asked: readonly { readonly job: EndingRow; readonly request: ApprovalRequest }[],
  ): Promise<void> {
    if (asked.length === 0) return;
    const ids = asked.map(({ job }) => job.id);
    const payloads = await store.readPayloads(tx, ids);
    await store.suspendJobs(tx, ids);
    const asking = asked.map(({ job, request }) => ({ job, request, payload: payloads.get(job.id) }));
    await noteAsked(tx, call, this.#options.log, asking);
  }

  async list(call: Call, input: ParsedInput<typeof listApprovals>): Promise<OutputOf<typeof listApprovals>> {
    const { tenants, log } = this.#options;
    const tenantId = input.tenant === undefined ? undefined : await tenants.getId(call, input.tenant);
    const before = input.after === undefined ? undefined : getUuid('apr', input.after, 'after');
    const jobId = input.job === undefined ? undefined : getUuid('job', input.job, 'job');
    const as_of = await log.asOf(call);
    const query = { state: input.state, jobId, tenantId, before, limit: input.limit };
    const rows = await call.read((tx) => store.listApprovals(tx, query));
    const slugs = await tenants.slugs(rows.map((row) => row.tenant_id));
    return {
      items: rows.map((row) => approvalItem(row, slugs)),
      next_cursor: rows.length === input.limit ? wireId('apr', rows.at(-1)!.id) : null,
      as_of,
    };
  }

  /** Throws `work.approval_not_found`. */
  async show(call: Call, approval: string): Promise<FullApproval> {
    const found = await call.read(async (tx) => {
      const row = await find(tx, approval);
      return { row, payload: (await store.readPayloads(tx, [row.job_id])).get(row.job_id) };
    });
    const { row, payload } = found;
    const slugs = await this.#options.tenants.slugs([row.tenant_id]);
    return { ...approvalItem(row, slugs), details: row.details, payload: payload ?? null };
  }

  /**
   * Throws `work.operators_only`, `work.approval_not_found`, `work.not_a_decider`, `work.approval_decided`,
   * `work.approval_withdrawn`, `work.approval_expired`, `work.digest_mismatch`.
   */
  async decide(call: Call, input: ParsedInput<typeof decideApproval>): Promise<ApprovalItem> {
    const { caller } = call;
    if (caller.kind !== 'operator') throw workErrors.operators_only();
    const row = await call.write(async (tx) => {
      const { id, job_id } = await find(tx, input.approval);
      const [job] = await lockHot(tx, [job_id]);
      const asked = await store.lockApproval(tx, id);
      refuse(asked, job?.state, caller.name, input);
      const state = input.decision === 'approve' ? 'approved' : 'rejected';
      const decided = await store.decide(tx, id, { state, by: caller.name, note: input.note });
      if (state === 'approved') await this.#resume(tx, call, decided);
      else await this.#end(tx, call, [job!], [decided], input.note ?? `rejected by ${caller.name}`);
      return decided;
    });
    return approvalItem(row, await this.#options.tenants.slugs([row.tenant_id]));
  }

  /** Ends jobs whose approval nobody gave in time; true when there may be more. */
  async expire(call: Call): Promise<boolean> {
    return call.write(async (tx) => {
      const overdue = await store.findOverdue(tx, EXPIRED_AT_ONCE);
      if (overdue.length === 0) return false;
      const locked = await store.lockAwaiting(tx, overdue);
      const expired = await store.expireApprovals(
        tx,
        locked.map(({ id }) => id),
        call.caller.name,
      );
      await this.#end(tx, call, locked, expired, 'expired: nobody decided in time');
      return expired.length === EXPIRED_AT_ONCE;
    });
  }

  async #resume(tx: Tx, call: Call, decided: store.ApprovalRow): Promise<void> {
    const { state, run_at } = await store.resumeJob(tx, decided.job_id);
    await this.#tell(tx, call, [decided], { state, run_at: run_at.toISOString() });
    tx.afterCommit(() => this.#options.wakeups.notify('work'));
  }

  async #end(
    tx: Tx,
    call: Call,
    locked: readonly HotRow[],
    decided: readonly store.ApprovalRow[],
    error: string,
  ): Promise<void> {
    if (decided.length === 0) return;
    const jobs = new Map(locked.map((job) => [job.id, job]));
    await endJobs(
      tx,
      decided.map(({ job_id: id }) => ({ id, state: 'dead', reason: 'rejected', error })),
    );
    const sums = new CountSums();
    for (const row of decided) {
      sums.add(row, 'dead');
      this.#options.batches.count(tx, call, jobs.get(row.job_id)!.batch_id, { dead: 1 });
    }
    await insertCountChanges(tx, sums.changes());
    await this.#tell(tx, call, decided, { state: 'dead', reason: 'rejected' });
  }

  async #tell(
    tx: Tx,
    call: Call,
    decided: readonly store.ApprovalRow[],
    became: { readonly state: 'queued' | 'scheduled' | 'dead'; readonly run_at?: string; readonly reason?: string },
  ): Promise<void> {
    const events = byTenant(decided).map(([tenantId, ofTenant]) => {
      const jobs = ofTenant.map((row) => ({
        ...nameJob({ ...row, id: row.job_id }),
        ...became,
        approval: wireId('apr', row.id),
        decision: row.state,
        digest: row.digest,
      }));
      const payload = { by: call.caller.name, note: ofTenant[0]!.note ?? undefined, jobs };
      return workEvents.make('job.decided', payload, { subject: subjectOf(jobs), tenantId });
    });
    await this.#options.log.append(tx, call, events);
  }
}

/** Notes what is asked of operators for jobs that wait already, and tells of it. */
export async function noteAsked(tx: Tx, call: Call, log: Log, asked: readonly Asking[]): Promise<void> {
  if (asked.length === 0) return;
  const rows = asked.map(({ job, payload, request }) => ({
    ...request,
    id: newUuid(),
    tenant_id: job.tenant_id,
    job_id: job.id,
    queue: job.queue,
    kind: job.kind,
    attempt: job.attempt,
    digest: approvalDigest({ kind: job.kind, payload, summary: request.summary, details: request.details }),
  }));
  const expires = await store.insertApprovals(tx, call.caller.name, rows);
  const events = byTenant(rows).map(([tenantId, ofTenant]) => {
    const jobs = ofTenant.map((row) => ({
      ...nameJob({ ...row, id: row.job_id }),
      attempt: row.attempt,
      state: 'awaiting_approval' as const,
      approval: wireId('apr', row.id),
      summary: row.summary,
      digest: row.digest,
      expires_at: expires.get(row.id)!.toISOString(),
    }));
    return workEvents.make('job.asked', { jobs }, { subject: subjectOf(jobs), tenantId });
  });
  await log.append(tx, call, events);
}

// Throws `work.approval_not_found`.
async function find(tx: Tx, approval: string) {
  const id = findUuid('apr', approval);
  const row = id === undefined ? undefined : await store.findApproval(tx, id);
  if (row === undefined) throw workErrors.approval_not_found({ approval });
  return row;
}

// Throws what keeps this operator from deciding this.
function refuse(
  row: store.ApprovalRow,
  jobState: string | undefined,
  by: string,
  { approval, digest }: ParsedInput<typeof decideApproval>,
): void {
  const { deciders } = row;
  if (deciders !== null && !deciders.includes(by.replace(/^operator:/, ''))) {
    throw workErrors.not_a_decider({ approval, deciders: deciders.join(', ') });
  }
  if (row.state === 'approved' || row.state === 'rejected') {
    const at = row.decided_at!.toISOString();
    throw workErrors.approval_decided({ approval, state: row.state, by: row.decided_by, at });
  }
  if (row.state === 'withdrawn' || (row.state === 'pending' && jobState !== 'awaiting_approval')) {
    throw workErrors.approval_withdrawn({ approval });
  }
  if (row.state === 'expired' || row.expired) {
    throw workErrors.approval_expired({ approval, at: row.expires_at.toISOString() });
  }
  if (digest !== undefined && digest !== row.digest) throw workErrors.digest_mismatch({ approval });
}

function approvalItem(row: store.ApprovalRow, slugs: ReadonlyMap<string, string>): ApprovalItem {
  const { tenant_id, job_id, ...rest } = row;
  return {
    id: wireId('apr', row.id),
    state: rest.state,
    job: wireId('job', job_id),
    kind: rest.kind,
    queue: rest.queue,
    tenant: tenant_id === FLEET_TENANT ? FLEET_SLUG : (slugs.get(tenant_id) ?? tenant_id),
    attempt: rest.attempt,
    summary: rest.summary,
    digest: rest.digest,
    deciders: rest.deciders,
    asked_by: rest.asked_by,
    asked_at: rest.asked_at.toISOString(),
    expires_at: rest.expires_at.toISOString(),
    decided_at: rest.decided_at?.toISOString() ?? null,
    decided_by: rest.decided_by,
    note: rest.note,
    used_at: rest.used_at?.toISOString() ?? null,
  };
}
