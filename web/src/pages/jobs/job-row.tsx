// One job in the list: a row, or a card on a phone. It renders again only when its version changes.
import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { Job } from '../../api/routes.ts';
import { classes } from '../../ui/classes.ts';
import { Flash } from '../../ui/flash.tsx';
import { Ago, Elapsed } from '../../ui/time.tsx';
import { JobBadge } from './job-state.tsx';
import { words } from './words.ts';

// Beside an open drawer or on a narrow screen the less telling columns are left out; they stand on the job's own page.
export const JOB_COLUMNS =
  'grid-cols-[104px_112px_minmax(0,1.1fr)_minmax(0,1fr)_minmax(0,0.8fr)_minmax(0,0.7fr)_minmax(0,1fr)_56px_44px_104px_minmax(0,1.7fr)] @max-4xl:grid-cols-[104px_112px_minmax(0,1fr)_minmax(0,1fr)_minmax(0,1fr)_44px_104px] @max-2xl:grid-cols-[92px_96px_minmax(0,1fr)_84px]';
export const leftOut: Readonly<Partial<Record<keyof typeof words.columns, string>>> = {
  queue: '@max-2xl:hidden',
  channel: '@max-4xl:hidden',
  tenant: '@max-4xl:hidden',
  agent: '@max-2xl:hidden',
  priority: '@max-4xl:hidden',
  attempt: '@max-2xl:hidden',
  note: '@max-4xl:hidden',
};

interface JobRowProps {
  readonly job: Job;
  readonly isActive: boolean;
  readonly isPhone: boolean;
  readonly onActive: (id: string) => void;
}

export const JobRow = memo(
  function JobRow({ job, isActive, isPhone, onActive }: JobRowProps) {
    if (isPhone) return <JobCard job={job} />;
    const cell = (name: keyof typeof words.columns, look?: string) => classes('truncate', leftOut[name], look);
    return (
      // biome-ignore lint/a11y/useKeyWithClickEvents: j and k do the same
      // biome-ignore lint/a11y/noStaticElementInteractions: the row of a table, opened by the link in it and by Enter
      <div
        onClick={() => onActive(job.id)}
        className={classes(
          'grid h-8 items-center gap-3 border-b border-line px-4 hover:bg-raised',
          JOB_COLUMNS,
          isActive && 'bg-raised shadow-[inset_2px_0_0_var(--qd-accent)]',
        )}
      >
        <Flash value={job.state} className="-mx-1 justify-self-start rounded px-1 py-0.5">
          <JobBadge state={job.state} />
        </Flash>
        <Link
          to="/jobs/$job"
          params={{ job: job.id }}
          title={job.id}
          className="truncate font-mono text-[12px] hover:underline"
        >
          {shortId(job.id)}
        </Link>
        <span className={cell('kind', 'font-medium')}>{job.kind}</span>
        <span className={cell('queue')}>{job.queue}</span>
        <span className={cell('channel')}>{job.channel ?? <span className="text-muted">–</span>}</span>
        <span className={cell('tenant', 'text-muted')}>{job.tenant}</span>
        <span className={cell('agent')}>{job.agent ?? <span className="text-muted">–</span>}</span>
        <span className={cell('priority', 'figures text-right text-muted')}>{job.priority}</span>
        <span className={cell('attempt', 'figures text-right text-muted')} title={words.columns.attempt}>
          {job.attempt}/{job.max_attempts}
        </span>
        <span className="truncate text-right text-muted">
          <JobTime job={job} />
        </span>
        <span className={cell('note', 'text-muted')} title={noteOf(job)}>
          {noteOf(job) ?? '–'}
        </span>
      </div>
    );
  },
  (a, b) =>
    a.job.id === b.job.id &&
    a.job.version === b.job.version &&
    a.job.state === b.job.state &&
    a.isActive === b.isActive &&
    a.isPhone === b.isPhone,
);

function JobCard({ job }: { job: Job }) {
  return (
    <Link
      to="/jobs/$job"
      params={{ job: job.id }}
      className="flex h-full w-full flex-col justify-center border-b border-line px-4"
    >
      <span className="flex w-full items-center gap-2">
        <span className="min-w-0 truncate font-medium">{job.kind}</span>
        <span className="min-w-0 flex-1 truncate text-caption text-muted">{job.tenant}</span>
        <span className="text-caption text-muted">
          <JobTime job={job} />
        </span>
      </span>
      <span className="flex w-full items-center gap-2 text-caption">
        <JobBadge state={job.state} />
        <span className="min-w-0 flex-1 truncate text-muted">
          {[job.agent, job.channel, `${job.attempt}/${job.max_attempts}`, noteOf(job)].filter(Boolean).join(' · ')}
        </span>
      </span>
    </Link>
  );
}

/** The time that matters in its state: until it may run, how long it waits or runs, since when it is over. */
function JobTime({ job }: { job: Job }) {
  if (job.state === 'running' && job.started_at !== null) {
    return (
      <>
        {words.runs} <Elapsed since={job.started_at} />
      </>
    );
  }
  if (job.state === 'queued') {
    return (
      <>
        {words.waits} <Elapsed since={job.run_at ?? job.created_at} />
      </>
    );
  }
  if (job.state === 'scheduled' && job.run_at !== null) return <Ago at={job.run_at} />;
  return <Ago at={job.ended_at ?? job.created_at} />;
}

/** Ids begin with the time and differ at their end. */
export function shortId(id: string): string {
  return id.length > 14 ? `${id.slice(0, id.indexOf('_') + 1)}…${id.slice(-8)}` : id;
}

function noteOf(job: Job): string | undefined {
  return job.error ?? (job.reason === null ? undefined : (words.reasons[job.reason] ?? job.reason));
}
