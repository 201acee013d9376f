// The verbs of batches. What their children do to them is batch-counter.ts's.
import type { Wakeups } from '../../../platform/bus/wakeups.ts';
import type { Call } from '../../../platform/call.ts';
import type { Tx } from '../../../platform/db/database.ts';
import { findUuid, getUuid, newUuid, wireId } from '../../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../../platform/operation.ts';
import { FLEET_SLUG, type TenantDirectory } from '../../../platform/tenants.ts';
import type { Access } from '../../access/index.ts';
import type { Log } from '../../log/index.ts';
import type { Adding } from '../adding.ts';
import { cancelLocked } from '../cancelling.ts';
import { workErrors } from '../errors.ts';
import { workEvents } from '../events.ts';
import type { BatchCounter } from './batch-counter.ts';
import type {
  addToBatch,
  BatchItem,
  cancelBatch,
  closeBatch,
  createBatch,
  listBatches,
  showBatch,
} from './batch-operations.ts';
import * as store from './batch-store.ts';

export interface BatchesOptions {
  readonly wakeups: Wakeups;
  readonly log: Log;
  readonly access: Access;
  readonly tenants: TenantDirectory;
  readonly adding: Adding;
  readonly batches: BatchCounter;
}

const STOPPED_AT_ONCE = 500;

