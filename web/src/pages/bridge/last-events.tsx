// What happened last: the decisions about the fleet, and everything.
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { EventItem } from '../../api/routes.ts';
import { useLivePart } from '../../live/live.tsx';
import { Panel } from '../../ui/panel.tsx';
import { revealedText } from '../../ui/reveal.ts';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { TimeOfDay } from '../../ui/time.tsx';
import type { EventFilter } from '../events/filters.ts';
import { summaryOf } from '../events/summary.ts';
import { useEvents } from '../events/use-events.ts';
import { words } from './words.ts';

const SHOWN = 10;
const everything: EventFilter = {};
const decisions: EventFilter = { type: 'fleet.*' };

export function LastDecisions() {
  return <Last title={words.decisions.title} none={words.decisions.none} filter={decisions} />;
}

export function LastEvents() {
  return <Last title={words.events.title} none={words.events.none} filter={everything} />;
}

function Last({ title, none, filter }: { title: string; none: string; filter: EventFilter }) {
  const pausedAt = useLivePart((view) => view.pausedAt);
  const view = useEvents(filter, pausedAt);
  const shown = useMemo(() => view.events.slice(0, SHOWN), [view.events]);
  return (
    <Panel
      title={title}
      aside={
        <Link to="/events" search={filter} className="text-accent hover:underline">
          {words.events.all}
        </Link>
      }
    >
      {view.isPending && <RowSkeletons rows={4} />}
      {!view.isPending && shown.length === 0 && <p className="px-3 py-3 text-muted">{none}</p>}
      <ol className="py-1">
        {shown.map((event) => (
          <Line key={event.cursor} event={event} />
        ))}
      </ol>
    </Panel>
  );
}

function Line({ event }: { event: EventItem }) {
  return (
    <li className="fade">
      <Link
        to="/events"
        search={{ peek: event.cursor }}
        className="flex h-7 items-center gap-3 px-3 hover:bg-raised phone:h-11"
        data-cursor={event.cursor}
      >
        <span className="font-mono text-[12px] text-muted phone:hidden">
          <TimeOfDay at={event.at} />
        </span>
        <span className="shrink-0 truncate font-medium">{event.event_type}</span>
        <span className="min-w-0 flex-1 truncate text-muted">
          {revealedText(event.subject?.replace(/^(agent|job):/, '') ?? event.source_agent)} {summaryOf(event.payload)}
        </span>
      </Link>
    </li>
  );
}
