// When what is being typed would come.
import { textOf } from '../../ui/doing.ts';
import { exactWords } from '../../ui/time-words.ts';
import type { Draft } from './draft.ts';
import { clockChanges, dayTimeWords, lengthWords, ownZone } from './timing.ts';
import { usePreview } from './use-preview.ts';
import { words } from './words.ts';

const w = words.form;

export function Preview({ draft }: { draft: Draft }) {
  if (draft.how === 'at') return null;
  const every = Number(draft.every) * draft.unit;
  return (
    <section aria-labelledby="schedule-preview" className="rounded-control border border-line bg-bg px-3 py-2">
      <h3 id="schedule-preview" className="text-caption font-semibold text-muted uppercase">
        {w.preview}
      </h3>
      <div aria-live="polite" data-preview>
        {draft.how === 'cron' ? (
          <CronPreview cron={draft.cron} zone={draft.zone} />
        ) : (
          Number.isInteger(every) && every > 0 && <p>{w.previewEvery(lengthWords(every))}</p>
        )}
      </div>
    </section>
  );
}

function CronPreview({ cron, zone }: { cron: string; zone: string }) {
  const { data, error, isCurrent } = usePreview(cron, zone);
  if (cron.trim() === '') return <p className="text-muted">{w.previewCron}</p>;
  if (error !== null && isCurrent) return <p className="text-err">{textOf(error)}</p>;
  if (data === undefined) return <p className="text-muted">…</p>;
  const changes = clockChanges(data);
  return (
    <ol>
      {data.map((tick) => {
        const at = new Date(tick.at);
        const isElsewhere = zone !== ownZone();
        return (
          <li key={tick.at} className="flex flex-wrap gap-x-3">
            <time dateTime={tick.at} title={exactWords(at)}>
              {tick.local}
            </time>
            {isElsewhere && <span className="text-muted">{words.here(dayTimeWords(at))}</span>}
            {changes.has(tick.at) && <span className="text-warn">{w.clocks}</span>}
          </li>
        );
      })}
    </ol>
  );
}
