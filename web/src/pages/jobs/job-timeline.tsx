// What happened to a job, oldest first: the events about it alone, and among those of its lifetime the batches that name it.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Dot } from 'lucide-react';
import { call } from '../../api/client.ts';
import { type EventItem, type Job, routes } from '../../api/routes.ts';
import { Panel } from '../../ui/panel.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { revealedText } from '../../ui/reveal.ts';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { StateIcon } from '../../ui/state.tsx';
import { TimeOfDay } from '../../ui/time.tsx';
import { lookOfJob } from './job-state.tsx';
import { type Step, stepsOf } from './timeline.ts';
import { words } from './words.ts';

const PAGE = 500;
const MOST_PAGES = 3;
/** Events and rows are stamped by the same clock, but not in the same instant. */
const SLACK_MS = 2000;

export function JobTimeline({ job }: { job: Job }) {
  // Each change of the row has written an event: the version tells when to look again.
  const query = useQuery({
    queryKey: ['events', 'of job', job.id, job.version],
    queryFn: ({ signal }) => readSteps(job, signal),
    placeholderData: (old) => old,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const t = words.timeline;
  return (
    <Panel
      title={t.title}
      aside={
        <Link to="/events" search={{ subject: `job:${job.id}` }} className="text-accent hover:underline">
          {t.all}
        </Link>
      }
    >
      {query.isPending && <RowSkeletons rows={3} />}
      {query.data === undefined && query.error !== null && (
        <ProblemView error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data?.steps.length === 0 && <p className="px-3 py-3 text-muted">{t.none}</p>}
      {query.data !== undefined && query.data.steps.length > 0 && (
        <ol className="py-1" data-timeline>
          {query.data.steps.map((step) => (
            <TimelineStep key={step.cursor} step={step} />
          ))}
        </ol>
      )}
      {query.data?.isCut === true && <p className="px-3 pb-3 text-warn">{t.cut}</p>}
    </Panel>
  );
}

function TimelineStep({ step }: { step: Step }) {
  return (
    <li
      data-step={step.type}
      className="grid grid-cols-[16px_1fr_auto] items-start gap-x-2.5 px-3 py-1.5 not-last:border-b not-last:border-line"
    >
      <span className="flex h-5 items-center">
        {step.state === undefined ? (
          <Dot aria-hidden="true" size={16} className="text-muted" />
        ) : (
          <StateIcon look={lookOfJob(step.state)} size={15} />
        )}
      </span>
      <span className="min-w-0 [overflow-wrap:anywhere]">
        {step.text}
        {step.others > 0 && <span className="text-muted"> {words.timeline.inBatch(step.others)}</span>}
        {step.error !== undefined && (
          <span className="block font-mono text-[12px] text-err">{revealedText(step.error)}</span>
        )}
      </span>
      <Link
        to="/events"
        search={{ type: step.type, peek: step.cursor }}
        className="font-mono text-[12px] leading-5 text-muted hover:underline"
      >
        <TimeOfDay at={step.at} />
      </Link>
    </li>
  );
}

async function readSteps(job: Job, signal: AbortSignal): Promise<{ steps: Step[]; isCut: boolean }> {
  const about = await call(routes.listEvents, { subject: `job:${job.id}`, limit: PAGE }, signal);
  const found: EventItem[] = [...about.items];
  const shift = (at: string, ms: number): string => new Date(Date.parse(at) + ms).toISOString();
  let after: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { items, next_cursor } = await call(
      routes.listEvents,
      {
        event_type: 'work.*',
        tenant: job.tenant,
        since: shift(job.created_at, -SLACK_MS),
        ...(job.ended_at === null ? {} : { until: shift(job.ended_at, SLACK_MS) }),
        limit: PAGE,
        ...(after === undefined ? {} : { after }),
      },
      signal,
    );
    found.push(...items);
    if (next_cursor === null || items.length < PAGE) return { steps: stepsOf(job.id, found), isCut: false };
    after = next_cursor;
  }
  return { steps: stepsOf(job.id, found), isCut: true };
}
