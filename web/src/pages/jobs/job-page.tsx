// One job: its state, what happened to it, what it was given and what came of it.
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import { Problem } from '../../api/problem.ts';
import { jobQuery } from '../../api/queries.ts';
import type { JobDetail } from '../../api/routes.ts';
import { useKeys } from '../../app/keyboard.ts';
import { useTitle } from '../../app/title.ts';
import { words as shellWords } from '../../app/words.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { Flash } from '../../ui/flash.tsx';
import { Json } from '../../ui/json.tsx';
import { NotRenewed } from '../../ui/not-renewed.tsx';
import { Panel } from '../../ui/panel.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { JobButtons } from './job-buttons.tsx';
import { JobFacts } from './job-facts.tsx';
import { JobBadge } from './job-state.tsx';
import { JobTimeline } from './job-timeline.tsx';
import { useJobActions } from './use-job-actions.ts';
import { words } from './words.ts';

const route = getRouteApi('/jobs/$job');

export function JobPage() {
  const { job: id } = route.useParams();
  const navigate = route.useNavigate();
  const query = useQuery(jobQuery(id));
  useTitle(query.data === undefined ? words.title : `${query.data.kind} · ${words.title}`);
  useKeys([{ keys: 'Esc', words: shellWords.keys.back, run: () => void navigate({ to: '/jobs' }) }]);
  const job = query.data;
  if (job === undefined) {
    if (query.error === null) return <RowSkeletons rows={6} />;
    const isRetryable = query.error instanceof Problem && query.error.retryable;
    return (
      <div>
        <ProblemView error={query.error} {...(isRetryable ? { onRetry: () => void query.refetch() } : {})} />
        <Link to="/jobs" className="ml-4 text-accent hover:underline">
          {words.toAll}
        </Link>
      </div>
    );
  }
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <JobHead job={job} />
      <NotRenewed error={query.error} />
      <ScrollRegion label={job.kind} className="@container border-t border-line">
        <div className="grid grid-cols-[minmax(0,1fr)_340px] items-start gap-3 p-4 @max-3xl:grid-cols-[minmax(0,1fr)] phone:gap-2 phone:p-2">
          <div className="flex min-w-0 flex-col gap-3 @max-3xl:order-2 phone:gap-2">
            <JobTimeline job={job} />
            <Value title={words.payload} value={job.payload} none={words.noPayload} />
            <Value
              title={words.result}
              value={job.result ?? {}}
              none={job.ended_at === null ? words.noResult.open : words.noResult.ended}
            />
            {job.artifacts.length > 0 && <Value title={words.artifacts} value={job.artifacts} none="" />}
          </div>
          <section aria-label={words.facts.state} className="rounded-panel border border-line bg-panel">
            <JobFacts job={job} />
          </section>
        </div>
      </ScrollRegion>
    </div>
  );
}

function JobHead({ job }: { job: JobDetail }) {
  const actions = useJobActions(job);
  useKeys([
    ...(actions.replay === undefined ? [] : [{ keys: 'r', words: words.actions.keyReplay, run: actions.replay }]),
    ...(actions.toggleUrgent === undefined
      ? []
      : [{ keys: 'u', words: words.actions.keyUrgent, run: actions.toggleUrgent }]),
    ...(actions.cancel === undefined ? [] : [{ keys: 'x', words: words.actions.keyCancel, run: actions.cancel }]),
  ]);
  return (
    <header className="flex shrink-0 flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5" data-state={job.state}>
      <Link
        to="/jobs"
        aria-label={words.toAll}
        className="-ml-2 flex size-7 items-center justify-center rounded-control text-muted hover:bg-raised phone:size-11"
      >
        <ChevronLeft size={18} aria-hidden="true" />
      </Link>
      <h1 className="-ml-3 min-w-0 truncate text-title font-semibold">{job.kind}</h1>
      <Flash value={job.state} className="rounded px-1">
        <JobBadge state={job.state} />
      </Flash>
      <span className="flex min-w-0 items-center gap-1 text-muted phone:w-full">
        <code className="min-w-0 truncate font-mono text-[12px]">{job.id}</code>
        <CopyButton label={words.copyId} text={job.id} />
      </span>
      <JobButtons job={job} actions={actions} />
    </header>
  );
}

function Value({ title, value, none }: { title: string; value: unknown; none: string }) {
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return (
    <Panel
      title={title}
      aside={!isEmpty && <CopyButton label={words.copyJson(title)} text={JSON.stringify(value, null, 2)} />}
    >
      {isEmpty ? <p className="px-3 py-3 text-muted">{none}</p> : <Json value={value} className="max-h-[60vh]" />}
    </Panel>
  );
}
