// One channel: its state, what is used of it, what waits, and what can be done.
import { Link } from '@tanstack/react-router';
import { CirclePause, CirclePlay, Hourglass, Pause, Play, SlidersHorizontal, Trash2 } from 'lucide-react';
import type { Channel } from '../../api/routes.ts';
import { Button, buttonClasses, IconButton } from '../../ui/button.tsx';
import { classes } from '../../ui/classes.ts';
import { Flash } from '../../ui/flash.tsx';
import { LookBadge, type StateLook } from '../../ui/state.tsx';
import { Ago } from '../../ui/time.tsx';
import { Budgets } from './budgets.tsx';
import { words } from './words.ts';

const looks: Record<keyof typeof words.states, StateLook> = {
  open: { word: words.states.open, tone: 'ok', icon: CirclePlay },
  paused: { word: words.states.paused, tone: 'pause', icon: CirclePause },
  full: { word: words.states.full, tone: 'warn', icon: Hourglass },
};

interface ChannelRowProps {
  readonly channel: Channel;
  readonly isActive: boolean;
  readonly mayWrite: boolean;
  readonly onActive: () => void;
  readonly onTogglePause: () => void;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

export function ChannelRow({ channel, isActive, mayWrite, onActive, ...does }: ChannelRowProps) {
  const state = stateOf(channel);
  const most = channel.concurrency?.toLocaleString('en');
  const running = channel.running.toLocaleString('en');
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: j and k do the same
    <li
      data-channel={channel.channel}
      data-id={`${channel.tenant}/${channel.channel}`}
      data-tenant={channel.tenant}
      data-state={state}
      aria-current={isActive}
      onClick={onActive}
      className={classes(
        'grid grid-cols-[minmax(0,1.5fr)_minmax(0,2fr)_max-content_max-content] items-center gap-x-5 gap-y-1.5 border-b border-line px-4 py-2.5 @max-3xl:grid-cols-[minmax(0,1fr)_max-content]',
        isActive && 'bg-raised shadow-[inset_2px_0_0_var(--qd-accent)]',
      )}
    >
      <div className="min-w-0">
        <div className="flex min-w-0 flex-wrap items-center gap-x-3">
          <span className="min-w-0 truncate font-medium" title={channel.channel}>
            {channel.channel}
          </span>
          <Flash value={state} className="rounded px-1">
            <LookBadge look={looks[state]} state={state} />
          </Flash>
        </div>
        <p className="text-caption text-muted [overflow-wrap:anywhere]">
          {channel.tenant === 'fleet' ? words.fleet : channel.tenant}
          {channel.declared_by !== null && (
            <span title={words.decidesText(channel.declared_by)}> · {words.decides(channel.declared_by)}</span>
          )}
        </p>
        <Wait channel={channel} />
      </div>
      <div className="min-w-0 @max-3xl:order-3 @max-3xl:col-span-2">
        <Budgets channel={channel} />
      </div>
      <dl className="flex gap-4 text-caption text-muted">
        <Figure term={words.running} value={most === undefined ? running : words.of(running, most)} />
        <Figure term={words.queued} value={channel.queued.toLocaleString('en')} />
      </dl>
      <div className="flex flex-wrap items-center justify-end gap-1 @max-3xl:order-4 @max-3xl:col-span-2 @max-3xl:justify-start">
        <Link
          to="/jobs"
          search={{ channel: channel.channel }}
          aria-label={words.actions.jobsOf(channel.channel)}
          className={buttonClasses('quiet')}
        >
          {words.actions.jobs}
        </Link>
        {mayWrite && <Buttons channel={channel} {...does} />}
      </div>
    </li>
  );
}

function Figure({ term, value }: { term: string; value: string }) {
  return (
    <div className="flex min-w-14 flex-col-reverse text-right">
      <dt>{term}</dt>
      <dd className="figures text-body text-fg">{value}</dd>
    </div>
  );
}

/** Why nothing of it starts, and until when. */
function Wait({ channel: { paused, next_at } }: { channel: Channel }) {
  if (paused !== null) {
    return (
      <p className="text-caption [overflow-wrap:anywhere]">
        {words.pausedSince(paused.by)}, <Ago at={paused.since} />
        {paused.until !== null && (
          <>
            , {words.until} <Ago at={paused.until} />
          </>
        )}
        {paused.reason !== null && `: ${paused.reason}`}
      </p>
    );
  }
  if (next_at === null) return null;
  return (
    <p className="text-caption text-warn">
      {words.nextIn} <Ago at={next_at} />
    </p>
  );
}

type ButtonsProps = Pick<ChannelRowProps, 'channel' | 'onTogglePause' | 'onEdit' | 'onRemove'>;

function Buttons({ channel, onTogglePause, onEdit, onRemove }: ButtonsProps) {
  const { channel: name, paused, declared_by } = channel;
  const w = words.actions;
  const used = channel.running + channel.queued;
  return (
    <>
      <Button
        onClick={onTogglePause}
        aria-label={paused === null ? w.pauseOf(name) : w.resumeOf(name)}
        title="P"
        className="min-w-24"
      >
        {paused === null ? <Pause aria-hidden="true" size={13} /> : <Play aria-hidden="true" size={13} />}
        {paused === null ? w.pause : w.resume}
      </Button>
      {declared_by === null && (
        <>
          <Button onClick={onEdit} aria-label={w.editOf(name)} title="E">
            <SlidersHorizontal aria-hidden="true" size={13} /> {w.edit}
          </Button>
          <IconButton
            label={used > 0 ? `${w.removeOf(name)}: ${w.inUse(used.toLocaleString('en'))}` : w.removeOf(name)}
            disabled={used > 0}
            onClick={onRemove}
          >
            <Trash2 size={14} className={used > 0 ? 'opacity-40' : undefined} />
          </IconButton>
        </>
      )}
    </>
  );
}

// The server knows of a full window when a claim has met it; the numbers tell so before.
function stateOf({ paused, next_at, limits }: Channel): keyof typeof words.states {
  if (paused !== null) return 'paused';
  return next_at !== null || limits.some(({ used, limit }) => used >= limit) ? 'full' : 'open';
}
