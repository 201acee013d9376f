// What an operator can do to a schedule beside changing it.
import { useNavigate } from '@tanstack/react-router';
import { call } from '../../api/client.ts';
import { routes, type Schedule } from '../../api/routes.ts';
import { confirm } from '../../ui/confirm.ts';
import { useDoing } from '../../ui/doing.ts';
import { toast } from '../../ui/toasts.ts';
import { words } from './words.ts';

export interface ScheduleActions {
  pause(schedule: Schedule, pause: { reason?: string }): Promise<void>;
  resume(schedule: Schedule): Promise<void>;
  run(schedule: Schedule): Promise<void>;
  remove(schedule: Schedule): Promise<void>;
}

const w = words.actions;

export function useScheduleActions(): ScheduleActions {
  const doing = useDoing();
  const navigate = useNavigate();
  return {
    async pause({ schedule, tenant }, { reason }) {
      await call(routes.pauseSchedule, { schedule, tenant, ...(reason === undefined ? {} : { reason }) });
      toast({ title: w.paused(schedule) });
    },
    resume: ({ schedule, tenant }) =>
      doing(async () => {
        await call(routes.resumeSchedule, { schedule, tenant });
        toast({ title: w.resumed(schedule) });
      }),
    run: ({ schedule, tenant }) =>
      doing(async () => {
        const { job } = await call(routes.runSchedule, { schedule, tenant });
        const run = (): void => void navigate({ to: '/jobs/$job', params: { job } });
        toast({ title: w.ran(schedule), action: { word: w.show, run } });
      }),
    async remove({ schedule, tenant }) {
      if (!(await confirm({ title: w.removeTitle(schedule), text: w.removeText, word: w.removeWord }))) return;
      await doing(async () => {
        await call(routes.removeSchedule, { schedule, tenant });
        toast({ title: w.removed(schedule) });
      });
    },
  };
}
