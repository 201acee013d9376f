// Schedules: when each comes next, what it adds, and the next 24 hours as lanes.
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { schedulesQuery } from '../../api/queries.ts';
import type { Schedule } from '../../api/routes.ts';
import { useKeys } from '../../app/keyboard.ts';
import { useListKeys } from '../../app/list-keys.ts';
import { TenantFilter, useMayWrite } from '../../app/tenants.tsx';
import { useTitle } from '../../app/title.ts';
import { Button } from '../../ui/button.tsx';
import { Command } from '../../ui/copy.tsx';
import { Empty } from '../../ui/empty.tsx';
import { NotRenewed } from '../../ui/not-renewed.tsx';
import { PauseDialog } from '../../ui/pause-dialog.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { BackfillForm } from './backfill-form.tsx';
import { ScheduleForm } from './schedule-form.tsx';
import { ScheduleRow } from './schedule-row.tsx';
import { Timeline } from './timeline.tsx';
import { useScheduleActions } from './use-schedule-actions.ts';
import { words } from './words.ts';

const route = getRouteApi('/schedules');
const SAMPLE = `quarterdeck schedule set nightly --cron "0 3 * * *" --zone Europe/Berlin --job '{"kind":"reprice"}'`;

type Open = { readonly form: 'new' } | { readonly form: 'edit' | 'pause' | 'backfill'; readonly schedule: Schedule };

export function SchedulesPage() {
  useTitle(words.title);
  const { tenant } = route.useSearch();
  const navigate = route.useNavigate();
  const setTenant = (next: string | undefined): void => void navigate({ search: { tenant: next }, replace: true });
  const query = useQuery(schedulesQuery(tenant));
  const schedules = query.data?.items ?? [];
  const [active, setActive] = useState<string>();
  const [open, setOpen] = useState<Open>();
  const mayWrite = useMayWrite();
  const mayAdd = mayWrite(tenant ?? 'fleet') || schedules.some((one) => mayWrite(one.tenant));
  const actions = useScheduleActions();
  const close = (): void => setOpen(undefined);

  const togglePause = (schedule: Schedule): void => {
    if (schedule.paused === null) setOpen({ form: 'pause', schedule });
    else void actions.resume(schedule);
  };
  const edit = (schedule: Schedule): void => {
    if (schedule.declared_by === null) setOpen({ form: 'edit', schedule });
  };
  const withActive = (run: (schedule: Schedule) => void) => (): void => {
    const schedule = schedules.find((one) => idOf(one) === active);
    if (schedule !== undefined && mayWrite(schedule.tenant)) run(schedule);
  };
  useListKeys({
    ids: schedules.map(idOf),
    active,
    onActive: (id) => {
      setActive(id);
      document.querySelector(`[data-id="${CSS.escape(id)}"]`)?.scrollIntoView({ block: 'nearest' });
    },
    onOpen: withActive(edit),
    onPeek: withActive(edit),
    onBack: () => setActive(undefined),
  });
  useKeys([
    { keys: 'p', words: words.actions.keyPause, run: withActive(togglePause) },
    { keys: 'r', words: words.actions.keyRun, run: withActive((schedule) => void actions.run(schedule)) },
    { keys: 'e', words: words.actions.keyEdit, run: withActive(edit) },
    ...(mayAdd ? [{ keys: 'c', words: words.actions.keyNew, run: () => setOpen({ form: 'new' }) }] : []),
  ]);

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <header className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-4 py-2 phone:px-3">
        <h1 className="text-title font-semibold">{words.title}</h1>
        <TenantFilter tenant={tenant} onChange={setTenant} />
        {mayAdd && (
          <Button tone="primary" className="ml-auto phone:ml-0" onClick={() => setOpen({ form: 'new' })}>
            <Plus aria-hidden="true" size={13} /> {words.add}
          </Button>
        )}
      </header>
      {query.data !== undefined && <NotRenewed error={query.error} />}
      {query.data?.cut === true && <p className="border-b border-line px-4 py-1.5 text-warn">{words.cut}</p>}
      <ScrollRegion label={words.list} className="@container">
        {query.isPending && <RowSkeletons rows={6} />}
        {query.data === undefined && query.error !== null && (
          <ProblemView error={query.error} onRetry={() => void query.refetch()} />
        )}
        {query.data !== undefined && schedules.length === 0 && (
          <NoSchedules tenant={tenant} onAll={() => setTenant(undefined)} />
        )}
        {schedules.length > 0 && (
          <>
            <Timeline schedules={schedules} />
            <ul aria-label={words.list} className="border-t border-line">
              {schedules.map((schedule) => (
                <ScheduleRow
                  key={idOf(schedule)}
                  schedule={schedule}
                  isActive={idOf(schedule) === active}
                  mayWrite={mayWrite(schedule.tenant)}
                  onActive={() => setActive(idOf(schedule))}
                  onTogglePause={() => togglePause(schedule)}
                  onRun={() => void actions.run(schedule)}
                  onEdit={() => edit(schedule)}
                  onBackfill={() => setOpen({ form: 'backfill', schedule })}
                  onRemove={() => void actions.remove(schedule)}
                />
              ))}
            </ul>
          </>
        )}
      </ScrollRegion>
      {open?.form === 'new' && <ScheduleForm onClose={close} />}
      {open?.form === 'edit' && <ScheduleForm schedule={open.schedule} onClose={close} />}
      {open?.form === 'backfill' && <BackfillForm schedule={open.schedule} onClose={close} />}
      {open?.form === 'pause' && (
        <PauseDialog
          title={words.actions.pauseOf(open.schedule.schedule)}
          text={words.actions.pauseText}
          onPause={(pause) => actions.pause(open.schedule, pause)}
          onClose={close}
        />
      )}
    </div>
  );
}

function NoSchedules({ tenant, onAll }: { tenant: string | undefined; onAll: () => void }) {
  if (tenant === undefined) {
    return (
      <Empty kind="nothing-yet" title={words.none.title} text={words.none.text}>
        <Command text={SAMPLE} />
      </Empty>
    );
  }
  const { title, text } = words.noneOf(tenant);
  return (
    <Empty kind="no-match" title={title} text={text}>
      <Button onClick={onAll}>{words.showAll}</Button>
    </Empty>
  );
}

/** Two tenants may have schedules of the same name. */
function idOf({ tenant, schedule }: Schedule): string {
  return `${tenant}/${schedule}`;
}
