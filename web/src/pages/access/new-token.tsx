// The form of a new token: what for, for whom, for how long, and what it may do. What comes of it is shown once in the
// same dialog.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { Ability } from '../../../../src/domains/access/abilities.ts';
import { call } from '../../api/client.ts';
import { meQuery, tenantsQuery } from '../../api/queries.ts';
import { routes } from '../../api/routes.ts';
import { Button } from '../../ui/button.tsx';
import { clock } from '../../ui/clock.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { ShownOnce } from './shown-once.tsx';
import { byRoom, wordsOfAbility } from './token-state.ts';
import { words } from './words.ts';

const DAYS = [1, 7, 30, 90, 365];
const DAY_MS = 86_400_000;
const w = words.newToken;

export function NewToken({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const tenants = useQuery(tenantsQuery).data?.items ?? [];
  const [secret, setSecret] = useState<string>();
  const [name, setName] = useState('');
  const [tenant, setTenant] = useState('');
  const [days, setDays] = useState(90);
  const [chosen, setChosen] = useState<ReadonlySet<Ability>>(new Set());
  const [isTried, setTried] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const make = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    const form = event.currentTarget as HTMLFormElement;
    if (name.trim() === '' || chosen.size === 0) {
      // What is wrong may be out of sight.
      requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      const made = await call(routes.createToken, {
        name: name.trim(),
        abilities: [...chosen],
        expires_at: new Date(clock.now() + days * DAY_MS).toISOString(),
        ...(tenant === '' ? {} : { tenant }),
      });
      setSecret(made.token);
      void queries.invalidateQueries({ queryKey: ['access', 'tokens'] });
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  if (secret !== undefined) {
    return (
      <Dialog title={words.once.title} onClose={onClose} isKept>
        <ShownOnce secret={secret} onDone={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog title={w.title} onClose={onClose} isKept>
      <form onSubmit={(event) => void make(event)} className="flex flex-col gap-4" noValidate>
        <TextField
          label={w.name}
          hint={w.nameHint}
          problem={isTried && name.trim() === '' ? w.nameMissing : undefined}
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.target.value)}
        />
        <div className="grid grid-cols-2 gap-3">
          <SelectField label={w.tenant} value={tenant} onChange={(event) => setTenant(event.target.value)}>
            <option value="">{w.fleet}</option>
            {tenants
              .filter((one) => one.tenant !== 'fleet')
              .map((one) => (
                <option key={one.tenant}>{one.tenant}</option>
              ))}
          </SelectField>
          <SelectField label={w.expires} value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {DAYS.map((n) => (
              <option key={n} value={n}>
                {w.days(n)}
              </option>
            ))}
          </SelectField>
        </div>
        <AbilityChoice
          chosen={chosen}
          onChange={setChosen}
          problem={isTried && chosen.size === 0 ? w.abilitiesMissing : undefined}
        />
        {error !== undefined && (
          <div className="-m-4 mt-0">
            <ProblemView error={error} />
          </div>
        )}
        <div className="sticky -bottom-4 -mx-4 -mb-4 flex justify-end border-t border-line bg-panel px-4 py-3">
          <Button type="submit" tone="primary" disabled={isBusy}>
            {w.make}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface AbilityChoiceProps {
  readonly chosen: ReadonlySet<Ability>;
  readonly onChange: (chosen: ReadonlySet<Ability>) => void;
  readonly problem: string | undefined;
}

function AbilityChoice({ chosen, onChange, problem }: AbilityChoiceProps) {
  const own = new Set(useQuery(meQuery).data?.abilities ?? []);
  const possible = byRoom().flatMap(([, abilities]) => abilities.filter((ability) => own.has(ability)));
  const toggle = (ability: Ability): void => {
    const next = new Set(chosen);
    if (!next.delete(ability)) next.add(ability);
    onChange(next);
  };
  return (
    <fieldset>
      <legend className="float-left mb-1 font-medium">{w.abilities}</legend>
      <div className="mb-1 flex justify-end gap-1">
        <Button tone="quiet" onClick={() => onChange(new Set(possible))}>
          {w.all}
        </Button>
        <Button tone="quiet" onClick={() => onChange(new Set())}>
          {w.none}
        </Button>
      </div>
      <ul className="clear-both rounded-control border border-line">
        {byRoom().flatMap(([, abilities]) =>
          abilities.map((ability) => (
            <li key={ability} className="border-b border-line last:border-0">
              <label className="flex min-h-8 items-center gap-2.5 px-2.5 py-1 hover:bg-raised phone:min-h-11">
                <input
                  type="checkbox"
                  checked={chosen.has(ability)}
                  disabled={!own.has(ability)}
                  onChange={() => toggle(ability)}
                  className="size-4 shrink-0 accent-accent"
                />
                <span className="min-w-0 flex-1">
                  {wordsOfAbility(ability)}
                  {!own.has(ability) && <span className="text-muted"> ({w.lacking})</span>}
                </span>
                <code className="font-mono text-[12px] text-muted">{ability}</code>
              </label>
            </li>
          )),
        )}
      </ul>
      {problem !== undefined && <p className="mt-1 text-err">{problem}</p>}
    </fieldset>
  );
}
