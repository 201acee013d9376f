// What an operator can do to a job: end it, try it again once it has ended, let it run before all others. What its state
// or the operator's abilities do not allow is undefined.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { call } from '../../api/client.ts';
import { Problem } from '../../api/problem.ts';
import { meQuery } from '../../api/queries.ts';
import { type Job, type JobState, routes } from '../../api/routes.ts';
import { confirm } from '../../ui/confirm.ts';
import { toast } from '../../ui/toasts.ts';
import { words } from './words.ts';

export interface JobActions {
  readonly cancel: (() => void) | undefined;
  readonly replay: (() => void) | undefined;
  readonly toggleUrgent: (() => void) | undefined;
}

const OPEN: readonly JobState[] = ['scheduled', 'queued', 'awaiting_approval', 'running'];
const WAITING: readonly JobState[] = ['scheduled', 'queued'];
const NEEDED = 'work:write';

export function useJobActions(job: Job): JobActions {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const isAllowed = useQuery(meQuery).data?.abilities.includes(NEEDED) ?? false;
  const w = words.actions;
  const doing = (run: () => Promise<void>) => (): void => {
    const failed = (error: unknown): void => {
      const text = error instanceof Problem ? [error.message, error.hint].filter(Boolean).join('. ') : String(error);
      toast({ title: w.failed, text, tone: 'err' });
    };
    void run()
      .catch(failed)
      .finally(() => queries.invalidateQueries({ queryKey: ['work'] }));
  };
  const cancel = async (): Promise<void> => {
    const isSure = await confirm({ title: w.cancelTitle(job.kind), text: w.cancelText, word: w.cancelWord });
    if (!isSure) return;
    refuse(await call(routes.cancelJobs, { jobs: [job.id] }));
    toast({ title: w.cancelled });
  };
  const replay = async (): Promise<void> => {
    const answer = await call(routes.replayJobs, { jobs: [job.id] });
    refuse(answer);
    const id = answer.replayed[0]?.job;
    toast({
      title: w.replayed,
      ...(id === undefined
        ? {}
        : { action: { word: w.show, run: () => void navigate({ to: '/jobs/$job', params: { job: id } }) } }),
    });
  };
  const toggleUrgent = async (): Promise<void> => {
    const changed = await call(routes.changeJob, { job: job.id, urgent: !job.urgent });
    toast({ title: changed.urgent ? w.madeUrgent : w.madeCalm });
  };
  const when = (states: readonly JobState[], run: () => Promise<void>) =>
    isAllowed && states.includes(job.state) ? doing(run) : undefined;
  return {
    cancel: when(OPEN, cancel),
    replay: when(['dead', 'cancelled'], replay),
    toggleUrgent: when(WAITING, toggleUrgent),
  };
}

// Of several jobs some may be refused, so the answer says it of one as well.
function refuse({ refused }: { readonly refused: readonly { readonly code: string }[] }): void {
  const code = refused[0]?.code;
  if (code !== undefined) throw new Problem(409, code, words.actions.refused(code));
}
