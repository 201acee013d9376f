// The queues that hold something, longest first, as bars of what waits and what runs.
import type { WorkSummary } from '../../api/routes.ts';
import { Panel } from '../../ui/panel.tsx';
import { words } from './words.ts';

const MOST = 10;

export function Queues({ work }: { work: WorkSummary | undefined }) {
  const busy = (work?.queues ?? []).filter((queue) => queue.queued + queue.running > 0);
  const shown = busy.sort((a, b) => b.queued + b.running - (a.queued + a.running)).slice(0, MOST);
  const most = Math.max(1, ...shown.map((queue) => queue.queued + queue.running));
  return (
    <Panel title={words.queues.title} aside={words.queues.all}>
      {shown.length === 0 && <p className="px-3 py-3 text-muted">{words.queues.none}</p>}
      <ul className="px-3 py-1.5">
        {shown.map((queue) => (
          <li key={queue.queue} className="grid grid-cols-[minmax(80px,1fr)_2fr_72px] items-center gap-3 py-1">
            <span className="truncate">{queue.queue}</span>
            <span aria-hidden="true" className="flex h-2 gap-px overflow-hidden rounded-full bg-raised">
              <span className="bg-run" style={{ width: `${(queue.running / most) * 100}%` }} />
              <span className="bg-wait" style={{ width: `${(queue.queued / most) * 100}%` }} />
            </span>
            <span className="figures text-right text-muted">
              <span className="text-fg">{queue.queued}</span> / {queue.running}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
