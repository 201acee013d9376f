// What is known of a job, as terms and values.
import { Link } from '@tanstack/react-router';
import type { Job } from '../../api/routes.ts';
import { useNow } from '../../ui/clock.ts';
import { Fact } from '../../ui/facts.tsx';
import { Ago } from '../../ui/time.tsx';
import { durationWords } from '../../ui/time-words.ts';
import { JobBadge } from './job-state.tsx';
import { words } from './words.ts';

export function JobFacts({ job }: { job: Job }) {
  const f = words.facts;
  return (
    <dl className="px-3 py-1.5 text-body" data-facts={job.id}>
      <Fact term={f.state}>
        <JobBadge state={job.state} />
      </Fact>
      <Fact term={f.kind}>{job.kind}</Fact>
      <Fact term={f.queue}>
        <Link to="/jobs" search={{ queue: job.queue }} className="text-accent hover:underline">
          {job.queue}
        </Link>
      </Fact>
      <Fact term={f.tenant}>{job.tenant}</Fact>
      <Fact term={f.agent}>
        {job.agent !== null && (
          <Link to="/agents/$agent" params={{ agent: job.agent }} className="text-accent hover:underline">
            {job.agent}
          </Link>
        )}
      </Fact>
      <Fact term={f.progress}>{progressWords(job)}</Fact>
      <Fact term={f.attempts}>{words.attempts(job.attempt, job.max_attempts)}</Fact>
      <Fact term={f.priority}>{f.priorityWords(job.priority)}</Fact>
      <Fact term={f.urgent}>{job.urgent && f.urgentText}</Fact>
      <Fact term={f.channel}>
        {job.channel !== null && (
          <>
            <Link to="/jobs" search={{ channel: job.channel }} className="text-accent hover:underline">
              {job.channel}
            </Link>
            {f.cost(job.cost)}
          </>
        )}
      </Fact>
      <Fact term={f.schedule}>
        {job.schedule !== null && (
          <Link
            to="/jobs"
            search={{ schedule: job.schedule, tenant: job.tenant }}
            className="text-accent hover:underline"
          >
            {job.schedule}
          </Link>
        )}
      </Fact>
      <Fact term={f.mayRun}>{job.max_runtime_seconds !== null && durationWords(job.max_runtime_seconds)}</Fact>
      <Fact term={f.replayOf}>
        {job.replay_of !== null && (
          <Link
            to="/jobs/$job"
            params={{ job: job.replay_of }}
            className="font-mono text-[12px] text-accent hover:underline"
          >
            {job.replay_of}
          </Link>
        )}
      </Fact>
      <Fact term={f.batch}>{job.batch !== null && <code className="font-mono text-[12px]">{job.batch}</code>}</Fact>
      <Fact term={f.lease}>{job.lease_until !== null && <Lease until={job.lease_until} />}</Fact>
      <Fact term={f.runAt}>{job.state === 'scheduled' && job.run_at !== null && <Ago at={job.run_at} />}</Fact>
      <Fact term={f.created}>
        <Ago at={job.created_at} /> {f.by(job.created_by)}
      </Fact>
      <Fact term={f.started}>{job.started_at !== null && <Ago at={job.started_at} />}</Fact>
      <Fact term={f.ended}>{job.ended_at !== null && <Ago at={job.ended_at} />}</Fact>
      <Fact term={f.took}>{tookWords(job)}</Fact>
      <Fact term={f.reason}>{job.reason !== null && (words.reasons[job.reason] ?? job.reason)}</Fact>
      <Fact term={f.error}>{job.error}</Fact>
      <Fact term={f.version}>{job.version}</Fact>
    </dl>
  );
}

function Lease({ until }: { until: string }) {
  const isOver = Date.parse(until) < useNow();
  return (
    <>
      <Ago at={until} />
      {isOver && <span className="text-warn"> {words.facts.leaseOver}</span>}
    </>
  );
}

function progressWords({ progress }: Job): string {
  const { fraction, message } = progress ?? {};
  return [fraction === undefined ? undefined : `${Math.round(fraction * 100)} %`, message].filter(Boolean).join(' · ');
}

function tookWords(job: Job): string | false {
  if (job.started_at === null || job.ended_at === null) return false;
  return durationWords((Date.parse(job.ended_at) - Date.parse(job.started_at)) / 1000);
}
