// What is used of each window of a channel, as bars with their numbers.
import type { Channel } from '../../api/routes.ts';
import { classes } from '../../ui/classes.ts';
import { windowWords } from './limits.ts';
import { words } from './words.ts';

const NEARLY = 0.8;

export function Budgets({ channel }: { channel: Channel }) {
  if (channel.limits.length === 0) return null;
  return (
    <ul className="flex min-w-0 flex-col gap-1">
      {channel.limits.map(({ limit, window_seconds, used }) => {
        const share = Math.min(1, used / limit);
        const window = windowWords(window_seconds);
        return (
          <li
            key={window_seconds}
            data-window={window_seconds}
            className="grid grid-cols-[minmax(40px,1fr)_minmax(0,max-content)] items-center gap-2.5"
          >
            <span aria-hidden="true" className="block h-2 overflow-hidden rounded-full bg-raised">
              <span
                className={classes('block h-full', share >= 1 ? 'bg-err' : share >= NEARLY ? 'bg-warn' : 'bg-run')}
                style={{ width: `${share * 100}%` }}
              />
            </span>
            <span className="figures w-48 truncate text-caption text-muted phone:w-auto">
              <span className="text-fg">{words.used(used.toLocaleString('en'), limit.toLocaleString('en'))}</span>{' '}
              {words.inAny(window)}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