export class Batches {
  readonly #options: BatchesOptions;

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  async create(call: Call, input: ParsedInput<typeof createBatch>): Promise<OutputOf<typeof createBatch>> {
    const { adding, batches, log, access } = this.#options;
    const { name, jobs: wanted, on_done, on_failure, open, parent } = input;
    const home =
      parent !== undefined && input.tenant === undefined
        ? undefined
        : await access.tenants.home(call, input.tenant, 'default');
    return call.write(async (tx) => {
      const above = parent === undefined ? undefined : await findParent(tx, parent, home);
      const tenant_id = above?.tenant_id ?? home!;
      if (on_done !== undefined) await adding.prepare(tx, call, tenant_id, on_done);
      const id = newUuid();
      const parent_id = above?.id ?? null;
      const created_by = call.caller.name;
      await store.insertBatch(tx, {
        id,
        tenant_id,
        name: name ?? null,
        parent_id,
        on_failure,
        on_done: on_done ?? null,
        created_by,
      });
      const batch = wireId('bat', id);
      const event = { batch, name, on_failure, open, ...(parent === undefined ? {} : { parent }) };
      const about = { subject: `batch:${batch}`, tenantId: tenant_id };
      await log.append(tx, call, [workEvents.make('batch.created', event, about)]);
      const jobs = await adding.addAll(tx, call, tenant_id, wanted, { batch_id: id });
      batches.count(tx, call, id, { close: !open });
      batches.count(tx, call, parent_id, { total: 1 });
      const rows = await batches.flush(tx, call);
      return { ...(await this.#item(rows.get(id)!)), jobs };
    });
  }

  async add(call: Call, input: ParsedInput<typeof addToBatch>): Promise<OutputOf<typeof addToBatch>> {
    const { adding, batches } = this.#options;
    return call.write(async (tx) => {
      const batch = await getBatch(tx, input.batch);
      if (batch.state !== 'open') throw workErrors.batch_closed({ batch: input.batch });
      const jobs = await adding.addAll(tx, call, batch.tenant_id, input.jobs, { batch_id: batch.id });
      const rows = await batches.flush(tx, call);
      return { ...(await this.#item(rows.get(batch.id) ?? batch)), jobs };
    });
  }

  /** One that takes no more children already is answered as it is. */
  async close(call: Call, { batch }: ParsedInput<typeof closeBatch>): Promise<OutputOf<typeof closeBatch>> {
    return this.#change(call, batch, { close: true });
  }

  /**
   * What waits or runs is cancelled in pieces, by this call and then by the engines, so that no number of jobs is too many:
   * the answer may still say `stopping`. Throws `work.batch_ended`.
   */
  async cancel(call: Call, input: ParsedInput<typeof cancelBatch>): Promise<OutputOf<typeof cancelBatch>> {
    const { batch, reason } = input;
    const row = await this.#change(call, batch, { cancel: { by: call.caller.name, reason } });
    if (row.state === 'done' || row.state === 'failed') throw workErrors.batch_ended({ batch });
    if (row.state === 'cancelled') return row;
    await this.stop(call, getUuid('bat', batch, 'batch'));
    return this.show(call, { batch });
  }

  async show(call: Call, { batch }: ParsedInput<typeof showBatch>): Promise<OutputOf<typeof showBatch>> {
    return this.#item(await call.read((tx) => getBatch(tx, batch)));
  }

  async list(call: Call, input: ParsedInput<typeof listBatches>): Promise<OutputOf<typeof listBatches>> {
    const { tenants, log } = this.#options;
    const tenantId = input.tenant === undefined ? undefined : await tenants.getId(call, input.tenant);
    const before = input.after === undefined ? undefined : getUuid('bat', input.after, 'after');
    const parent = input.parent === undefined ? undefined : getUuid('bat', input.parent, 'parent');
    const as_of = await log.asOf(call);
    const { state, limit } = input;
    const rows = await call.read((tx) => store.listBatches(tx, { state, limit, tenantId, before, parent }));
    return {
      items: await Promise.all(rows.map((row) => this.#item(row))),
      next_cursor: rows.length === limit ? wireId('bat', rows.at(-1)!.id) : null,
      as_of,
    };
  }

  /** Cancels what is left of batches that are being stopped, or of this one; true when there may be more. */
  async stop(call: Call, only?: string): Promise<boolean> {
    const { batches, wakeups } = this.#options;
    return call.write(async (tx) => {
      const jobs = await store.lockToStop(tx, STOPPED_AT_ONCE, only);
      for (const [why, ofReason] of Map.groupBy(jobs, (job) => job.why)) {
        await cancelLocked(tx, call, this.#options, ofReason, 'cancelled', why ?? 'its batch is stopped');
      }
      const within = await store.findWithinStopping(tx, STOPPED_AT_ONCE, only);
      for (const { id, parent_id, why } of within) {
        const cancel = { by: `batch:${wireId('bat', parent_id)}`, reason: why ?? undefined };
        batches.count(tx, call, id, { cancel });
      }
      if (jobs.some((job) => job.channel_id !== null)) tx.afterCommit(() => wakeups.notify('work'));
      return jobs.length === STOPPED_AT_ONCE || within.length > 0;
    });
  }

  async #change(call: Call, batch: string, change: Parameters<BatchCounter['count']>[3]): Promise<BatchItem> {
    const { batches } = this.#options;
    const id = findUuid('bat', batch);
    if (id === undefined) throw workErrors.batch_not_found({ batch });
    const row = await call.write(async (tx) => {
      batches.count(tx, call, id, change);
      return (await batches.flush(tx, call)).get(id)!;
    });
    return this.#item(row);
  }

  async #item(row: store.BatchRow): Promise<BatchItem> {
    const slugs = await this.#options.tenants.slugs([row.tenant_id]);
    const { name, state, on_failure, total, done, dead, cancelled, on_done, created_by, cancelled_by, version } = row;
    return {
      batch: wireId('bat', row.id),
      name,
      tenant: slugs.get(row.tenant_id) ?? FLEET_SLUG,
      parent: row.parent_id === null ? null : wireId('bat', row.parent_id),
      state,
      on_failure,
      total,
      done,
      dead,
      cancelled,
      on_done,
      on_done_job: row.on_done_job === null ? null : wireId('job', row.on_done_job),
      created_at: row.created_at.toISOString(),
      created_by,
      cancelled_by,
      reason: row.cancelled_reason,
      ended_at: row.ended_at?.toISOString() ?? null,
      version,
    };
  }
}

// Throws `work.batch_not_found`.
async function getBatch(tx: Tx, batch: string): Promise<store.BatchRow> {
  const id = findUuid('bat', batch);
  const row = id === undefined ? undefined : await store.findBatch(tx, id);
  if (row === undefined) throw workErrors.batch_not_found({ batch });
  return row;
}

// Throws `work.batch_not_found`, `work.batch_too_deep`, `work.batch_closed`.
async function findParent(tx: Tx, parent: string, tenantId: string | undefined): Promise<store.BatchRow> {
  const row = await getBatch(tx, parent);
  if (tenantId !== undefined && row.tenant_id !== tenantId) throw workErrors.batch_not_found({ batch: parent });
  if (row.parent_id !== null) throw workErrors.batch_too_deep({ batch: parent });
  if (row.state !== 'open') throw workErrors.batch_closed({ batch: parent });
  return row;
}
