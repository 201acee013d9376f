// Hearing how jobs ended, from those who hold them; everybody else is refused and changes nothing.
import type { Call } from '../../platform/call.ts';
import type { Tx } from '../../platform/db/database.ts';
import { findUuid } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import type { Log } from '../log/index.ts';
import { subjectOf } from './batch.ts';
import { workEvents } from './events.ts';
import type { LeaseGrace } from './grace.ts';
import { jsonBytes, PAYLOAD_LIMIT } from './jobs.ts';
import type { completeJobs } from './operations.ts';
import { findExisting } from './read-store.ts';
import { settle } from './settle.ts';
import { type EndingRow, lockHeld } from './store.ts';

type Report = ParsedInput<typeof completeJobs>['jobs'][number] & { readonly uuid: string | undefined };

interface Refusal {
  readonly id: string;
  readonly code: string;
  /** Undefined when the job is unknown to the caller: then it is told in the caller's own tenant. */
  readonly tenantId: string | undefined;
}

export interface CompletingOptions {
  readonly log: Log;
  readonly grace: () => LeaseGrace;
}

export class Completing {
  readonly #options: CompletingOptions;

  constructor(options: CompletingOptions) {
    this.#options = options;
  }

  /** Each report is judged alone: one that is refused spoils no other. */
  async complete(call: Call, input: ParsedInput<typeof completeJobs>): Promise<OutputOf<typeof completeJobs>> {
    const { log, grace } = this.#options;
    const reports = input.jobs.map((job): Report => ({ ...job, uuid: findUuid('job', job.id) }));
    const agentId = call.caller.kind === 'agent' ? call.caller.id : null;
    const tooLarge = new Set(reports.filter(({ result }) => jsonBytes(result) > PAYLOAD_LIMIT));
    const candidates = firstOfEach(reports.filter((report) => !tooLarge.has(report)));
    return call.write(async (tx) => {
      const locked = await lockHeld(tx, [...candidates.values()].map(holdOf), agentId, grace());
      const held = new Map(locked.map((row) => [row.id, row]));
      const isAccepted = (report: Report) =>
        report.uuid !== undefined && candidates.get(report.uuid) === report && held.has(report.uuid);
      const accepted = reports.filter(isAccepted);
      const refused = await refusals(
        tx,
        reports.filter((report) => !isAccepted(report)),
        tooLarge,
      );
      await settle(
        tx,
        call,
        log,
        accepted.map((report) => attemptOf(report, held.get(report.uuid!)!)),
      );
      await log.append(tx, call, refusedEvents(call.caller.name, refused));
      return {
        accepted: accepted.map((report) => report.id),
        refused: refused.map(({ id, code }) => ({ id, code })),
      };
    });
  }
}

// The same job twice in one request: the first report counts.
function firstOfEach(reports: readonly Report[]): Map<string, Report> {
  const first = new Map<string, Report>();
  for (const report of reports) {
    if (report.uuid !== undefined && !first.has(report.uuid)) first.set(report.uuid, report);
  }
  return first;
}

function holdOf(report: Report) {
  return { id: report.uuid!, lease: report.lease };
}

function attemptOf(report: Report, job: EndingRow) {
  const { outcome, retry, error, result } = report;
  return { job, outcome: outcome === 'done' ? { kind: outcome } : { kind: outcome, retry }, error, result };
}

async function refusals(tx: Tx, reports: readonly Report[], tooLarge: ReadonlySet<Report>): Promise<Refusal[]> {
  const existing = await findExisting(
    tx,
    reports.flatMap(({ uuid }) => uuid ?? []),
  );
  const tenantOf = new Map(existing.map((row) => [row.id, row.tenant_id]));
  return reports.map((report) => {
    const tenantId = report.uuid === undefined ? undefined : tenantOf.get(report.uuid);
    const known = tenantId === undefined ? 'work.job_not_found' : 'work.stale_lease';
    return { id: report.id, code: tooLarge.has(report) ? 'work.result_too_large' : known, tenantId };
  });
}

function refusedEvents(agent: string, refused: readonly Refusal[]) {
  return [...Map.groupBy(refused, ({ tenantId }) => tenantId)].map(([tenantId, ofTenant]) => {
    const jobs = ofTenant.map(({ id, code }) => ({ id, code }));
    return workEvents.make('completion.refused', { agent, jobs }, { subject: subjectOf(jobs), tenantId });
  });
}
