// Adding what a schedule would have added in a past time: counted first, then done.
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { call } from '../../api/client.ts';
import { routes, type Schedule } from '../../api/routes.ts';
import { clock } from '../../ui/clock.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { SubmitEnd, useSubmit } from '../../ui/submit.tsx';
import { exactWords } from '../../ui/time-words.ts';
import { toast } from '../../ui/toasts.ts';
import { localField, momentOf } from './timing.ts';
import { words } from './words.ts';

const DAY = 86_400_000;
const w = words.backfill;

interface Counted {
  readonly ticks: number;
  readonly first: string | null;
  readonly last: string | null;
}

export function BackfillForm({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const navigate = useNavigate();
  const [since, setSince] = useState(() => localField(new Date(clock.now() - DAY)));
  const [until, setUntil] = useState(() => localField(new Date(clock.now())));
  const [counted, setCounted] = useState<Counted>();
  const span = spanOf(since, until);
  const of = { schedule: schedule.schedule, tenant: schedule.tenant };
  const submit = useSubmit(async () => {
    if (span === undefined) return;
    const isAdding = counted !== undefined && counted.ticks > 0;
    const answer = await call(routes.backfillSchedule, { ...of, ...span, dry_run: !isAdding });
    if (!isAdding) return setCounted(answer);
    const search = { schedule: schedule.schedule, tenant: schedule.tenant };
    const run = (): void => void navigate({ to: '/jobs', search });
    toast({ title: w.done(answer.jobs.length), action: { word: words.actions.jobs, run } });
    onClose();
  });
  // Another time is counted anew.
  const change = (set: (value: string) => void) => (event: { target: { value: string } }) => {
    set(event.target.value);
    setCounted(undefined);
  };
  const word = counted !== undefined && counted.ticks > 0 ? w.add(counted.ticks) : w.count;
  return (
    <Dialog title={w.title(schedule.schedule)} text={w.text} onClose={onClose} isKept>
      <form onSubmit={submit.onSubmit} className="flex flex-col gap-4" noValidate>
        <div className="grid grid-cols-2 gap-3 phone:grid-cols-1">
          <TextField label={w.since} type="datetime-local" value={since} onChange={change(setSince)} />
          <TextField label={w.until} type="datetime-local" value={until} onChange={change(setUntil)} />
        </div>
        <p role="status" data-counted={counted?.ticks}>
          {span === undefined ? <span className="text-err">{w.bad}</span> : counted !== undefined && wordsOf(counted)}
        </p>
        <SubmitEnd submit={submit} word={word} isDisabled={span === undefined} />
      </form>
    </Dialog>
  );
}

function wordsOf({ ticks, first, last }: Counted): string {
  if (first === null || last === null) return w.nothing;
  const words = (at: string): string => exactWords(new Date(at)).slice(0, 16);
  return w.found(ticks, words(first), words(last));
}

function spanOf(since: string, until: string): { since: string; until: string } | undefined {
  const [from, to] = [momentOf(since), momentOf(until)];
  return from === undefined || to === undefined || from >= to ? undefined : { since: from, until: to };
}
