// The verbs of steps. A step is kept only by who holds the job, so that an attempt that is over cannot write into the next.
import type { Call } from '../../../platform/call.ts';
import { findUuid } from '../../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../../platform/operation.ts';
import type { Log } from '../../log/index.ts';
import { nameJob } from '../batch.ts';
import { workErrors } from '../errors.ts';
import { workEvents } from '../events.ts';
import type { LeaseGrace } from '../grace.ts';
import { jsonBytes, PAYLOAD_LIMIT } from '../jobs.ts';
import { findExisting } from '../read-store.ts';
import { lockHeld } from '../store.ts';
import type { listSteps, storeStep } from './step-operations.ts';
import * as store from './step-store.ts';

export interface StepsOptions {
  readonly log: Log;
  readonly grace: () => LeaseGrace;
}

const MOST_STEPS = 1_000;
const MOST_BYTES = 8 * 1024 * 1024;

export class Steps {
  readonly #options: StepsOptions;

  constructor(options: StepsOptions) {
    this.#options = options;
  }

  async store(call: Call, input: ParsedInput<typeof storeStep>): Promise<OutputOf<typeof storeStep>> {
    const { job, step: name, lease, result = null } = input;
    const id = findUuid('job', job);
    if (id === undefined) throw workErrors.job_not_found({ job });
    const bytes = jsonBytes(result);
    if (bytes > PAYLOAD_LIMIT) throw workErrors.step_too_large({ step: name, limit: PAYLOAD_LIMIT });
    const agentId = call.caller.kind === 'agent' ? call.caller.id : null;
    return call.write(async (tx) => {
      const [held] = await lockHeld(tx, [{ id, lease }], agentId, this.#options.grace());
      if (held === undefined) {
        const isKnown = (await findExisting(tx, [id])).length > 0;
        throw isKnown ? workErrors.stale_lease({ job }) : workErrors.job_not_found({ job });
      }
      const kept = await store.findStep(tx, id, name);
      if (kept !== undefined) return { ...stepItem(kept), existing: true };
      const sum = await store.sumSteps(tx, id);
      if (sum.count >= MOST_STEPS) throw workErrors.too_many_steps({ job, limit: MOST_STEPS });
      if (sum.bytes + bytes > MOST_BYTES) throw workErrors.steps_too_large({ job, limit: MOST_BYTES });
      const row = await store.insertStep(tx, held, { name, result: JSON.stringify(result), bytes });
      const stored = { job: nameJob(held), step: name, attempt: held.attempt, bytes };
      const about = { subject: `job:${job}`, tenantId: held.tenant_id };
      await this.#options.log.append(tx, call, [workEvents.make('step.stored', stored, about)]);
      return { ...stepItem(row), existing: false };
    });
  }

  async list(call: Call, input: ParsedInput<typeof listSteps>): Promise<OutputOf<typeof listSteps>> {
    const { job, after, limit } = input;
    const id = findUuid('job', job);
    const as_of = await this.#options.log.asOf(call);
    const rows = await call.read(async (tx) => {
      if (id === undefined || (await findExisting(tx, [id])).length === 0) throw workErrors.job_not_found({ job });
      return store.listSteps(tx, id, after, limit);
    });
    return {
      items: rows.map(stepItem),
      next_cursor: rows.length === limit ? rows.at(-1)!.step : null,
      as_of,
    };
  }
}

function stepItem(row: store.StepRow) {
  return { ...row, at: row.at.toISOString() };
}
