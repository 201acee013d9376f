// The states above the list; one at a time. A count stands only where it is known and true under the rest of the filter.
import type { WorkSummary } from '../../api/routes.ts';
import { StateIcon } from '../../ui/state.tsx';
import { type JobFilter, stateNames } from './job-filter.ts';
import { jobLooks } from './job-state.tsx';
import { words } from './words.ts';

interface StateTabsProps {
  readonly filter: JobFilter;
  readonly work: WorkSummary | undefined;
  readonly onChoose: (state: string | undefined) => void;
}

const chip =
  'inline-flex h-7 items-center gap-1.5 rounded-full border border-line px-2.5 whitespace-nowrap hover:bg-raised phone:h-11 phone:px-3.5 aria-pressed:border-accent aria-pressed:bg-raised';

export function StateTabs({ filter, work, onChoose }: StateTabsProps) {
  const counts = countsOf(filter, work);
  // Approvals are rare: their tab is there when one is looked for.
  const shown = stateNames.filter((state) => state !== 'awaiting_approval' || filter.state === state);
  return (
    <fieldset className="-mx-1 flex min-w-0 gap-1.5 overflow-x-auto p-1">
      <legend className="sr-only">{words.state}</legend>
      <button
        type="button"
        aria-pressed={filter.state === undefined}
        className={chip}
        onClick={() => onChoose(undefined)}
      >
        {words.states.all}
      </button>
      {shown.map((state) => (
        <button
          key={state}
          type="button"
          aria-pressed={filter.state === state}
          className={chip}
          onClick={() => onChoose(filter.state === state ? undefined : state)}
        >
          <StateIcon look={jobLooks[state]} size={13} />
          {jobLooks[state].word}
          {counts[state] !== undefined && (
            <span className="figures text-muted" data-count={state}>
              {counts[state].toLocaleString()}
            </span>
          )}
        </button>
      ))}
    </fieldset>
  );
}

/** What is over is never counted by the server, and the summary knows nothing of kinds, agents, channels and schedules. */
function countsOf(filter: JobFilter, work: WorkSummary | undefined): Partial<Record<string, number>> {
  if (
    work === undefined ||
    filter.kind !== undefined ||
    filter.agent !== undefined ||
    filter.channel !== undefined ||
    filter.schedule !== undefined
  ) {
    return {};
  }
  if (filter.queue === undefined) return { queued: work.queued, scheduled: work.scheduled, running: work.running };
  const queue = work.queues.find((one) => one.queue === filter.queue);
  return { queued: queue?.queued ?? 0, running: queue?.running ?? 0 };
}
