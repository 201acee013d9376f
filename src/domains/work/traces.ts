// A job carries the trace of the request that added it: who claims it is told, and each attempt becomes a span, from its claim
// to its outcome. Made only where traces are recorded; around the verbs of work, which know nothing of it.
import { createHash } from 'node:crypto';
import type { Call } from '../../platform/call.ts';
import { type Database, fleetScope, type Tx } from '../../platform/db/database.ts';
import { findUuid, wireId } from '../../platform/ids.ts';
import { Loop } from '../../platform/loop.ts';
import type { Handlers, OutputOf, ParsedInput } from '../../platform/operation.ts';
import { formatTraceparent, parseTraceparent } from '../../platform/trace/trace-context.ts';
import type { Tracer } from '../../platform/trace/tracer.ts';
import type { addJobs, claimJobs, completeJobs, operations } from './operations.ts';

export interface JobTracesOptions {
  readonly db: Database;
  readonly tracer: Tracer;
  /** What a trace costs when it fails is the trace, never the answer: it is told and that is all. */
  readonly failed: (name: string, error: unknown, failures: number) => void;
}

type Claimed = OutputOf<typeof claimJobs>['jobs'][number];
type Outcome = ParsedInput<typeof completeJobs>['jobs'][number];

const SWEEP_MS = 600_000;
const SWEPT_AT_ONCE = 10_000;

export class JobTraces {
  readonly #options: JobTracesOptions;

  constructor(options: JobTracesOptions) {
    this.#options = options;
  }

  /** The same handlers, with the trace noted, handed on and ended. */
  around(handlers: Handlers<typeof operations>): Handlers<typeof operations> {
    return {
      ...handlers,
      addJobs: (call, input) => handlers.addJobs(remembering(call), input),
      createBatch: (call, input) => handlers.createBatch(remembering(call), input),
      addToBatch: (call, input) => handlers.addToBatch(remembering(call), input),
      claimJobs: async (call, input) => {
        const answer = await handlers.claimJobs(call, input);
        return { ...answer, jobs: await this.#handOn(call, answer.jobs) };
      },
      completeJobs: async (call, input) => {
        const answer = await handlers.completeJobs(call, input);
        const accepted = new Set(answer.accepted);
        const ended = input.jobs.filter(({ id }) => accepted.has(id));
        // The worker waits for its answer, not for the trace.
        void this.#end(call, ended, Date.now()).catch(this.#failed);
        return answer;
      },
    };
  }

  /** For the engine: forgets the traces of jobs that have ended. */
  loop(): Loop {
    const { db, failed } = this.#options;
    const turn = async () => (await db.write(fleetScope, sweep)) === SWEPT_AT_ONCE;
    return new Loop({ name: 'work.traces', everyMs: SWEEP_MS, failed, turn });
  }

  async #handOn(call: Call, jobs: readonly Claimed[]): Promise<Claimed[]> {
    if (jobs.length === 0) return [];
    const rows = await this.#options.db
      .write(call.scope, (tx) => noteClaims(tx, uuids(jobs)))
      .catch((error: unknown): TraceRow[] => {
        this.#failed(error);
        return [];
      });
    const traces = new Map(rows.map((row) => [wireId('job', row.job_id), row.traceparent]));
    return jobs.map((job) => {
      const context = parseTraceparent(traces.get(job.id));
      if (context === undefined) return job;
      return { ...job, traceparent: formatTraceparent({ ...context, spanId: spanOfAttempt(job) }) };
    });
  }

  async #end(call: Call, outcomes: readonly Outcome[], endedAt: number): Promise<void> {
    const rows = await this.#options.db.read(call.scope, (tx) => findTraces(tx, uuids(outcomes)));
    const ended = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
    for (const { job_id, kind, traceparent, claimed_at } of rows) {
      const job = wireId('job', job_id);
      const context = parseTraceparent(traceparent);
      if (context === undefined || claimed_at === null) continue;
      const { lease, outcome } = ended.get(job)!;
      this.#options.tracer.record({
        name: `job ${kind}`,
        kind: 'consumer',
        traceId: context.traceId,
        spanId: spanOfAttempt({ id: job, lease }),
        parentSpanId: context.spanId,
        startedAt: claimed_at.getTime(),
        endedAt,
        attributes: {
          'quarterdeck.job': job,
          'quarterdeck.job_outcome': outcome,
          'quarterdeck.caller_kind': call.caller.kind,
        },
        // What went wrong may hold a tenant's data; the job itself tells it.
        error: outcome === 'failed' ? 'failed' : undefined,
      });
    }
  }

  readonly #failed = (error: unknown) => this.#options.failed('work.job_traces', error, 2);
}

// The span's id follows from the attempt, so that it is known at the claim, long before the span itself is recorded.
function spanOfAttempt({ id, lease }: { readonly id: string; readonly lease: string }): string {
  return createHash('sha256').update(`${id} ${lease}`).digest('hex').slice(0, 16);
}

function uuids(jobs: readonly { readonly id: string }[]): string[] {
  return jobs.flatMap(({ id }) => findUuid('job', id) ?? []);
}

// In the transaction that adds the jobs: whoever claims one at once finds its trace.
function remembering(call: Call): Call {
  const { traceparent } = call;
  if (traceparent === undefined || parseTraceparent(traceparent)?.isSampled !== true) return call;
  return {
    ...call,
    write: (work) =>
      call.write(async (tx) => {
        const answer = await work(tx);
        // The one write of these answers what the operation answers.
        const { jobs } = answer as OutputOf<typeof addJobs>;
        const added = jobs.filter(({ existing }) => !existing);
        if (added.length > 0) await insertTraces(tx, uuids(added), traceparent);
        return answer;
      }),
  };
}

interface TraceRow {
  readonly job_id: string;
  readonly kind: string;
  readonly traceparent: string;
  readonly claimed_at: Date | null;
}

async function insertTraces(tx: Tx, jobs: readonly string[], traceparent: string): Promise<void> {
  await tx.query(
    `INSERT INTO work.job_traces (job_id, tenant_id, kind, traceparent)
     SELECT id, tenant_id, kind, $2 FROM work.jobs WHERE id = ANY ($1::uuid[]) ON CONFLICT DO NOTHING`,
    [jobs, traceparent],
  );
}

async function noteClaims(tx: Tx, jobs: readonly string[]): Promise<TraceRow[]> {
  return tx.query<TraceRow>(
    `UPDATE work.job_traces SET claimed_at = clock_timestamp() WHERE job_id = ANY ($1::uuid[])
     RETURNING job_id, kind, traceparent, claimed_at`,
    [jobs],
  );
}

async function findTraces(tx: Tx, jobs: readonly string[]): Promise<TraceRow[]> {
  return tx.query<TraceRow>(
    'SELECT job_id, kind, traceparent, claimed_at FROM work.job_traces WHERE job_id = ANY ($1::uuid[])',
    [jobs],
  );
}

// Not at once: the outcome of a job that has just ended may still be on its way to become a span.
async function sweep(tx: Tx): Promise<number> {
  const rows = await tx.query(
    `DELETE FROM work.job_traces WHERE job_id IN (
       SELECT t.job_id FROM work.job_traces t
       WHERE t.added_at < clock_timestamp() - interval '10 minutes'
         AND NOT EXISTS (SELECT FROM work.jobs j WHERE j.id = t.job_id) LIMIT $1)
     RETURNING job_id`,
    [SWEPT_AT_ONCE],
  );
  return rows.length;
}
