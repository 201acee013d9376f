// Pausing all work, or that of one tenant: the dialog, the banner that stays on every page, and resuming.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CirclePause } from 'lucide-react';
import { useRef, useState, useSyncExternalStore } from 'react';
import { call } from '../api/client.ts';
import { meQuery, workQuery } from '../api/queries.ts';
import { routes, type WorkPause } from '../api/routes.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { useDoing } from '../ui/doing.ts';
import { SelectField, TextField } from '../ui/field.tsx';
import { SubmitEnd, useSubmit } from '../ui/submit.tsx';
import { exactWords, minuteWords } from '../ui/time-words.ts';
import { toast } from '../ui/toasts.ts';
import { useMayWrite, useTenantNames } from './tenants.tsx';
import { words } from './words.ts';

const MOST_BANNERS = 2;
const w = words.pause;

let isOpen = false;
const listeners = new Set<() => void>();

/** Anybody may open the dialog; the shell shows it. */
export function openPauseWork(open = true): void {
  isOpen = open;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function PauseWork() {
  return useSyncExternalStore(subscribe, () => isOpen) ? (
    <PauseWorkDialog onClose={() => openPauseWork(false)} />
  ) : null;
}

function PauseWorkDialog({ onClose }: { onClose: () => void }) {
  const first = useRef<HTMLInputElement>(null);
  const own = useQuery(meQuery).data?.tenant ?? 'fleet';
  const names = useTenantNames();
  const [tenant, setTenant] = useState('');
  const [reason, setReason] = useState('');
  const submit = useSubmit(async () => {
    const paused = await call(routes.pauseWork, {
      ...(tenant === '' ? {} : { tenant }),
      ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
    });
    toast({ title: w.done(paused.tenant) });
    onClose();
  });
  return (
    <Dialog title={w.title} text={w.text} onClose={onClose} first={first}>
      <form onSubmit={submit.onSubmit} className="flex flex-col gap-4" noValidate>
        <SelectField label={w.what} value={tenant} onChange={(event) => setTenant(event.target.value)}>
          <option value="">{own === 'fleet' ? w.everything : own}</option>
          {names?.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </SelectField>
        <TextField
          ref={first}
          label={w.reason}
          hint={w.reasonHint}
          value={reason}
          maxLength={500}
          onChange={(event) => setReason(event.target.value)}
        />
        <SubmitEnd submit={submit} word={w.word} />
      </form>
    </Dialog>
  );
}

/** What is paused is said on every page, everything before single tenants. */
export function PauseBanners() {
  const mayRead = useQuery(meQuery).data?.abilities.includes('work:read') ?? false;
  const pauses = useQuery({ ...workQuery, enabled: mayRead }).data?.pauses ?? [];
  if (pauses.length === 0) return null;
  const sorted = [...pauses].sort((a, b) => Number(b.tenant === 'fleet') - Number(a.tenant === 'fleet'));
  const left = sorted.length - MOST_BANNERS;
  return (
    <>
      {sorted.slice(0, MOST_BANNERS).map((pause) => (
        <PauseBanner key={pause.tenant} pause={pause} />
      ))}
      {left > 0 && (
        <p className="border-b border-line bg-raised px-4 py-1.5">
          <Link to="/channels" className="text-accent hover:underline">
            {w.more(left)}
          </Link>
        </p>
      )}
    </>
  );
}

export function PauseBanner({ pause }: { pause: WorkPause }) {
  const mayWrite = useMayWrite();
  const doing = useDoing();
  const since = new Date(pause.since);
  const resume = async (): Promise<void> => {
    await call(routes.resumeWork, pause.tenant === 'fleet' ? {} : { tenant: pause.tenant });
    toast({ title: w.over(pause.tenant) });
  };
  return (
    <div
      role="status"
      data-paused={pause.tenant}
      className="flex shrink-0 items-center gap-2 border-b border-line bg-raised px-4 py-1 phone:px-3"
    >
      <CirclePause aria-hidden="true" size={15} className="shrink-0 text-pause" />
      <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        <strong className="font-semibold text-pause">{w.banner(pause.tenant)}</strong>{' '}
        <span className="text-muted" title={exactWords(since)}>
          {w.since(minuteWords(since), pause.by)}
        </span>
        {pause.reason !== null && <span>: {pause.reason}</span>}
      </p>
      {mayWrite(pause.tenant) && <Button onClick={() => void doing(resume)}>{w.resume}</Button>}
    </div>
  );
}
