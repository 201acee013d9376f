// Making a channel or changing what it allows, with a sentence that says what will hold.
import { Plus, X } from 'lucide-react';
import { useRef, useState } from 'react';
import { call } from '../../api/client.ts';
import { type Channel, routes } from '../../api/routes.ts';
import { useTenantNames } from '../../app/tenants.tsx';
import { Button, IconButton } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { SubmitEnd, useSubmit } from '../../ui/submit.tsx';
import { toast } from '../../ui/toasts.ts';
import { allowsWords, fieldOf, fullAlready, type LimitField, readForm } from './limits.ts';
import { words } from './words.ts';

const MOST_LIMITS = 8;
const SLUG = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
const box = 'h-8 min-w-0 rounded-control border border-control bg-panel px-2 phone:h-11';
const w = words.form;

export function ChannelForm({ channel, onClose }: { channel?: Channel | undefined; onClose: () => void }) {
  const first = useRef<HTMLInputElement>(null);
  const names = useTenantNames();
  const [name, setName] = useState('');
  const [tenant, setTenant] = useState('');
  const [concurrency, setConcurrency] = useState(channel?.concurrency?.toString() ?? '');
  const [fields, setFields] = useState<readonly LimitField[]>(() => channel?.limits.map(fieldOf) ?? []);
  const [isTried, setTried] = useState(false);
  const read = readForm(concurrency, fields);
  const isNameBad = channel === undefined && !SLUG.test(name);
  const submit = useSubmit(async () => {
    setTried(true);
    if (isNameBad || read.problems.length > 0) return;
    const allows = { concurrency: read.concurrency ?? 0, limits: [...read.limits] };
    if (channel === undefined) {
      await call(routes.setChannel, { channel: name, ...(tenant === '' ? {} : { tenant }), ...allows });
    } else await call(routes.setChannel, { channel: channel.channel, tenant: channel.tenant, ...allows });
    toast({ title: channel === undefined ? w.made(name) : w.saved(channel.channel) });
    onClose();
  });
  return (
    <Dialog
      title={channel === undefined ? w.new : w.edit(channel.channel)}
      onClose={onClose}
      isKept
      {...(channel === undefined ? { first } : {})}
    >
      <form onSubmit={submit.onSubmit} className="flex flex-col gap-4" noValidate>
        {channel === undefined && (
          <TextField
            ref={first}
            label={w.channel}
            hint={w.channelHint}
            problem={isTried && isNameBad ? w.channelBad : undefined}
            value={name}
            maxLength={63}
            autoCapitalize="none"
            onChange={(event) => setName(event.target.value)}
          />
        )}
        {channel === undefined && names !== undefined && (
          <SelectField label={w.tenant} value={tenant} onChange={(event) => setTenant(event.target.value)}>
            <option value="">{words.fleet}</option>
            {names.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </SelectField>
        )}
        <TextField
          label={w.concurrency}
          hint={w.concurrencyHint}
          value={concurrency}
          inputMode="numeric"
          maxLength={6}
          className="w-40"
          onChange={(event) => setConcurrency(event.target.value)}
        />
        <Limits fields={fields} onChange={setFields} />
        <section aria-labelledby="channel-means" className="rounded-control border border-line bg-bg px-3 py-2">
          <h3 id="channel-means" className="text-caption font-semibold text-muted uppercase">
            {w.means}
          </h3>
          <div aria-live="polite" data-means>
            {read.problems.length === 0 ? (
              <>
                <p>{allowsWords(read.concurrency, read.limits)}</p>
                {fullAlready(channel?.limits ?? [], read.limits).map((text) => (
                  <p key={text} className="text-warn">
                    {text}
                  </p>
                ))}
                {read.limits.length > 0 && <p className="text-caption text-muted">{w.cost}</p>}
              </>
            ) : (
              read.problems.map((problem) => (
                <p key={problem} className="text-err">
                  {problem}
                </p>
              ))
            )}
          </div>
        </section>
        <SubmitEnd submit={submit} word={channel === undefined ? w.make : w.save} />
      </form>
    </Dialog>
  );
}

function Limits({ fields, onChange }: { fields: readonly LimitField[]; onChange: (fields: LimitField[]) => void }) {
  const change = (key: number, part: Partial<LimitField>): void =>
    onChange(fields.map((field) => (field.key === key ? { ...field, ...part } : field)));
  const add = (): void => {
    const key = Math.max(-1, ...fields.map((field) => field.key)) + 1;
    onChange([...fields, { key, limit: '', count: '1', unit: 60 }]);
  };
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-medium">{w.limits}</legend>
      <ul className="flex flex-col gap-2">
        {fields.map(({ key, limit, count, unit }) => (
          <li key={key} data-limit className="flex flex-wrap items-center gap-2">
            <input
              aria-label={w.most}
              inputMode="numeric"
              autoComplete="off"
              maxLength={10}
              value={limit}
              onChange={(event) => change(key, { limit: event.target.value })}
              className={`${box} w-28 flex-1`}
            />
            <span className="text-muted">{w.inAny}</span>
            <input
              aria-label={w.window}
              inputMode="numeric"
              autoComplete="off"
              maxLength={8}
              value={count}
              onChange={(event) => change(key, { count: event.target.value })}
              className={`${box} w-16`}
            />
            <select
              aria-label={w.unit}
              value={unit}
              onChange={(event) => change(key, { unit: Number(event.target.value) })}
              className={`${box} w-24`}
            >
              {words.units.map(([length, word]) => (
                <option key={length} value={length}>
                  {w.units(word)}
                </option>
              ))}
            </select>
            <IconButton label={w.remove} onClick={() => onChange(fields.filter((field) => field.key !== key))}>
              <X size={14} />
            </IconButton>
          </li>
        ))}
      </ul>
      {fields.length < MOST_LIMITS && (
        <Button tone="quiet" className="mt-1 -ml-2" onClick={add}>
          <Plus aria-hidden="true" size={13} /> {w.add}
        </Button>
      )}
    </fieldset>
  );
}
