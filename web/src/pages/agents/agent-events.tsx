// The events of one agent: those it wrote, or those about it.
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { AgentDetail } from '../../api/routes.ts';
import { useLivePart } from '../../live/live.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { EventDetail } from '../events/event-detail.tsx';
import { EventList, useHeldAt } from '../events/event-list.tsx';
import type { FilterName } from '../events/filters.ts';
import { useEvents } from '../events/use-events.ts';
import { words as eventWords } from '../events/words.ts';
import { words } from './words.ts';

const route = getRouteApi('/agents/$agent');

export function AgentEvents({ agent }: { agent: AgentDetail }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const isAbout = search.of === 'about';
  const { agent: name, tenant } = agent;
  const filter = useMemo(
    () => (isAbout ? { subject: `agent:${name}`, tenant } : { agent: name, tenant }),
    [isAbout, name, tenant],
  );
  const { heldAt, hold } = useHeldAt();
  const isPaused = useLivePart((view) => view.pausedAt !== undefined);
  const view = useEvents(filter, heldAt);
  const setPeek = (peek: string | undefined): void => {
    void navigate({ search: (old) => ({ ...old, peek }), replace: true });
  };
  const filterBy = (field: FilterName, value: string): void => {
    void navigate({ to: '/events', search: { ...filter, [field]: value } });
  };
  const peeked = view.events.find((event) => event.cursor === search.peek);
  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <fieldset className="flex gap-1.5 border-b border-line px-4 py-1.5">
          <legend className="sr-only">{words.eventsOf.label}</legend>
          {(['by', 'about'] as const).map((of) => (
            <button
              key={of}
              type="button"
              aria-pressed={isAbout === (of === 'about')}
              onClick={() => void navigate({ search: (old) => ({ ...old, of }), replace: true })}
              className="h-7 rounded-full border border-line px-2.5 hover:bg-raised aria-pressed:border-accent aria-pressed:bg-raised phone:h-11 phone:px-4"
            >
              {words.eventsOf[of]}
            </button>
          ))}
        </fieldset>
        {view.error !== null && view.events.length === 0 && <ProblemView error={view.error} onRetry={view.retry} />}
        {view.isPending && <RowSkeletons rows={10} />}
        {!view.isPending && view.error === null && view.events.length === 0 && (
          <Empty
            kind="nothing-yet"
            title={eventWords.none.title}
            text={isAbout ? words.eventsOf.noneAbout : words.eventsOf.noneBy}
          />
        )}
        {view.events.length > 0 && (
          <EventList
            key={String(isAbout)}
            view={view}
            label={eventWords.title}
            peek={search.peek}
            isPaused={isPaused}
            onHold={hold}
            onPeek={setPeek}
            onFilter={filterBy}
            onBack={() => void navigate({ to: '/agents' })}
          />
        )}
      </div>
      {peeked !== undefined && <EventDetail event={peeked} onFilter={filterBy} onClose={() => setPeek(undefined)} />}
    </div>
  );
}
