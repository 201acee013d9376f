// Making or changing a schedule. While a cron line is typed, the server says when it comes.
import { useId, useRef, useState } from 'react';
import { call } from '../../api/client.ts';
import { routes, type Schedule } from '../../api/routes.ts';
import { useTenantNames } from '../../app/tenants.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { SubmitEnd, useSubmit } from '../../ui/submit.tsx';
import { toast } from '../../ui/toasts.ts';
import { type Draft, draftOf, readDraft } from './draft.ts';
import { Preview } from './preview.tsx';
import { ownZone } from './timing.ts';
import { words } from './words.ts';

const w = words.form;

export function ScheduleForm({ schedule, onClose }: { schedule?: Schedule | undefined; onClose: () => void }) {
  const first = useRef<HTMLInputElement>(null);
  const names = useTenantNames()?.filter((name) => name !== w.defaultTenant);
  const [tenant, setTenant] = useState('');
  const [draft, setDraft] = useState<Draft>(() => draftOf(schedule, ownZone()));
  const [isTried, setTried] = useState(false);
  const { input, problems } = readDraft(draft, schedule?.job);
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const problemOf = (field: keyof Draft): string | undefined => (isTried ? problems[field] : undefined);
  const submit = useSubmit(async () => {
    setTried(true);
    if (input === undefined) return;
    const of = schedule === undefined ? { ...(tenant === '' ? {} : { tenant }) } : { tenant: schedule.tenant };
    await call(routes.setSchedule, { schedule: draft.name, ...of, ...input });
    toast({ title: schedule === undefined ? w.made(draft.name) : w.saved(draft.name) });
    onClose();
  });
  return (
    <Dialog
      title={schedule === undefined ? w.new : w.edit(schedule.schedule)}
      onClose={onClose}
      isKept
      {...(schedule === undefined ? { first } : {})}
    >
      <form onSubmit={submit.onSubmit} className="flex flex-col gap-4" noValidate>
        {schedule === undefined && (
          <div className="grid grid-cols-2 gap-3 phone:grid-cols-1">
            <TextField
              ref={first}
              label={w.schedule}
              hint={w.scheduleHint}
              problem={problemOf('name')}
              value={draft.name}
              maxLength={63}
              autoCapitalize="none"
              onChange={(event) => change({ name: event.target.value })}
            />
            {names !== undefined && (
              <SelectField label={w.tenant} value={tenant} onChange={(event) => setTenant(event.target.value)}>
                <option value="">{w.defaultTenant}</option>
                {names.map((one) => (
                  <option key={one} value={one}>
                    {one}
                  </option>
                ))}
              </SelectField>
            )}
          </div>
        )}
        <When draft={draft} change={change} problemOf={problemOf} />
        <What draft={draft} change={change} problemOf={problemOf} />
        <Policies draft={draft} change={change} problemOf={problemOf} />
        <SubmitEnd submit={submit} word={schedule === undefined ? w.make : w.save} />
      </form>
    </Dialog>
  );
}

interface PartProps {
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
  readonly problemOf: (field: keyof Draft) => string | undefined;
}

function When({ draft, change, problemOf }: PartProps) {
  const zones = useId();
  return (
    <>
      <div className="grid grid-cols-2 gap-3 phone:grid-cols-1">
        <SelectField
          label={w.how}
          value={draft.how}
          onChange={(event) => change({ how: event.target.value as Draft['how'] })}
        >
          {Object.entries(w.hows).map(([how, word]) => (
            <option key={how} value={how}>
              {word}
            </option>
          ))}
        </SelectField>
        {draft.how === 'cron' && (
          <>
            <TextField
              label={w.zone}
              list={zones}
              value={draft.zone}
              maxLength={64}
              onChange={(event) => change({ zone: event.target.value })}
            />
            <datalist id={zones}>
              {Intl.supportedValuesOf('timeZone').map((zone) => (
                <option key={zone} value={zone} />
              ))}
            </datalist>
          </>
        )}
        {draft.how === 'every' && (
          <div className="grid grid-cols-2 gap-3">
            <TextField
              label={w.every}
              problem={problemOf('every')}
              inputMode="numeric"
              value={draft.every}
              maxLength={8}
              onChange={(event) => change({ every: event.target.value })}
            />
            <SelectField
              label={w.unit}
              value={draft.unit}
              onChange={(event) => change({ unit: Number(event.target.value) })}
            >
              {words.units.map(([length, word]) => (
                <option key={length} value={length}>
                  {w.units(word)}
                </option>
              ))}
            </SelectField>
          </div>
        )}
        {draft.how === 'at' && (
          <TextField
            label={w.at}
            type="datetime-local"
            hint={w.atHint(ownZone())}
            problem={problemOf('at')}
            value={draft.at}
            onChange={(event) => change({ at: event.target.value })}
          />
        )}
      </div>
      {draft.how === 'cron' && (
        <TextField
          label={w.cron}
          hint={w.cronHint}
          problem={problemOf('cron')}
          value={draft.cron}
          maxLength={200}
          placeholder="0 3 * * *"
          onChange={(event) => change({ cron: event.target.value })}
        />
      )}
      <Preview draft={draft} />
    </>
  );
}

function What({ draft, change, problemOf }: PartProps) {
  const id = useId();
  const problem = problemOf('payload');
  return (
    <>
      <TextField
        label={w.kind}
        hint={w.kindHint}
        problem={problemOf('kind')}
        value={draft.kind}
        maxLength={63}
        autoCapitalize="none"
        onChange={(event) => change({ kind: event.target.value })}
      />
      <div className="grid grid-cols-2 gap-3 phone:grid-cols-1">
        <TextField
          label={w.queue}
          hint={w.queueHint}
          value={draft.queue}
          maxLength={63}
          autoCapitalize="none"
          onChange={(event) => change({ queue: event.target.value })}
        />
        <TextField
          label={w.channel}
          hint={w.channelHint}
          value={draft.channel}
          maxLength={63}
          autoCapitalize="none"
          onChange={(event) => change({ channel: event.target.value })}
        />
      </div>
      <div>
        <label htmlFor={id} className="mb-1 block font-medium">
          {w.payload}
        </label>
        <textarea
          id={id}
          rows={3}
          spellCheck={false}
          aria-invalid={problem !== undefined}
          aria-describedby={`${id}-more`}
          value={draft.payload}
          onChange={(event) => change({ payload: event.target.value })}
          className="w-full rounded-control border border-control bg-panel px-2 py-1.5 font-mono text-[12px]"
        />
        <p id={`${id}-more`} className={problem === undefined ? 'text-caption text-muted' : 'text-err'}>
          {problem ?? w.payloadHint}
        </p>
      </div>
    </>
  );
}

function Policies({ draft, change, problemOf }: PartProps) {
  return (
    <>
      <SelectField
        label={w.overlap}
        value={draft.overlap}
        onChange={(event) => change({ overlap: event.target.value as Draft['overlap'] })}
      >
        {Object.entries(w.overlaps).map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </SelectField>
      <SelectField
        label={w.catchUp}
        problem={problemOf('catchUp')}
        value={draft.catchUp}
        onChange={(event) => change({ catchUp: event.target.value as Draft['catchUp'] })}
      >
        {Object.entries(w.catchUps).map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </SelectField>
      <TextField
        label={w.jitter}
        problem={problemOf('jitter')}
        inputMode="numeric"
        value={draft.jitter}
        maxLength={5}
        onChange={(event) => change({ jitter: event.target.value })}
      />
    </>
  );
}
