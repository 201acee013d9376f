// One event as a row. Each field is a button that filters by it; outside of the active row they are for the mouse only,
// so that the list does not become hundreds of tab stops.
import { memo } from 'react';
import type { EventItem } from '../../api/routes.ts';
import { classes } from '../../ui/classes.ts';
import { revealedText } from '../../ui/reveal.ts';
import { TimeOfDay } from '../../ui/time.tsx';
import type { FilterName } from './filters.ts';
import { summaryOf } from './summary.ts';
import { words } from './words.ts';

export type FieldFilter = (name: FilterName, value: string) => void;

export interface EventRowProps {
  readonly event: EventItem;
  readonly isActive: boolean;
  readonly isPhone: boolean;
  readonly onFilter: FieldFilter;
  readonly onOpen: (cursor: string) => void;
}

// Beside an open drawer there is room for four columns; what is left out stands in the drawer.
export const EVENT_COLUMNS =
  'grid-cols-[96px_minmax(140px,1.1fr)_minmax(96px,0.8fr)_minmax(80px,1fr)_minmax(56px,0.5fr)_minmax(120px,2.4fr)] @max-3xl:grid-cols-[96px_minmax(0,1.3fr)_minmax(0,0.8fr)_minmax(0,1fr)]';
export const LEFT_OUT = '@max-3xl:hidden';

export const EventRow = memo(function EventRow({ event, isActive, isPhone, onFilter, onOpen }: EventRowProps) {
  const field = (name: FilterName, label: string, value: string | null, look?: string) =>
    value === null ? (
      <span className="text-muted">–</span>
    ) : (
      <button
        type="button"
        tabIndex={isActive ? 0 : -1}
        title={words.filterBy(label.toLowerCase(), revealedText(value))}
        onClick={(click) => {
          click.stopPropagation();
          onFilter(name, value);
        }}
        className={classes('max-w-full truncate text-left hover:underline', look)}
      >
        {revealedText(value)}
      </button>
    );
  if (isPhone) {
    return (
      <button type="button" onClick={() => onOpen(event.cursor)} className="flex w-full flex-col px-4 py-1.5 text-left">
        <span className="flex w-full items-baseline gap-2">
          <span className="min-w-0 flex-1 truncate font-medium">{event.event_type}</span>
          <span className="text-caption text-muted">
            <TimeOfDay at={event.at} />
          </span>
        </span>
        <span className="w-full truncate text-caption text-muted">
          {revealedText(event.source_agent)} {summaryOf(event.payload)}
        </span>
      </button>
    );
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter and Space do the same for the active row
    // biome-ignore lint/a11y/noStaticElementInteractions: the row of a table, opened by keys as well
    <div
      onClick={() => onOpen(event.cursor)}
      className={classes(
        'grid h-7 cursor-default items-center gap-3 border-b border-line px-4 hover:bg-raised',
        EVENT_COLUMNS,
        isActive && 'bg-raised shadow-[inset_2px_0_0_var(--qd-accent)]',
      )}
    >
      <span className="font-mono text-[12px] text-muted">
        <TimeOfDay at={event.at} />
      </span>
      <span className="truncate">{field('type', words.columns.type, event.event_type, 'font-medium')}</span>
      <span className="truncate">{field('agent', words.columns.agent, event.source_agent)}</span>
      <span className={classes('truncate font-mono text-[12px]', LEFT_OUT)}>
        {field('subject', words.columns.subject, event.subject)}
      </span>
      <span className={classes('truncate', LEFT_OUT)}>
        {field('tenant', words.columns.tenant, event.tenant, 'text-muted')}
      </span>
      <span className="truncate font-mono text-[12px] text-muted">{summaryOf(event.payload)}</span>
    </div>
  );
});
