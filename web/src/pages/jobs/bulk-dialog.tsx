// Doing something to all jobs of the filter: how many there are, what came of each, and a way to stop.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Ban, RotateCw } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { call } from '../../api/client.ts';
import { meQuery } from '../../api/queries.ts';
import { routes } from '../../api/routes.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { qualifierChips } from '../../ui/qualifiers.ts';
import { type Answer, type Ask, type BulkKind, type Outcome, possible, runBulk } from './bulk.ts';
import { filterNames, type JobFilter, requestOf } from './job-filter.ts';
import { shortId } from './job-row.tsx';
import { words } from './words.ts';

const SURE_UP_TO = 50;
const MOST_LISTED = 2000;
const MOST_COUNTED = 10_000;
const w = words.bulk;
const count = (n: number): string => n.toLocaleString('en');

export function BulkButtons({ filter, isEmpty }: { filter: JobFilter; isEmpty: boolean }) {
  const mayWrite = useQuery(meQuery).data?.abilities.includes('work:write') ?? false;
  const [kind, setKind] = useState<BulkKind>();
  // The filter as it was when the dialog opened, whatever the page is shown meanwhile.
  const [frozen, setFrozen] = useState(filter);
  const kinds = isEmpty ? [] : possible(filter);
  const open = (chosen: BulkKind): void => {
    setFrozen(filter);
    setKind(chosen);
  };
  if (!mayWrite || (kinds.length === 0 && kind === undefined)) return null;
  return (
    <div className="flex shrink-0 gap-2">
      {kinds.includes('replay') && (
        <Button onClick={() => open('replay')}>
          <RotateCw aria-hidden="true" size={13} /> {w.replay}
        </Button>
      )}
      {kinds.includes('cancel') && (
        <Button onClick={() => open('cancel')}>
          <Ban aria-hidden="true" size={13} /> {w.cancel}
        </Button>
      )}
      {kind !== undefined && <BulkDialog kind={kind} filter={frozen} onClose={() => setKind(undefined)} />}
    </div>
  );
}

function BulkDialog({ kind, filter, onClose }: { kind: BulkKind; filter: JobFilter; onClose: () => void }) {
  const isCancel = kind === 'cancel';
  const [counted, setCounted] = useState<Answer>();
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const [error, setError] = useState<unknown>();
  const { outcomes, phase, start, stop } = useRun(askOf(kind, filter, reason), setError);

  // biome-ignore lint/correctness/useExhaustiveDependencies: counted once, when the dialog opens
  useEffect(() => {
    askOf(kind, filter, '')({ dry_run: true }).then(setCounted, setError);
  }, []);

  const chips = qualifierChips(filter, filterNames).map((chip) => chip.text);
  const isSure = counted !== undefined && (counted.matched <= SURE_UP_TO || typed === String(counted.matched));
  return (
    <Dialog
      title={isCancel ? w.cancelTitle : w.replayTitle}
      text={isCancel ? w.cancelText : w.replayText}
      onClose={() => {
        stop();
        onClose();
      }}
      isKept
    >
      <div className="flex flex-col gap-3">
        <p>
          <span className="text-muted">{w.filter}: </span>
          <code className="font-mono text-[12px] [overflow-wrap:anywhere]">
            {chips.length === 0 ? w.all : chips.join('  ')}
          </code>
        </p>
        {counted === undefined && error === undefined && <p role="status">{w.counting}</p>}
        {counted !== undefined && phase === 'asked' && (
          <div>
            <p className="text-strong font-semibold" role="status" data-matched={counted.matched}>
              {counted.matched === 0 ? w.nothing : w.match(count(counted.matched), counted.matched >= MOST_COUNTED)}
            </p>
            {counted.matched > 0 && <p className="text-muted">{w.frozen}</p>}
          </div>
        )}
        {counted !== undefined && phase === 'asked' && counted.matched > 0 && (
          <form
            className="flex flex-col gap-3"
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              if (isSure && counted.newest !== null) start(counted.newest);
            }}
          >
            {isCancel && (
              <TextField
                label={w.reason}
                hint={w.reasonHint}
                value={reason}
                maxLength={500}
                onChange={(event) => setReason(event.target.value)}
              />
            )}
            {counted.matched > SURE_UP_TO && (
              <TextField
                label={w.typeLabel(String(counted.matched))}
                value={typed}
                inputMode="numeric"
                className="w-48"
                onChange={(event) => setTyped(event.target.value)}
              />
            )}
            <div className="flex justify-end">
              <Button type="submit" tone="primary" disabled={!isSure}>
                {isCancel ? w.cancelWord(count(counted.matched)) : w.replayWord(count(counted.matched))}
              </Button>
            </div>
          </form>
        )}
        {phase !== 'asked' && counted !== undefined && (
          <Progress outcomes={outcomes} phase={phase} of={counted.matched} isCancel={isCancel} onStop={stop} />
        )}
        {error !== undefined && (
          <div className="-mx-4">
            <ProblemView error={error} />
          </div>
        )}
      </div>
    </Dialog>
  );
}

