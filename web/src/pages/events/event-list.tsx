// The list of events, newest first; only the rows that can be seen are built. Rows that arrive never push what is read:
// the list is held as soon as it is scrolled away from the top.
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowUp } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useListKeys } from '../../app/list-keys.ts';
import { useLivePart, useLiveStore } from '../../live/live.tsx';
import { buttonClasses } from '../../ui/button.tsx';
import { classes } from '../../ui/classes.ts';
import { useIsPhone } from '../../ui/media.ts';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { EVENT_COLUMNS, EventRow, type FieldFilter, LEFT_OUT } from './event-row.tsx';
import type { EventsView } from './use-events.ts';
import { words } from './words.ts';

const ROW_PX = 28;
const PHONE_ROW_PX = 56;

/** Where a list stands still: the operator's pause, or its own since it was scrolled away from the top. */
export function useHeldAt(): { heldAt: number | undefined; hold: (held: boolean) => void } {
  const live = useLiveStore();
  const pausedAt = useLivePart((view) => view.pausedAt);
  const [scrolledAt, setScrolledAt] = useState<number>();
  const hold = (held: boolean): void => setScrolledAt((at) => (held ? (at ?? live.tail.end) : undefined));
  const heldAt = pausedAt === undefined ? scrolledAt : Math.min(pausedAt, scrolledAt ?? pausedAt);
  return { heldAt, hold };
}

interface EventListProps {
  readonly view: EventsView;
  readonly label: string;
  readonly peek: string | undefined;
  readonly isPaused: boolean;
  readonly onHold: (held: boolean) => void;
  readonly onPeek: (cursor: string | undefined) => void;
  readonly onFilter: FieldFilter;
  readonly onBack?: () => void;
}

export function EventList({ view, label, peek, isPaused, onHold, onPeek, onFilter, onBack }: EventListProps) {
  const { events } = view;
  const isPhone = useIsPhone();
  const box = useRef<HTMLElement>(null);
  const [active, setActive] = useState(peek);
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => box.current,
    estimateSize: () => (isPhone ? PHONE_ROW_PX : ROW_PX),
    overscan: 12,
    getItemKey: (index) => events[index]?.cursor ?? index,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const { hasOlder, loadOlder } = view;
  useEffect(() => {
    if (hasOlder && last >= events.length - 30) loadOlder();
  }, [hasOlder, last, events.length, loadOlder]);
  const open = (cursor: string): void => {
    setActive(cursor);
    onPeek(cursor);
  };
  useListKeys({
    ids: events.map((event) => event.cursor),
    active,
    onActive: (cursor, index) => {
      setActive(cursor);
      virtual.scrollToIndex(index);
      if (peek !== undefined) onPeek(cursor);
    },
    onOpen: open,
    onPeek: (cursor) => (peek === cursor ? onPeek(undefined) : open(cursor)),
    onBack: () => (peek === undefined ? onBack?.() : onPeek(undefined)),
  });
  const toTop = (): void => {
    box.current?.scrollTo({ top: 0 });
    onHold(false);
  };
  return (
    <div className="@container relative flex min-h-0 flex-1 flex-col">
      {!isPhone && (
        <div
          aria-hidden="true"
          className={classes(
            'grid h-8 shrink-0 items-center gap-3 border-b border-line px-4 text-caption font-medium text-muted',
            EVENT_COLUMNS,
          )}
        >
          {Object.entries(words.columns).map(([name, column]) => (
            <span key={name} className={name === 'subject' || name === 'tenant' ? LEFT_OUT : undefined}>
              {column}
            </span>
          ))}
        </div>
      )}
      {view.held > 0 && !isPaused && (
        <button
          type="button"
          onClick={toTop}
          className={buttonClasses(
            'primary',
            'absolute top-10 left-1/2 z-10 -translate-x-1/2 rounded-full shadow-float',
          )}
        >
          <ArrowUp aria-hidden="true" size={13} /> {words.newer(view.held)}
        </button>
      )}
      <ScrollRegion ref={box} label={label} onScroll={() => onHold((box.current?.scrollTop ?? 0) > 4)}>
        <ol className="relative" style={{ height: virtual.getTotalSize() }} aria-label={label}>
          {items.map((item) => {
            const event = events[item.index];
            return (
              event !== undefined && (
                <li
                  key={item.key}
                  data-cursor={event.cursor}
                  aria-current={event.cursor === active}
                  className="absolute inset-x-0 top-0"
                  style={{ transform: `translateY(${item.start}px)`, height: item.size }}
                >
                  <EventRow
                    event={event}
                    isActive={event.cursor === active}
                    isPhone={isPhone}
                    onFilter={onFilter}
                    onOpen={open}
                  />
                </li>
              )
            );
          })}
        </ol>
        {events.length > 0 && (
          <p className="py-2 text-center text-caption text-muted">{view.hasOlder ? words.older : words.begin}</p>
        )}
      </ScrollRegion>
    </div>
  );
}
