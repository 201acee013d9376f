// The slots under the header for what concerns every screen, most serious first.
import { Unplug } from 'lucide-react';
import { useLiveView } from '../live/live.tsx';
import { useNow } from '../ui/clock.ts';
import { minuteWords } from '../ui/time-words.ts';
import { badgeOf } from './live-badge.tsx';
import { PauseBanners } from './pause-work.tsx';
import { words } from './words.ts';

export function Banners() {
  return (
    <>
      <PauseBanners />
      <Stale />
    </>
  );
}

function Stale() {
  const view = useLiveView();
  useNow();
  const { staleSince } = badgeOf(view, Date.now());
  if (staleSince === undefined) return null;
  return (
    <div role="status" className="flex items-center gap-2 border-b border-line bg-raised px-4 py-1.5 text-err">
      <Unplug aria-hidden="true" size={14} className="shrink-0" />
      {words.live.banner(minuteWords(staleSince))}
    </div>
  );
}
