// The next 24 hours: a lane for each schedule with a mark where it comes.
import type { Schedule } from '../../api/routes.ts';
import { useNow } from '../../ui/clock.ts';
import { Panel } from '../../ui/panel.tsx';
import { minuteWords } from '../../ui/time-words.ts';
import { dayTimeWords, laneOf, ownZone } from './timing.ts';
import { useCronTicks } from './use-preview.ts';
import { words } from './words.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MOST_LANES = 20;
const lane = 'grid grid-cols-[160px_minmax(0,1fr)] items-center gap-3 phone:grid-cols-[96px_minmax(0,1fr)]';

export function Timeline({ schedules }: { schedules: readonly Schedule[] }) {
  // Redrawn each minute: a second is not to be seen.
  const from = Math.floor(useNow() / 60_000) * 60_000;
  const shown = schedules.slice(0, MOST_LANES);
  const ticks = useCronTicks(shown, from);
  return (
    <Panel title={words.timeline.title} aside={<span>{ownZone()}</span>} className="m-4 phone:m-2">
      <div className="px-3 py-2">
        <Hours from={from} />
        <ul>
          {shown.map((schedule, n) => (
            <li key={`${schedule.tenant}/${schedule.schedule}`} className={lane}>
              <span className="truncate py-0.5" title={schedule.schedule}>
                {schedule.schedule}
              </span>
              <LaneOf schedule={schedule} from={from} ticks={ticks[n]} />
            </li>
          ))}
        </ul>
        {schedules.length > MOST_LANES && (
          <p className="pt-1 text-caption text-muted">{words.timeline.cut(MOST_LANES)}</p>
        )}
      </div>
    </Panel>
  );
}

function LaneOf({ schedule, from, ticks }: { schedule: Schedule; from: number; ticks: Parameters<typeof laneOf>[1] }) {
  const { ticks: places, often } = laneOf(schedule, ticks, from, from + DAY);
  const first = often ?? places[0];
  const at = first === undefined ? '' : dayTimeWords(new Date(first));
  const t = words.timeline;
  const label = often === undefined ? t.lane(schedule.schedule, places.length, at) : t.often(schedule.schedule, at);
  return (
    <span
      role="img"
      aria-label={label}
      title={label}
      data-lane={schedule.schedule}
      className="relative block h-5 border-y border-line bg-bg"
    >
      {often !== undefined && (
        <span className="absolute inset-y-1 bg-run opacity-60" style={{ left: percent(often - from), right: 0 }} />
      )}
      {places.map((place) => (
        <span
          key={place}
          data-tick
          className="absolute inset-y-0.5 w-0.5 rounded-full bg-run"
          style={{ left: percent(place - from) }}
        />
      ))}
    </span>
  );
}

/** Every third full hour of the reader's day; on a phone every sixth. */
function Hours({ from }: { from: number }) {
  const start = new Date(from);
  start.setMinutes(0, 0, 0);
  const hours = Array.from({ length: 25 }, (_, n) => new Date(start.getTime() + n * HOUR)).filter(
    (at) => at.getTime() >= from && at.getTime() < from + DAY - 3 * HOUR && at.getHours() % 3 === 0,
  );
  return (
    <div aria-hidden="true" className={lane}>
      <span />
      <span className="relative block h-5 overflow-hidden text-caption text-muted">
        {hours.map((at) => (
          <span
            key={at.getTime()}
            className={`figures absolute border-l border-line pl-1 ${at.getHours() % 6 === 0 ? '' : 'phone:hidden'}`}
            style={{ left: percent(at.getTime() - from) }}
          >
            {minuteWords(at)}
          </span>
        ))}
      </span>
    </div>
  );
}

function percent(ms: number): string {
  return `${(Math.max(0, Math.min(ms, DAY)) / DAY) * 100}%`;
}
