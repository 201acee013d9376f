// One schedule: when it comes, what it adds, how it deals with what it missed, and what can be done.
import { Link } from '@tanstack/react-router';
import { CircleCheck, CirclePause, CircleStop, History, Pause, Pencil, Play, SkipForward, Trash2 } from 'lucide-react';
import type { Schedule } from '../../api/routes.ts';
import { Button, buttonClasses, IconButton } from '../../ui/button.tsx';
import { classes } from '../../ui/classes.ts';
import { Flash } from '../../ui/flash.tsx';
import { LookBadge, type StateLook } from '../../ui/state.tsx';
import { Ago } from '../../ui/time.tsx';
import { dayTimeWords, ownZone, timingWords } from './timing.ts';
import { words } from './words.ts';

const looks: Record<keyof typeof words.states, StateLook> = {
  active: { word: words.states.active, tone: 'ok', icon: CircleCheck },
  paused: { word: words.states.paused, tone: 'pause', icon: CirclePause },
  over: { word: words.states.over, tone: 'wait', icon: CircleStop },
};

export interface RowDoes {
  readonly onTogglePause: () => void;
  readonly onRun: () => void;
  readonly onEdit: () => void;
  readonly onBackfill: () => void;
  readonly onRemove: () => void;
}

interface ScheduleRowProps extends RowDoes {
  readonly schedule: Schedule;
  readonly isActive: boolean;
  readonly mayWrite: boolean;
  readonly onActive: () => void;
}

export function ScheduleRow({ schedule, isActive, mayWrite, onActive, ...does }: ScheduleRowProps) {
  const state = schedule.paused !== null ? 'paused' : schedule.next_at === null ? 'over' : 'active';
  const { schedule: name, tenant, paused, declared_by } = schedule;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: j and k do the same
    <li
      data-schedule={name}
      data-id={`${tenant}/${name}`}
      data-state={state}
      aria-current={isActive}
      onClick={onActive}
      className={classes(
        'grid grid-cols-[minmax(0,1.4fr)_minmax(0,1.4fr)_max-content] items-center gap-x-5 gap-y-1.5 border-b border-line px-4 py-2.5 @max-4xl:grid-cols-[minmax(0,1fr)_minmax(0,1fr)] @max-xl:grid-cols-[minmax(0,1fr)]',
        isActive && 'bg-raised shadow-[inset_2px_0_0_var(--qd-accent)]',
      )}
    >
      <div className="min-w-0">
        <div className="flex min-w-0 flex-wrap items-center gap-x-3">
          <span className="min-w-0 truncate font-medium" title={name}>
            {name}
          </span>
          <Flash value={state} className="rounded px-1">
            <LookBadge look={looks[state]} state={state} />
          </Flash>
        </div>
        <p className="text-caption text-muted [overflow-wrap:anywhere]">
          {tenant} · {schedule.job.kind}
          {declared_by !== null && <span title={words.decidesText(declared_by)}> · {words.decides(declared_by)}</span>}
        </p>
        {paused !== null && (
          <p className="text-caption [overflow-wrap:anywhere]">
            {words.by(paused.by)}, <Ago at={paused.since} />
            {paused.reason !== null && `: ${paused.reason}`}
          </p>
        )}
      </div>
      <div className="min-w-0">
        <Next schedule={schedule} />
        <p className="text-caption text-muted">
          <code className="font-mono">{timingWords(schedule)}</code> · {words.last}{' '}
          {schedule.last_tick === null ? words.never : <Ago at={schedule.last_tick} />}
          {schedule.last_job !== null && (
            <>
              ,{' '}
              <Link to="/jobs/$job" params={{ job: schedule.last_job }} className="text-accent underline">
                {words.lastJob}
              </Link>
            </>
          )}
        </p>
        <p className="text-caption text-muted">
          {[words.overlap[schedule.overlap], words.catchUp[schedule.catch_up]].filter(Boolean).join('; ')}
        </p>
      </div>
      <div className="flex flex-wrap items-center gap-1 @max-4xl:col-span-2 @max-xl:col-span-1">
        <Link
          to="/jobs"
          search={{ schedule: name, tenant }}
          aria-label={words.actions.jobsOf(name)}
          className={buttonClasses('quiet', '@max-4xl:-ml-2.5')}
        >
          {words.actions.jobs}
        </Link>
        {mayWrite && <Buttons schedule={schedule} {...does} />}
      </div>
    </li>
  );
}

/** When it comes next: how long until then, and the time of day in its zone and in the reader's, where they differ. */
function Next({ schedule: { next_at, zone, paused } }: { schedule: Schedule }) {
  if (next_at === null) return <p className="text-muted">{words.neverAgain}</p>;
  if (paused !== null) return null;
  const at = new Date(next_at);
  const there = dayTimeWords(at, zone);
  const here = dayTimeWords(at);
  return (
    <p>
      {words.next} <Ago at={next_at} />{' '}
      <span className="text-muted">
        {words.inZone(there, zone)}
        {there !== here && zone !== ownZone() && `, ${words.here(here)}`}
      </span>
    </p>
  );
}

function Buttons({ schedule, ...does }: { schedule: Schedule } & RowDoes) {
  const { schedule: name, paused, declared_by } = schedule;
  const w = words.actions;
  return (
    <>
      <Button onClick={does.onRun} aria-label={w.runOf(name)} title="R">
        <SkipForward aria-hidden="true" size={13} /> {w.run}
      </Button>
      <Button
        onClick={does.onTogglePause}
        aria-label={paused === null ? w.pauseOf(name) : w.resumeOf(name)}
        title="P"
        className="min-w-24"
      >
        {paused === null ? <Pause aria-hidden="true" size={13} /> : <Play aria-hidden="true" size={13} />}
        {paused === null ? w.pause : w.resume}
      </Button>
      <IconButton label={w.backfillOf(name)} onClick={does.onBackfill}>
        <History size={14} />
      </IconButton>
      {declared_by === null && (
        <>
          <IconButton label={w.editOf(name)} onClick={does.onEdit}>
            <Pencil size={14} />
          </IconButton>
          <IconButton label={w.removeOf(name)} onClick={does.onRemove}>
            <Trash2 size={14} />
          </IconButton>
        </>
      )}
    </>
  );
}
