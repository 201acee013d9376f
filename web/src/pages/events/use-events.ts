// Events under a filter: pages read backwards from the newest, and above them what the live feed brings. While the
// view is held (paused, or scrolled away from the top) what is new is counted and not shown.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { call } from '../../api/client.ts';
import { type EventItem, type EventPage, routes } from '../../api/routes.ts';
import { useLiveStore, useLiveView } from '../../live/live.tsx';
import { above } from '../../live/tail.ts';
import { clock } from '../../ui/clock.ts';
import { type EventFilter, matches, requestOf } from './filters.ts';

const PAGE = 200;

export interface EventsView {
  readonly events: readonly EventItem[];
  /** How many matching events arrived while the view was held. */
  readonly held: number;
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly hasOlder: boolean;
  readonly isLoadingOlder: boolean;
  loadOlder(): void;
  retry(): void;
}

interface MarkedPage extends EventPage {
  /** Where the live tail stood when the page was asked for: what came later is above it. */
  readonly mark: number;
}

/** `heldAt`: position of the tail at which the view stands still; undefined while it follows. */
export function useEvents(filter: EventFilter, heldAt: number | undefined): EventsView {
  const live = useLiveStore();
  const view = useLiveView();
  const query = useInfiniteQuery({
    queryKey: ['events', filter],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }): Promise<MarkedPage> => {
      const mark = live.tail.end;
      const place = pageParam === undefined ? {} : { after: pageParam };
      const input = { order: 'desc' as const, limit: PAGE, ...requestOf(filter, clock.now()), ...place };
      return { ...(await call(routes.listEvents, input, signal)), mark };
    },
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });

  const pages = query.data?.pages;
  const mark = pages?.[0]?.mark;
  const isOverrun = mark !== undefined && mark < view.end && live.tail.start > mark && heldAt === undefined;
  const { refetch } = query;
  useEffect(() => {
    // More came than is kept: the page is read anew rather than shown with a hole.
    if (isOverrun) void refetch();
  }, [isOverrun, refetch]);

  const stop = Math.min(heldAt ?? view.end, view.end);
  const snapshot = useMemo(() => pages?.flatMap((page) => page.items) ?? [], [pages]);
  const events = useMemo(() => {
    if (mark === undefined) return [];
    const since = live.tail.slice(mark, Math.max(mark, stop)).filter((event) => matches(filter, event));
    return above(snapshot, since);
  }, [snapshot, mark, stop, filter, live]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tail changes with its end
  const held = useMemo(
    () => live.tail.slice(stop).filter((event) => matches(filter, event)).length,
    [stop, view.end, filter, live],
  );

  return {
    events,
    held,
    isPending: query.isPending,
    error: query.error,
    hasOlder: query.hasNextPage,
    isLoadingOlder: query.isFetchingNextPage,
    loadOlder: () => {
      if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
    },
    retry: () => void query.refetch(),
  };
}
