// Jobs under a filter, newest first: pages that are fetched again as work goes on. While the list is scrolled away from
// its top, jobs newer than the first one shown are counted and not put in, so that nothing moves under the reader.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { call } from '../../api/client.ts';
import { revealedJob } from '../../api/revealed.ts';
import { type Job, type JobPage, routes } from '../../api/routes.ts';
import { type JobFilter, requestOf } from './job-filter.ts';

const PAGE = 100;
const BACKSTOP_MS = 5000;

export interface JobsView {
  readonly jobs: readonly Job[];
  /** How many newer ones are held back. */
  readonly held: number;
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly hasOlder: boolean;
  hold(isHeld: boolean): void;
  loadOlder(): void;
  retry(): void;
}

export function useJobs(filter: JobFilter): JobsView {
  const query = useInfiniteQuery({
    queryKey: ['work', 'jobs', filter],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }): Promise<JobPage> => {
      const place = pageParam === undefined ? {} : { after: pageParam };
      const page = await call(routes.listJobs, { limit: PAGE, ...requestOf(filter), ...place }, signal);
      return { ...page, items: page.items.map(revealedJob) };
    },
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: BACKSTOP_MS,
  });
  const [top, setTop] = useState<string>();
  const pages = query.data?.pages;
  const all = useMemo(() => pages?.flatMap((page) => page.items) ?? [], [pages]);
  // Ids sort as their jobs were added.
  const jobs = useMemo(() => (top === undefined ? all : all.filter((job) => job.id <= top)), [all, top]);
  return {
    jobs,
    held: all.length - jobs.length,
    isPending: query.isPending,
    error: query.error,
    hasOlder: query.hasNextPage,
    hold: (isHeld) => setTop((now) => (isHeld ? (now ?? all[0]?.id) : undefined)),
    loadOlder: () => {
      if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
    },
    retry: () => void query.refetch(),
  };
}
