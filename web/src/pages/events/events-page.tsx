// The log as it grows: filter in the address, rows that arrive by themselves, a drawer for the one that is looked at.
import { getRouteApi } from '@tanstack/react-router';
import { Pause, Play } from 'lucide-react';
import { useCallback, useMemo } from 'react';
import { useTitle } from '../../app/title.ts';
import { useLivePart, useLiveStore } from '../../live/live.tsx';
import { Button } from '../../ui/button.tsx';
import { clock } from '../../ui/clock.ts';
import { Command, CopyButton } from '../../ui/copy.tsx';
import { Empty } from '../../ui/empty.tsx';
import { FilterBar } from '../../ui/filter-bar.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { EventDetail } from './event-detail.tsx';
import { EventList, useHeldAt } from './event-list.tsx';
import { chipsOf, commandOf, type EventFilter, type FilterName, rules } from './filters.ts';
import { sampleCommand } from './sample.ts';
import { useEvents } from './use-events.ts';
import { words } from './words.ts';

const route = getRouteApi('/events');

export function EventsPage() {
  useTitle(words.title);
  const { peek, ...given } = route.useSearch();
  const navigate = route.useNavigate();
  const live = useLiveStore();
  const isPaused = useLivePart((view) => view.pausedAt !== undefined);
  const key = JSON.stringify(given);
  const filter = useMemo(() => JSON.parse(key) as EventFilter, [key]);
  const { heldAt, hold } = useHeldAt();
  const view = useEvents(filter, heldAt);
  const change = useCallback((next: EventFilter) => void navigate({ search: next }), [navigate]);
  const setPeek = useCallback(
    (cursor: string | undefined) => void navigate({ search: { ...filter, peek: cursor }, replace: true }),
    [navigate, filter],
  );
  const filterBy = useCallback(
    (name: FilterName, value: string) => void navigate({ search: { ...filter, peek, [name]: value } }),
    [navigate, filter, peek],
  );
  const peeked = view.events.find((event) => event.cursor === peek);
  const chips = chipsOf(filter);

  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line px-4 py-2 phone:px-3">
          <h1 className="text-title font-semibold phone:-order-2">{words.title}</h1>
          <FilterBar
            filter={filter}
            rules={rules}
            meanings={words.qualifiers}
            label={words.filter}
            placeholder={words.placeholder}
            onChange={change}
          />
          <div className="flex items-center gap-1 phone:ml-auto phone:-order-1">
            {isPaused && (
              <span role="status" className="mr-1 text-pause">
                {words.held(view.held)}
              </span>
            )}
            <CopyButton label={words.copyCommand} text={commandOf(filter, clock.now())} />
            <Button onClick={live.togglePause} title="L" tone={isPaused ? 'primary' : 'plain'}>
              {isPaused ? <Play aria-hidden="true" size={13} /> : <Pause aria-hidden="true" size={13} />}
              {isPaused ? words.resume : words.pause}
            </Button>
          </div>
        </div>
        {view.error !== null && view.events.length === 0 && <ProblemView error={view.error} onRetry={view.retry} />}
        {view.isPending && <RowSkeletons rows={16} />}
        {!view.isPending && view.error === null && view.events.length === 0 && (
          <NoEvents chips={chips.map((chip) => chip.text)} onClear={() => change({})} />
        )}
        {view.events.length > 0 && (
          <EventList
            key={key}
            view={view}
            label={words.title}
            peek={peek}
            isPaused={isPaused}
            onHold={hold}
            onPeek={setPeek}
            onFilter={filterBy}
          />
        )}
      </div>
      {peeked !== undefined && <EventDetail event={peeked} onFilter={filterBy} onClose={() => setPeek(undefined)} />}
    </div>
  );
}

function NoEvents({ chips, onClear }: { chips: readonly string[]; onClear: () => void }) {
  if (chips.length === 0) {
    return (
      <Empty kind="nothing-yet" title={words.none.title} text={words.none.text}>
        <Command text={sampleCommand} />
      </Empty>
    );
  }
  return (
    <Empty kind="no-match" title={words.noMatch.title} text={words.noMatch.text}>
      <code className="font-mono text-[12px]">{chips.join('  ')}</code>
      <Button onClick={onClear}>{words.clear}</Button>
    </Empty>
  );
}
