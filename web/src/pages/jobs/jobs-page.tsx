// All jobs in one list: states, filter, rows that change by themselves, and a drawer for the one that is looked at.
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { workOfQuery } from '../../api/queries.ts';
import { useTitle } from '../../app/title.ts';
import { Button, buttonClasses } from '../../ui/button.tsx';
import { Command, CopyButton } from '../../ui/copy.tsx';
import { Empty } from '../../ui/empty.tsx';
import { FilterBar } from '../../ui/filter-bar.tsx';
import { NotRenewed } from '../../ui/not-renewed.tsx';
import { Peek } from '../../ui/peek.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { qualifierChips } from '../../ui/qualifiers.ts';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { BulkButtons } from './bulk-dialog.tsx';
import { JobFacts } from './job-facts.tsx';
import { commandOf, filterNames, type JobFilter, rules } from './job-filter.ts';
import { JobList } from './job-list.tsx';
import { shortId } from './job-row.tsx';
import { sampleCommands } from './samples.ts';
import { StateTabs } from './state-tabs.tsx';
import { useJobs } from './use-jobs.ts';
import { words } from './words.ts';

const route = getRouteApi('/jobs');

export function JobsPage() {
  useTitle(words.title);
  const { peek, ...given } = route.useSearch();
  const navigate = route.useNavigate();
  const key = JSON.stringify(given);
  const filter = useMemo(() => JSON.parse(key) as JobFilter, [key]);
  const view = useJobs(filter);
  const work = useQuery(workOfQuery(filter.tenant)).data;
  const change = useCallback((next: JobFilter) => void navigate({ search: next, replace: true }), [navigate]);
  const setPeek = useCallback(
    (job: string | undefined) => void navigate({ search: { ...filter, peek: job }, replace: true }),
    [navigate, filter],
  );
  const peeked = view.jobs.find((job) => job.id === peek);
  const chips = qualifierChips(filter, filterNames);
  const isEmpty = !view.isPending && view.jobs.length === 0 && view.held === 0;

  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line px-4 py-2 phone:px-3">
          <h1 className="text-title font-semibold phone:-order-2">{words.title}</h1>
          <FilterBar
            filter={filter}
            rules={rules}
            meanings={words.qualifiers}
            label={words.filter}
            placeholder={words.placeholder}
            onChange={change}
          />
          <div className="phone:-order-1 phone:ml-auto">
            <CopyButton label={words.copyCommand} text={commandOf(filter)} />
          </div>
          <div className="order-3 flex w-full min-w-0 items-center gap-3 phone:flex-col phone:items-start phone:gap-1.5">
            <div className="min-w-0 flex-1 phone:w-full">
              <StateTabs filter={filter} work={work} onChoose={(state) => change({ ...filter, state })} />
            </div>
            <BulkButtons filter={filter} isEmpty={isEmpty} />
          </div>
        </div>
        {view.jobs.length > 0 && <NotRenewed error={view.error} />}
        {view.error !== null && isEmpty && <ProblemView error={view.error} onRetry={view.retry} />}
        {view.isPending && <RowSkeletons rows={12} />}
        {view.error === null && isEmpty && <NoJobs chips={chips.map((chip) => chip.text)} onClear={() => change({})} />}
        {!isEmpty && !view.isPending && (
          <JobList
            key={key}
            view={view}
            peek={peek}
            onPeek={setPeek}
            onOpen={(job) => void navigate({ to: '/jobs/$job', params: { job } })}
          />
        )}
      </div>
      {peeked !== undefined && (
        <Peek
          title={`${peeked.kind} ${shortId(peeked.id)}`}
          onClose={() => setPeek(undefined)}
          actions={
            <Link to="/jobs/$job" params={{ job: peeked.id }} className={buttonClasses()}>
              {words.open}
            </Link>
          }
        >
          <JobFacts job={peeked} />
        </Peek>
      )}
    </div>
  );
}

function NoJobs({ chips, onClear }: { chips: readonly string[]; onClear: () => void }) {
  if (chips.length === 0) {
    return (
      <Empty kind="nothing-yet" title={words.none.title} text={words.none.text}>
        {sampleCommands.map((command) => (
          <Command key={command} text={command} />
        ))}
      </Empty>
    );
  }
  return (
    <Empty kind="no-match" title={words.noMatch.title} text={words.noMatch.text}>
      <code className="font-mono text-[12px]">{chips.join('  ')}</code>
      <Button onClick={onClear}>{words.clear}</Button>
    </Empty>
  );
}
