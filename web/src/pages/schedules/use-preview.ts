// When cron lines come, asked of the server, which knows the clock changes of all zones as the engine does.
import { queryOptions, useQueries, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { call } from '../../api/client.ts';
import { routes, type Schedule } from '../../api/routes.ts';
import { PREVIEWED, type Tick } from './timing.ts';

const TYPING_MS = 250;
const RENEWED_MS = 1_800_000;
const SHOWN = 6;

// Not under `work`: no event outdates when a line comes.
function previewQuery(cron: string, zone: string, count: number, place: number) {
  return queryOptions({
    queryKey: ['preview', cron, zone, count, place],
    queryFn: async ({ signal }) => (await call(routes.previewSchedule, { cron, zone, count }, signal)).ticks,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}

/** Of what is being typed; asked a moment after the last key. */
export function usePreview(cron: string, zone: string) {
  const [typed, setTyped] = useState({ cron, zone });
  useEffect(() => {
    const timer = setTimeout(() => setTyped({ cron, zone }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [cron, zone]);
  const query = useQuery({
    ...previewQuery(typed.cron.trim(), typed.zone.trim(), SHOWN, 0),
    enabled: typed.cron.trim() !== '' && typed.zone.trim() !== '',
    gcTime: 0,
  });
  return { ...query, isCurrent: typed.cron === cron && typed.zone === zone };
}

/** The ticks of each schedule that has a cron line, in their order. */
export function useCronTicks(schedules: readonly Schedule[], now: number): readonly (readonly Tick[] | undefined)[] {
  const place = Math.floor(now / RENEWED_MS);
  // Two may have the same line in the same zone; it is asked for once.
  const lines = [
    ...new Map(
      schedules.flatMap(({ cron, zone }) => (cron === null ? [] : [[`${zone} ${cron}`, { cron, zone }] as const])),
    ),
  ];
  const answers = useQueries({
    queries: lines.map(([, { cron, zone }]) => previewQuery(cron, zone, PREVIEWED, place)),
  });
  const found = new Map(lines.map(([key], n) => [key, answers[n]?.data]));
  return schedules.map(({ cron, zone }) => (cron === null ? undefined : found.get(`${zone} ${cron}`)));
}
