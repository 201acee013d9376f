// The figures of the Bridge.
import type { Status, WorkSummary } from '../../api/routes.ts';
import { classes } from '../../ui/classes.ts';
import { Flash } from '../../ui/flash.tsx';
import { durationWords } from '../../ui/time-words.ts';
import { words } from './words.ts';

interface TilesProps {
  readonly status: Status | undefined;
  readonly work: WorkSummary | undefined;
}

export function Tiles({ status, work }: TilesProps) {
  const t = words.tiles;
  const healthy = status?.agents.by_state['healthy'] ?? 0;
  const down = (status?.agents.by_state['crashed'] ?? 0) + (status?.agents.by_state['silent'] ?? 0);
  const total = status?.agents.total ?? 0;
  const oldest = work?.oldest_queued_seconds ?? null;
  return (
    <ul aria-label={t.label} className="grid grid-cols-6 gap-3 max-xl:grid-cols-3 phone:grid-cols-2 phone:gap-2">
      <Tile word={t.agents} value={status && healthy} text={t.of(total)} isBad={down > 0} />
      <Tile
        word={t.running}
        value={work?.running}
        text={t.runningText(work?.queues.filter((queue) => queue.running > 0).length ?? 0)}
      />
      <Tile
        word={t.queued}
        value={work?.queued}
        text={oldest === null ? t.noneWaits : t.oldest(durationWords(oldest))}
      />
      <Tile
        word={t.dead}
        value={work?.dead_1h}
        text={t.attempts(work?.failed_attempts_1h ?? 0)}
        isBad={(work?.dead_1h ?? 0) > 0}
      />
      <Tile word={t.done} value={work?.done_1h} text={t.scheduled(work?.scheduled ?? 0)} />
      <Tile word={t.events} value={status && rate(status.events_per_second)} text={t.lastMinute} />
    </ul>
  );
}

interface TileProps {
  readonly word: string;
  readonly value: number | string | undefined;
  readonly text: string;
  readonly isBad?: boolean;
}

function Tile({ word, value, text, isBad = false }: TileProps) {
  return (
    <li className="rounded-panel border border-line bg-panel px-3 pt-2 pb-2.5 figures" data-tile={word}>
      <p className="text-caption text-muted">{word}</p>
      <p className="flex items-baseline gap-2">
        {value === undefined ? (
          <span className="skeleton my-1.5 h-4 w-10" />
        ) : (
          <Flash value={value} className={classes('-mx-1 rounded px-1 text-number font-semibold', isBad && 'text-err')}>
            {typeof value === 'number' ? value.toLocaleString() : value}
          </Flash>
        )}
        {value !== undefined && <span className="truncate text-caption text-muted">{text}</span>}
      </p>
    </li>
  );
}

function rate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString();
}
