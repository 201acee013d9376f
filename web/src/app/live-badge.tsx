// The badge in the header: how the page is connected, how old what it shows is, and whether the view is held.
import { Pause } from 'lucide-react';
import { useLiveStore, useLiveView } from '../live/live.tsx';
import type { LiveView } from '../live/store.ts';
import { classes } from '../ui/classes.ts';
import { useNow } from '../ui/clock.ts';
import { minuteWords } from '../ui/time-words.ts';
import { words } from './words.ts';

const STALE_MS = 25_000;

type Look = 'ok' | 'warn' | 'err' | 'pause';

export interface BadgeFacts {
  readonly text: string;
  readonly look: Look;
  /** Since when nothing was heard; undefined while what is shown is fresh. */
  readonly staleSince: Date | undefined;
}

export function badgeOf(view: LiveView, now: number): BadgeFacts {
  const silent = view.lastAlive > 0 && now - view.lastAlive > STALE_MS;
  const staleSince = silent && view.link.phase !== 'connecting' ? new Date(view.lastAlive) : undefined;
  const fact = (text: string, look: Look): BadgeFacts => ({ text, look, staleSince });
  if (staleSince !== undefined) return fact(words.live.stale(minuteWords(staleSince)), 'err');
  if (view.link.phase === 'reconnecting') {
    return fact(words.live.reconnecting(Math.max(0, Math.ceil((view.link.retryAt - now) / 1000))), 'warn');
  }
  if (view.pausedAt !== undefined) return fact(words.live.paused((view.end - view.pausedAt).toLocaleString()), 'pause');
  if (view.link.phase === 'connecting') return fact(words.live.connecting, 'warn');
  return fact(words.live[view.link.transport], view.link.transport === 'poll' ? 'warn' : 'ok');
}

const dots: Record<Look, string> = { ok: 'bg-ok', warn: 'bg-warn', err: 'bg-err', pause: 'bg-pause' };
const texts: Record<Look, string> = { ok: 'text-fg', warn: 'text-warn', err: 'text-err', pause: 'text-pause' };

export function LiveBadge() {
  const store = useLiveStore();
  const view = useLiveView();
  // The shared clock only makes it tick; the age is measured by this machine's own clock, as the signs of life are.
  useNow();
  const badge = badgeOf(view, Date.now());
  const isPaused = view.pausedAt !== undefined;
  return (
    <button
      type="button"
      onClick={store.togglePause}
      title={isPaused ? words.live.resumeHint : words.live.pauseHint}
      aria-pressed={isPaused}
      data-live={badge.text}
      className={classes(
        'inline-flex h-7 items-center gap-2 rounded-full border border-line px-2.5 font-medium whitespace-nowrap hover:bg-raised phone:h-11',
        texts[badge.look],
      )}
    >
      {badge.look === 'pause' ? (
        <Pause aria-hidden="true" size={12} className="fill-current" />
      ) : (
        <span
          aria-hidden="true"
          className={classes('size-2 rounded-full', dots[badge.look], badge.look === 'ok' && 'running-dot')}
        />
      )}
      {badge.text}
    </button>
  );
}