type Phase = 'asked' | 'running' | 'all' | 'stopped' | 'stuck' | 'failed';

function useRun(ask: Ask, onError: (error: unknown) => void) {
  const queries = useQueryClient();
  const [outcomes, setOutcomes] = useState<readonly Outcome[]>([]);
  const [phase, setPhase] = useState<Phase>('asked');
  const isStopped = useRef(false);
  const run = async (upTo: string): Promise<void> => {
    setPhase('running');
    try {
      const pages = runBulk(ask, upTo, () => isStopped.current);
      for (;;) {
        const page = await pages.next();
        if (page.done === true) return setPhase(page.value);
        setOutcomes((before) => [...before, ...page.value]);
      }
    } catch (error) {
      setPhase('failed');
      onError(error);
    } finally {
      void queries.invalidateQueries({ queryKey: ['work'] });
    }
  };
  return {
    outcomes,
    phase,
    start: (upTo: string) => void run(upTo),
    stop: () => {
      isStopped.current = true;
    },
  };
}

interface ProgressProps {
  readonly outcomes: readonly Outcome[];
  readonly phase: Phase;
  readonly of: number;
  readonly isCancel: boolean;
  readonly onStop: () => void;
}

function Progress({ outcomes, phase, of, isCancel, onStop }: ProgressProps) {
  const refused = outcomes.filter(({ code }) => code !== undefined);
  return (
    <>
      <div className="flex items-center gap-3">
        <p role="status" className="min-w-0 flex-1 font-medium" data-bulk={phase}>
          {phase === 'running' && `${w.progress(count(outcomes.length), count(of))}: `}
          {w.done(count(outcomes.length - refused.length), isCancel)}
          {refused.length > 0 && <span className="text-err">, {w.refused(count(refused.length))}</span>}
        </p>
        {phase === 'running' && <Button onClick={onStop}>{w.stop}</Button>}
      </div>
      <div aria-hidden="true" className="h-2 overflow-hidden rounded-full bg-raised">
        <div className="h-full bg-run" style={{ width: `${Math.min(1, outcomes.length / Math.max(1, of)) * 100}%` }} />
      </div>
      {phase === 'stopped' && <p className="text-warn">{w.stopped}</p>}
      {phase === 'stuck' && <p className="text-warn">{w.stuck}</p>}
      {outcomes.length > 0 && (
        <Outcomes outcomes={[...refused, ...outcomes.filter(({ code }) => code === undefined)]} />
      )}
    </>
  );
}

/** The refused first: they are what is left to do. */
function Outcomes({ outcomes }: { outcomes: readonly Outcome[] }) {
  return (
    <>
      <ol
        aria-label={w.outcomes}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        className="max-h-64 overflow-y-auto rounded-control border border-line font-mono text-[12px]"
      >
        {outcomes.slice(0, MOST_LISTED).map(({ id, job, code }) => (
          <li
            key={id}
            data-outcome={code ?? 'done'}
            className="flex flex-wrap gap-x-2 border-b border-line px-2 py-0.5 last:border-0"
          >
            <Link to="/jobs/$job" params={{ job: id }} title={id} className="hover:underline">
              {shortId(id)}
            </Link>
            {code !== undefined && <span className="text-err">{code}</span>}
            {code === undefined && job === undefined && <span className="text-muted">{w.outcome.cancelled}</span>}
            {job !== undefined && (
              <span className="text-muted">
                {w.outcome.replayed}{' '}
                <Link to="/jobs/$job" params={{ job }} title={job} className="text-accent hover:underline">
                  {shortId(job)}
                </Link>
              </span>
            )}
          </li>
        ))}
      </ol>
      {outcomes.length > MOST_LISTED && <p className="text-caption text-muted">{w.cut(count(MOST_LISTED))}</p>}
    </>
  );
}

function askOf(kind: BulkKind, filter: JobFilter, reason: string): Ask {
  const { agent: _, ...given } = requestOf(filter);
  if (kind === 'cancel') {
    return async (input) => {
      const why = reason.trim() === '' || input.dry_run === true ? {} : { reason: reason.trim() };
      const { cancelled, ...rest } = await call(routes.cancelJobs, { filter: given as object, ...why, ...input });
      return { ...rest, done: cancelled.map((id) => ({ id })) };
    };
  }
  return async (input) => {
    const { replayed, ...rest } = await call(routes.replayJobs, { filter: given as object, ...input });
    return { ...rest, done: replayed };
  };
}
